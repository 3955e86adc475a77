import type { AuditFilter } from '../../api/audit';
import { api, body } from '../../api/client';
import { PAGE_SIZE } from '../../api/cursorList';
import type { AuditEntry } from '../../api/types';
import { toCsv } from '../../lib/csv';

/** As many as a spreadsheet is glad to open, and a browser to hold. */
export const MOST_ENTRIES = 50_000;

/** Every entry that matches, the newest first, up to a limit. */
export async function collect(
  filter: AuditFilter,
  progress: (loaded: number, total: number) => void,
  signal: AbortSignal,
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let cursor: string | null | undefined;
  do {
    const query = { ...filter, limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) };
    const page = await body(api.GET('/api/v1/audit-logs', { params: { query }, signal }));
    entries.push(...page.items);
    progress(entries.length, Math.min(page.total, MOST_ENTRIES));
    cursor = page.next_cursor;
  } while (cursor && entries.length < MOST_ENTRIES);
  return entries;
}

const HEADER = [
  'seq',
  'at',
  'actor_kind',
  'actor_id',
  'actor_name',
  'action',
  'resource_kind',
  'resource_id',
  'resource_name',
  'outcome',
  'client_address',
  'request_id',
  'details',
  'hash',
];

export function entriesToCsv(entries: AuditEntry[]): string {
  return toCsv(
    HEADER,
    entries.map((entry) => [
      entry.seq,
      entry.at,
      entry.actor.kind,
      entry.actor.id,
      entry.actor.name,
      entry.action,
      entry.resource?.kind,
      entry.resource?.id,
      entry.resource?.name,
      entry.outcome,
      entry.client_address,
      entry.request_id,
      Object.entries(entry.details)
        .map(([name, value]) => `${name}=${value}`)
        .join('; '),
      entry.hash,
    ]),
  );
}
