import { useEffect, useState } from 'react';

/** What is over sooner needs no sign that it is going on; showing one would only flicker. */
const LATE_MS = 200;

/** Whether `busy` has lasted long enough to be worth showing. */
export function useLate(busy: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!busy) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [busy]);
  return busy && late;
}
