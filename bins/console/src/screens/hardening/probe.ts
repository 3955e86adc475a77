import {
  API_HEADERS,
  bindingFinding,
  clearTextFindings,
  compareHeaders,
  type Described,
  type Finding,
  limitFindings,
  pageHeaders,
  transportFinding,
  versionFinding,
} from './expected';

export interface Section {
  title: string;
  lead: string;
  findings: Finding[];
}

const COOKIE = '__Host-stratora_session';

/** Everything a browser can see of how this server is set up. */
export async function probe(token: string | null, signal: AbortSignal): Promise<Section[]> {
  const { protocol, hostname, port, pathname } = window.location;
  const tls = protocol === 'https:';
  const quiet = { cache: 'no-store', signal } as const;
  const [page, api, byCookie, described] = await Promise.all([
    fetch(pathname, { ...quiet, headers: { Accept: 'text/html' } }),
    fetch('/api/v1/auth/me', { ...quiet, headers: { Authorization: `Bearer ${token ?? ''}` } }),
    fetch('/api/v1/auth/me', quiet),
    fetch('/api/v1/openapi.json', { signal }),
  ]);
  const document = described.ok ? ((await described.json()) as Described) : null;
  return [
    {
      title: 'Headers of this page',
      lead: 'This page was asked for once more, and its headers were compared with what they must be, to the letter.',
      findings: [...compareHeaders(pageHeaders(tls), page.headers), ...clearTextFindings(tls, page.headers)],
    },
    {
      title: 'Headers of the API',
      lead: 'The same for an answer of the API.',
      findings: compareHeaders(API_HEADERS, api.headers),
    },
    {
      title: 'Limits',
      lead: 'How often one address may ask before it is told to wait. Each is counted over restarts and across servers.',
      findings: limitFindings(document),
    },
    { title: 'Cookies and storage', lead: 'What is kept in this browser.', findings: cookieFindings(byCookie.ok) },
    {
      title: 'Way to the server',
      lead: 'How this browser reaches it.',
      findings: [
        transportFinding(protocol, hostname),
        bindingFinding(protocol, hostname, port),
        versionFinding(page.headers),
        ...originFindings(),
      ],
    },
  ];
}

function cookieFindings(works: boolean): Finding[] {
  const readable = document.cookie.split('; ').some((pair) => pair.startsWith(`${COOKIE}=`));
  const stored = Object.keys(localStorage).filter((name) => name !== 'stratora.token');
  const more = stored.length + sessionStorage.length;
  return [
    {
      what: 'Session cookie: HttpOnly',
      verdict: readable ? 'bad' : works ? 'good' : 'unknown',
      found: readable ? 'Scripts can read it' : works ? 'Scripts cannot read it' : 'There is no session cookie here',
      ...(readable ? { expected: 'Scripts cannot read it' } : {}),
      why: 'A script that got in could not carry the session off.',
    },
    {
      what: 'Session cookie: Secure',
      verdict: works ? 'good' : 'unknown',
      found: works
        ? `Set, because its name starts with __Host- and the browser took it`
        : 'There is no session cookie here; over plain HTTP browsers drop it',
      why: 'Browsers take a cookie with that name only with Secure, for this host alone and for the path /.',
    },
    {
      what: 'Session cookie: SameSite',
      verdict: 'unknown',
      found: 'A page cannot see this',
      why: 'It must be Strict, so that no other site can use it. The developer tools of the browser show it.',
    },
    {
      what: 'Storage of this browser',
      verdict: more === 0 ? 'good' : 'warn',
      found: more === 0 ? 'Holds the session token and nothing else' : `Holds ${more} more`,
      ...(more === 0 ? {} : { expected: 'The session token and nothing else' }),
      why: 'What is not kept cannot be found by whoever uses this browser next.',
    },
  ];
}

function originFindings(): Finding[] {
  const foreign = performance
    .getEntriesByType('resource')
    .map((entry) => new URL(entry.name, window.location.href))
    .filter((url) => url.protocol.startsWith('http') && url.origin !== window.location.origin);
  return [
    {
      what: 'Requests to other sites',
      verdict: foreign.length === 0 ? 'good' : 'bad',
      found: foreign.length === 0 ? 'None' : [...new Set(foreign.map((url) => url.origin))].join(', '),
      ...(foreign.length === 0 ? {} : { expected: 'None' }),
      why: 'The console works without the internet, and tells nobody that it is used.',
    },
    {
      what: 'Frame around this page',
      verdict: window.top === window.self ? 'good' : 'bad',
      found: window.top === window.self ? 'None' : 'It is in a frame',
      why: 'In a frame, clicks could be meant for something else.',
    },
  ];
}
