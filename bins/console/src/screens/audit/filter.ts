import type { AuditFilter } from '../../api/audit';
import { oneOf } from '../../lib/urlState';
import { OUTCOMES, RESOURCES } from './actions';

export const RANGES = ['1h', '24h', '7d', '30d', 'all', 'custom'] as const;
export type Range = (typeof RANGES)[number];
export const RANGE_NAMES: Record<Range, string> = {
  '1h': 'Last hour',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  all: 'Any time',
  custom: 'From … until …',
};
const HOURS: Partial<Record<Range, number>> = { '1h': 1, '24h': 24, '7d': 7 * 24, '30d': 30 * 24 };

/** A time of the address: RFC 3339, or nothing. */
function time(text: string | null): string | null {
  return text && /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

export interface Wanted {
  range: Range;
  from: string | null;
  until: string | null;
  user: string;
  action: string | null;
  outcome: (typeof OUTCOMES)[number] | null;
  resource: (typeof RESOURCES)[number] | null;
  resourceId: string | null;
  q: string;
}

/** What the address asks for. What makes no sense there is left out. */
export function readWanted(search: URLSearchParams): Wanted {
  const from = time(search.get('from'));
  const until = time(search.get('until'));
  const range = oneOf(search.get('range'), RANGES) ?? (from || until ? 'custom' : '7d');
  const action = search.get('action');
  const resourceId = search.get('resource_id');
  return {
    range,
    from: range === 'custom' ? from : null,
    until: range === 'custom' ? until : null,
    user: search.get('user') ?? '',
    action: action && /^[a-z_]+\.[a-z_]+$/.test(action) ? action : null,
    outcome: oneOf(search.get('outcome'), OUTCOMES),
    resource: oneOf(search.get('resource'), RESOURCES),
    resourceId: resourceId && /^[0-9a-f-]{36}$/.test(resourceId) ? resourceId : null,
    q: search.get('q') ?? '',
  };
}

/** The question to the server. `now` stands still, or every rendering would be another question. */
export function toFilter(wanted: Wanted, now: number): AuditFilter {
  const hours = HOURS[wanted.range];
  const from = hours ? new Date(now - hours * 3_600_000).toISOString() : wanted.from;
  const filter: AuditFilter = {};
  if (from) filter.from = from;
  if (wanted.until) filter.until = wanted.until;
  if (wanted.user) filter.user = wanted.user;
  if (wanted.action) filter.action = wanted.action;
  if (wanted.outcome) filter.outcome = wanted.outcome;
  if (wanted.resource) filter.resource = wanted.resource;
  if (wanted.resourceId) filter.resource_id = wanted.resourceId;
  if (wanted.q) filter.q = wanted.q;
  return filter;
}
