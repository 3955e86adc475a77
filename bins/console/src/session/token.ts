/** The bearer token: the only thing that the console keeps in the browser's storage. */

const KEY = 'stratora.token';

/** Stands in for a storage that the browser denies; then the session ends with the page. */
let withoutStorage: string | null = null;

export function readToken(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return withoutStorage;
  }
}

/** Puts it in the place of the one before, if there was one, and of anything else: other tabs see one change. */
export function storeToken(token: string): void {
  try {
    sessionStorage.clear();
    for (const key of Object.keys(localStorage)) if (key !== KEY) localStorage.removeItem(key);
    localStorage.setItem(KEY, token);
  } catch {
    withoutStorage = token;
  }
}

/** Leaves nothing behind, whatever was there. Other tabs are told by the browser's `storage` event. */
export function clearStorage(): void {
  withoutStorage = null;
  try {
    localStorage.removeItem(KEY);
    localStorage.clear();
    sessionStorage.clear();
  } catch {
    // There is no storage to clear.
  }
}

/** Calls back when another tab signs in, signs out or changes over to another session. */
export function onTokenChange(changed: (token: string | null) => void): () => void {
  const listen = (event: StorageEvent) => {
    // A null key stands for a storage that was cleared as a whole.
    if (event.key === null || event.key === KEY) changed(readToken());
  };
  window.addEventListener('storage', listen);
  return () => window.removeEventListener('storage', listen);
}
