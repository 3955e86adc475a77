import type { EnrollmentToken } from '../../api/types';
import type { Tone } from '../../ui/Dot';

export type TokenState = 'good' | 'used' | 'expired';

export const STATE_NAMES: Record<TokenState, string> = { good: 'Good', used: 'Used up', expired: 'Expired' };
export const STATE_TONES: Record<TokenState, Tone> = { good: 'good', used: 'idle', expired: 'idle' };

type Limits = Pick<EnrollmentToken, 'multi_use' | 'max_uses' | 'uses' | 'expires_at'>;

/** How many components may register with it in all; `null`: any number. */
export function mostUses({ multi_use, max_uses }: Pick<Limits, 'multi_use' | 'max_uses'>): number | null {
  return multi_use ? (max_uses ?? null) : 1;
}

/** Whether a component could register with it now, as far as this computer's clock can tell. */
export function tokenState(token: Limits, now: number): TokenState {
  const most = mostUses(token);
  if (most !== null && token.uses >= most) return 'used';
  if (token.expires_at && Date.parse(token.expires_at) <= now) return 'expired';
  return 'good';
}

/** `2 of 5`, or `2` where there is no limit. */
export function usesInWords(token: Limits): string {
  const most = mostUses(token);
  return most === null ? token.uses.toLocaleString() : `${token.uses.toLocaleString()} of ${most.toLocaleString()}`;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** For how long a token may be good: seconds, and 0 for as long as it is there. The first that is offered is the server's own. */
export const LIFETIMES: { value: string; label: string }[] = [
  { value: String(HOUR), label: '1 hour' },
  { value: String(DAY), label: '24 hours' },
  { value: String(7 * DAY), label: '7 days' },
  { value: String(30 * DAY), label: '30 days' },
  { value: '0', label: 'No end' },
];
export const USUAL_LIFETIME = String(DAY);
/** What the server takes. */
export const MOST_USES = 1_000_000;
