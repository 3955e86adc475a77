import { useEffect, useState } from 'react';

/** Whole seconds until `deadline`, rounded up: whoever waits until it says nought is not too early. */
export function secondsLeft(deadline: number, now: number): number {
  return Math.max(0, Math.ceil((deadline - now) / 1000));
}

/** `4:07`, or `1:02:03` from an hour on. */
export function clockFace(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** The time to wait in words, for those who do not see the clock run. */
export function waitInWords(seconds: number): string {
  if (seconds < 60) return `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  const minutes = Math.ceil(seconds / 60);
  return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
}

/**
 * Counts down to `deadline`, a time of `performance.now()`: turning the computer's clock shortens nothing, and a tab
 * that slept shows the right time when it wakes.
 */
export function useCountdown(deadline: number | null): number {
  const [now, setNow] = useState(() => performance.now());
  const left = deadline === null ? 0 : secondsLeft(deadline, now);
  const running = left > 0;
  useEffect(() => {
    if (deadline === null) return;
    setNow(performance.now());
    if (!running) return;
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, [deadline, running]);
  return left;
}
