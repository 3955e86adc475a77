import { useEffect, useState } from 'react';

/**
 * State for what is shown once: an object with a secret in one of its fields. React keeps what it drew before for its next
 * drawing, which may be a long time; so the secret is taken out of the object when that is no longer on show.
 */
export function useShownOnce<T extends object>(secret: keyof T & string) {
  const [shown, show] = useState<T | null>(null);
  useEffect(
    () => () => {
      if (shown) Object.assign(shown, { [secret]: '' });
    },
    [shown, secret],
  );
  return [shown, show] as const;
}
