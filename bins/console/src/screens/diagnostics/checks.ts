import { ApiError } from '../../api/error';
import { readToken } from '../../session/token';
import type { Tone } from '../../ui/Dot';

export interface Check {
  what: string;
  tone: Tone;
  result: string;
  hint?: string;
  ms?: number;
}

interface Answer {
  response: Response | null;
  ms: number;
}

async function ask(path: string, signal: AbortSignal, authorized = false): Promise<Answer> {
  const token = readToken();
  const started = performance.now();
  const response = await fetch(path, {
    cache: 'no-store',
    signal,
    headers: { Accept: 'application/json', ...(authorized && token ? { Authorization: `Bearer ${token}` } : {}) },
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return null;
  });
  return { response, ms: Math.round(performance.now() - started) };
}

/** A clock that is further off makes one-time passwords, tokens and logs confusing. */
const SKEW_SECONDS = 30;

/** `date` is the server's `Date` header: whole seconds. */
export function skewOf(date: string | null, now: number): number | null {
  const at = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(at) ? null : Math.round((now - at) / 1000);
}

/** Asks the server how it is, as far as a person in a browser can. */
export async function runChecks(signal: AbortSignal): Promise<Check[]> {
  const [live, ready, me, series] = await Promise.all([
    ask('/health/live', signal),
    ask('/health/ready', signal),
    ask('/api/v1/auth/me', signal, true),
    ask('/api/v1/metrics/query?query=1', signal, true),
  ]);
  if (!live.response && !me.response) throw ApiError.unreachable();
  const checks: Check[] = [
    health('Server', live, 'Answers', 'Does not answer'),
    health('Database', ready, 'Answers', 'Cannot be reached by the server'),
  ];
  checks.push(
    me.response?.ok
      ? { what: 'API', tone: 'good', result: 'Answers', ms: me.ms }
      : { what: 'API', tone: 'bad', result: `Answers with ${me.response?.status ?? 'nothing'}`, ms: me.ms },
  );
  const status = series.response?.status;
  checks.push(
    status === 200
      ? { what: 'Time-series store', tone: 'good', result: 'Answers', ms: series.ms }
      : status === 503
        ? {
            what: 'Time-series store',
            tone: 'warn',
            result: 'Not there',
            hint: 'Measurements cannot be taken in or shown. Set victoriametrics.url, or start the store.',
          }
        : { what: 'Time-series store', tone: 'warn', result: `Answers with ${status ?? 'nothing'}` },
  );
  const skew = skewOf(me.response?.headers.get('Date') ?? null, Date.now());
  if (skew !== null) {
    checks.push(
      Math.abs(skew) <= SKEW_SECONDS
        ? { what: 'Clocks', tone: 'good', result: 'This computer and the server agree' }
        : {
            what: 'Clocks',
            tone: 'warn',
            result: `This computer is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} the server`,
            hint: 'Times on the screens are off by that much. Let both follow a time server.',
          },
    );
  }
  return checks;
}

function health(what: string, { response, ms }: Answer, good: string, bad: string): Check {
  if (response?.ok) return { what, tone: 'good', result: good, ms };
  if (response?.status === 404) {
    return { what, tone: 'idle', result: 'Cannot be asked from here', hint: 'The front does not pass /health on.' };
  }
  return { what, tone: 'bad', result: bad, hint: 'See the log of the server.' };
}
