/**
 * Cookies that the console itself sets: what must outlive a page and is no secret. Not in the browser's storage, which
 * holds the session token and nothing else. Where the page is not secure the browser drops them, and the console works
 * without.
 */
export function writeCookie(name: string, value: string, maxAgeSeconds: number): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser.
  document.cookie = `__Host-${name}=${encodeURIComponent(value)}; Secure; SameSite=Strict; Path=/; Max-Age=${maxAgeSeconds}`;
}

export function readCookie(name: string): string | null {
  if (typeof document === 'undefined') return null;
  const prefix = `__Host-${name}=`;
  const pair = document.cookie.split('; ').find((text) => text.startsWith(prefix));
  if (!pair) return null;
  try {
    return decodeURIComponent(pair.slice(prefix.length));
  } catch {
    return null;
  }
}

export function removeCookie(name: string): void {
  writeCookie(name, '', 0);
}
