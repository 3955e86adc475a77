import { Dot, type Tone } from '../../ui/Dot';
import { OUTCOME_NAMES } from './actions';

const TONES: Record<string, Tone> = { success: 'good', failure: 'warn', denied: 'bad' };

export function Outcome({ of }: { of: string }) {
  return <Dot tone={TONES[of] ?? 'idle'}>{OUTCOME_NAMES[of] ?? of}</Dot>;
}
