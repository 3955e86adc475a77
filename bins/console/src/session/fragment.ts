/** What the browser arrived with in the fragment of the address. */
export type Arrival =
  | { kind: 'plain' }
  /** The bearer token of a sign-in through an identity provider. */
  | { kind: 'token'; token: string }
  /** A fragment that looks like such a token and is none. */
  | { kind: 'malformed' };

const PREFIX = '#oidc_session=';
/** What bearer tokens are made of (RFC 6750 §2.1), at a length that no guess and no flood has. */
const TOKEN = /^[A-Za-z0-9._~+/-]{20,256}=*$/;

/**
 * Takes the token out of the address, so that neither the history nor anything that runs later can read it there.
 * Has no imports: it runs before every other module.
 */
export function takeArrival(location: Pick<Location, 'hash' | 'pathname' | 'search'>, history: History): Arrival {
  const fragment = location.hash;
  if (!fragment.includes('oidc_session=')) return { kind: 'plain' };
  history.replaceState(null, '', location.pathname + location.search);
  const token = fragment.startsWith(PREFIX) ? fragment.slice(PREFIX.length) : '';
  return TOKEN.test(token) ? { kind: 'token', token } : { kind: 'malformed' };
}
