/** Where to go after signing in: only ever a place inside this console. */

/** Pages that one does not return to. */
const NEVER = ['/login', '/change-password'];

/** A fixed origin: whether a path stays inside must not depend on where the console is served. */
const ORIGIN = 'https://console.invalid';

/**
 * The path, if it may be followed: absolute, with a single leading slash, without backslashes and control characters,
 * and the same again after it was parsed and written out. Anything else, such as `//host` or `/\host`, is `null`.
 */
export function safeReturnPath(path: string | null | undefined): string | null {
  if (!path || path.length > 2000 || !path.startsWith('/') || path.startsWith('//')) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  if (/[\\\u0000-\u0020\u007f-\u009f]/.test(path)) return null;
  let url: URL;
  try {
    url = new URL(path, ORIGIN);
  } catch {
    return null;
  }
  if (url.origin !== ORIGIN || url.pathname + url.search + url.hash !== path) return null;
  if (url.pathname.startsWith('//') || url.pathname.startsWith('/api/')) return null;
  return NEVER.includes(url.pathname) ? null : path;
}

/** The address of the sign-in page that leads back to `path`. */
export function loginPath(path: string): string {
  const back = safeReturnPath(path);
  return back && back !== '/' ? `/login?return=${encodeURIComponent(back)}` : '/login';
}
