/** The headers that the product promises, with why. The server has the same in one place; a browser can only compare. */
export interface Expected {
  name: string;
  value: string;
  why: string;
}

const FRAME = {
  name: 'X-Frame-Options',
  value: 'DENY',
  why: 'No other page can put this one in a frame and trick clicks out of people.',
};
const SNIFF = {
  name: 'X-Content-Type-Options',
  value: 'nosniff',
  why: 'The browser takes a response for what its type says and never runs data as a script.',
};
const XSS = {
  name: 'X-XSS-Protection',
  value: '1; mode=block',
  why: 'Old browsers stop a page in which they find a reflected script.',
};
const REFERRER = {
  name: 'Referrer-Policy',
  value: 'strict-origin-when-cross-origin',
  why: 'Other sites never learn which page of this one somebody came from.',
};
const RESOURCE = {
  name: 'Cross-Origin-Resource-Policy',
  value: 'same-origin',
  why: 'No other site can embed what this one answers.',
};
const OPENER = {
  name: 'Cross-Origin-Opener-Policy',
  value: 'same-origin',
  why: 'A window that another site opened keeps no handle on this one.',
};
const HSTS = {
  name: 'Strict-Transport-Security',
  value: 'max-age=31536000; includeSubDomains',
  why: 'The browser comes back over TLS only, for a year.',
};
const PERMISSIONS = {
  name: 'Permissions-Policy',
  value: 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), accelerometer=(), gyroscope=()',
  why: 'Nothing here needs a sensor or a device, so none can be asked for.',
};
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
  "img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self';";
const policy = (value: string): Expected => ({
  name: 'Content-Security-Policy',
  value,
  why: 'Scripts come from this server and from nowhere else, so that a text that somebody smuggled in stays a text.',
});
const NO_STORE = {
  name: 'Cache-Control',
  value: 'no-store, private',
  why: 'No cache keeps what was meant for one person at one time.',
};
const PRAGMA = { name: 'Pragma', value: 'no-cache', why: 'The same for HTTP/1.0.' };

/** What every page carries; what is for TLS only is not sent in clear (RFC 6797 §7.2). */
export function pageHeaders(tls: boolean): Expected[] {
  const both = [FRAME, SNIFF, XSS, REFERRER, PERMISSIONS, RESOURCE, OPENER];
  return tls ? [policy(`${CSP} upgrade-insecure-requests;`), HSTS, ...both] : [policy(CSP), ...both];
}

/** What every answer of the API carries. */
export const API_HEADERS: Expected[] = [SNIFF, FRAME, XSS, REFERRER, RESOURCE, NO_STORE, PRAGMA];

export type Verdict = 'good' | 'warn' | 'bad' | 'unknown';

export interface Finding {
  what: string;
  verdict: Verdict;
  found: string;
  /** Only where what was found is not it. */
  expected?: string;
  why: string;
}

/** Compares exactly. A header that was sent twice reads as both values with a comma between, and is not the one. */
export function compareHeaders(expected: Expected[], found: Headers): Finding[] {
  return expected.map(({ name, value, why }) => {
    const present = found.get(name);
    return present === value
      ? { what: name, verdict: 'good', found: value, why }
      : { what: name, verdict: 'bad', found: present ?? 'Missing', expected: value, why };
  });
}

/** Over TLS, HSTS must be there; in clear it must not. */
export function clearTextFindings(tls: boolean, found: Headers): Finding[] {
  const present = found.get(HSTS.name);
  if (tls || present === null) return [];
  return [
    {
      what: HSTS.name,
      verdict: 'bad',
      found: present,
      expected: 'Missing',
      why: 'In clear, browsers ignore this header and RFC 6797 forbids to send it.',
    },
  ];
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|.+\.localhost)$/;

export function transportFinding(protocol: string, hostname: string): Finding {
  const what = 'Transport';
  const why = 'Whoever listens on the way could read passwords and take over the session.';
  if (protocol === 'https:') return { what, verdict: 'good', found: 'TLS', why };
  if (LOOPBACK.test(hostname)) {
    return {
      what,
      verdict: 'good',
      found: 'In clear, within this machine',
      why: 'What stays within the machine passes nobody.',
    };
  }
  return { what, verdict: 'bad', found: 'In clear, over the network', expected: 'TLS', why };
}

export function bindingFinding(protocol: string, hostname: string, port: string): Finding {
  const what = 'Binding';
  if (LOOPBACK.test(hostname)) {
    return {
      what,
      verdict: 'unknown',
      found: 'Reached at a loopback address',
      why: 'From here it cannot be seen whether the backend listens to the network too. It says so in its log at the start; server.host sets it.',
    };
  }
  if (protocol === 'https:' && (port === '' || port === '443')) {
    return {
      what,
      verdict: 'good',
      found: 'Reached through the front',
      why: 'Nothing but the front with TLS should face the network.',
    };
  }
  return {
    what,
    verdict: 'warn',
    found: `Reached at port ${port || '80'}`,
    expected: 'Port 443, through the front',
    why: 'The backend seems to listen beyond loopback. Set server.host to 127.0.0.1 and let only NGINX face the network.',
  };
}

export function versionFinding(found: Headers): Finding {
  const server = [found.get('Server'), found.get('X-Powered-By')].filter((text) => text !== null).join(', ');
  return {
    what: 'Version of the server program',
    verdict: /\d/.test(server) ? 'warn' : 'good',
    found: server || 'Not told',
    ...(/\d/.test(server) ? { expected: 'No version' } : {}),
    why: 'Who knows the version knows which holes to try.',
  };
}

/** What of the server's document of its API is read here. */
export interface Described {
  paths?: Record<string, Record<string, { description?: string } | undefined>>;
}

/** Without a limit, passwords could be guessed here as fast as the server checks them. */
const GUESSED_AT = 'POST /api/v1/auth/login';
const WHY_LIMITED: Record<string, string> = {
  [GUESSED_AT]: 'Passwords cannot be tried out one after the other.',
  'POST /api/v1/auth/change-password': 'Nor can the present one, by whoever finds a session open.',
  'POST /api/v1/components/register': 'Enrollment tokens cannot be tried out.',
  'POST /api/v1/keys/report-leak': 'Keys cannot be tried out.',
  'POST /api/v1/agents/{id}/rotate': 'Whoever holds a key cannot keep the server busy with making others.',
  'POST /api/v1/identity-providers/ldap/test': 'Passwords of the directory cannot be tried out.',
};
const WHY_SIGN_IN = 'Signing in through a provider is work for the server, and for the provider.';

/** The limits that the server enforces, as its document tells: both come from the same table. */
export function limitFindings(document: Described | null): Finding[] {
  const findings = Object.entries(document?.paths ?? {}).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]): Finding[] => {
      const what = `${method.toUpperCase()} ${path}`;
      const limit = /at most \d+ requests in \d+ s from one (?:address|component)/i.exec(
        operation?.description ?? '',
      )?.[0];
      return limit ? [{ what, verdict: 'good', found: limit, why: WHY_LIMITED[what] ?? WHY_SIGN_IN }] : [];
    }),
  );
  if (!document) {
    return [
      {
        what: 'Limits',
        verdict: 'unknown',
        found: 'The server does not tell',
        why: 'They are in its document of the API.',
      },
    ];
  }
  if (findings.some(({ what }) => what === GUESSED_AT)) return findings;
  return [
    {
      what: GUESSED_AT,
      verdict: 'bad',
      found: 'No limit',
      expected: 'A limit',
      why: WHY_LIMITED[GUESSED_AT] ?? '',
    },
    ...findings,
  ];
}
