import type { AuditStats, ComponentStatus } from '../../api/types';
import type { Tone } from '../../ui/Dot';

export interface Concern {
  tone: Tone;
  text: string;
  /** What it means and what to do. */
  why: string;
  to: string;
}

/** Failed sign-ins are a fact of life; so many in a day are not. */
const MANY_FAILURES = 20;

function counted(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count.toLocaleString()} ${many}`;
}

/** What somebody should look at, the worst first. */
export function concernsOf(
  byStatus: Record<ComponentStatus, number | undefined>,
  lately: AuditStats | null,
  administers: boolean,
  reenrolling = 0,
): Concern[] {
  const concerns: Concern[] = [];
  const of = (action: string, outcome?: string) =>
    (lately?.by_action ?? [])
      .filter((row) => row.action === action && (outcome === undefined || row.outcome === outcome))
      .reduce((sum, row) => sum + row.count, 0);
  const log = (action: string, outcome?: string) =>
    `/audit?range=24h&action=${action}${outcome ? `&outcome=${outcome}` : ''}`;
  const add = (count: number, tone: Tone, text: string, why: string, to: string) => {
    if (count > 0) concerns.push({ tone, text, why, to });
  };

  const corrupt = of('key.corrupt');
  add(
    corrupt,
    'bad',
    counted(corrupt, 'key whose stored forms disagree', 'keys whose stored forms disagree'),
    'Somebody or something has changed the database. The keys are refused.',
    log('key.corrupt'),
  );
  const leaks = of('key.leak_report');
  add(
    leaks,
    'bad',
    counted(leaks, 'key reported as leaked', 'keys reported as leaked'),
    'In the last 24 hours. Their components need new keys.',
    log('key.leak_report'),
  );
  const faults = of('server.panic');
  add(
    faults,
    'bad',
    counted(faults, 'fault in the server', 'faults in the server'),
    'In the last 24 hours. The server log has the request ids.',
    log('server.panic'),
  );
  const offline = byStatus.offline ?? 0;
  add(
    offline,
    'bad',
    counted(offline, 'component is offline', 'components are offline'),
    'Not heard of for more than 30 seconds.',
    '/settings/components?status=offline',
  );
  const pending = byStatus.pending ?? 0;
  add(
    pending,
    'warn',
    counted(pending, 'component waits for approval', 'components wait for approval'),
    administers ? 'Its key does not work until an administrator approves it.' : 'An administrator has to approve it.',
    '/settings/components?status=pending',
  );
  add(
    reenrolling,
    'warn',
    counted(reenrolling, 'host asks to come in again', 'hosts ask to come in again'),
    'Under a name that is in use, without its key. Somebody set a host up anew, or pretends to have.',
    '/settings/enrollment',
  );
  const refused = of('key.refuse');
  add(
    refused,
    'warn',
    counted(refused, 'refused key', 'refused keys'),
    'In the last 24 hours. A component may still use an old key, or somebody is guessing.',
    log('key.refuse'),
  );
  const throttled = of('account.throttle');
  add(
    throttled,
    'warn',
    counted(throttled, 'sign-in held up', 'sign-ins held up'),
    'In the last 24 hours, after many failures for one account.',
    log('account.throttle'),
  );
  const failures = of('session.sign_in', 'failure');
  add(
    failures >= MANY_FAILURES ? failures : 0,
    'warn',
    counted(failures, 'failed sign-in', 'failed sign-ins'),
    'In the last 24 hours.',
    log('session.sign_in', 'failure'),
  );
  const limited = of('access.rate_limit');
  add(
    limited,
    'warn',
    counted(limited, 'rate limit reached', 'rate limits reached'),
    'In the last 24 hours. See from which addresses.',
    log('access.rate_limit'),
  );
  return concerns;
}
