import { useSyncExternalStore } from 'react';

const never = () => () => {};

/**
 * Whether React runs what is on show. False while the page is built, and the first time it is drawn over what was built,
 * which has to come out the same; what depends on the person, the browser or the time comes right after.
 */
export function useTakenOver(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
