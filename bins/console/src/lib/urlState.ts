import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

type Change = Record<string, string | null | undefined>;

/**
 * Filters, order and what is open live in the address: it can be shared, survives a reload, and the back button undoes
 * the last change. What is typed letter by letter replaces the entry of the history instead.
 */
export function useUrlState() {
  const [search, setSearch] = useSearchParams();
  const change = useCallback(
    (changes: Change, how: { replace?: boolean } = {}) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            if (value === null || value === undefined || value === '') after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace: how.replace ?? false, preventScrollReset: true },
      ),
    [setSearch],
  );
  return { search, change };
}

/** The value, if it is one of those that there are. */
export function oneOf<T extends string>(value: string | null, allowed: readonly T[]): T | null {
  return allowed.find((one) => one === value) ?? null;
}
