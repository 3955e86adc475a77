import type { ReactNode } from 'react';

export type Tone = 'good' | 'warn' | 'bad' | 'idle';

/** A state in a word; the colour only repeats it. */
export function Dot({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="dot" data-tone={tone}>
      {children}
    </span>
  );
}
