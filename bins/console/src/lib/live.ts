import { useInterval } from '@mantine/hooks';
import { focusManager } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

/** How often what is on show is asked for again: as often as components report. */
export const LIVE_MS = 10_000;

/** Does something again and again, as long as somebody is there to see it. */
export function useLive(again: () => void): void {
  const latest = useRef(again);
  useEffect(() => {
    latest.current = again;
  });
  const { start, stop } = useInterval(() => {
    if (focusManager.isFocused()) latest.current();
  }, LIVE_MS);
  useEffect(() => {
    start();
    return stop;
  }, [start, stop]);
}
