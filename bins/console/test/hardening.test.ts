import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  API_HEADERS,
  bindingFinding,
  clearTextFindings,
  compareHeaders,
  limitFindings,
  pageHeaders,
  transportFinding,
} from '../src/screens/hardening/expected';

const headersOf = (expected: { name: string; value: string }[]) =>
  new Headers(Object.fromEntries(expected.map(({ name, value }) => [name, value])));
const verdicts = (expected: Parameters<typeof compareHeaders>[0], found: Headers) =>
  compareHeaders(expected, found)
    .filter(({ verdict }) => verdict !== 'good')
    .map(({ what }) => what);

describe('the hardening page', () => {
  it('expects what the policy of the server says', () => {
    const policy = readFileSync(new URL('../../../crates/headers/src/policy.rs', import.meta.url), 'utf8').replace(
      /\\\n\s*/g,
      '',
    );
    for (const { name, value } of [...pageHeaders(true), ...pageHeaders(false), ...API_HEADERS]) {
      expect(policy).toContain(`"${name}"`);
      expect(policy).toContain(`"${value}"`);
    }
  });

  it('finds a header that is missing, another, or there twice', () => {
    for (const tls of [true, false]) {
      const right = headersOf(pageHeaders(tls));
      expect(verdicts(pageHeaders(tls), right)).toEqual([]);
      const wrong = new Headers(right);
      wrong.delete('X-Frame-Options');
      wrong.append('X-Content-Type-Options', 'nosniff');
      wrong.set('Referrer-Policy', 'no-referrer');
      expect(verdicts(pageHeaders(tls), wrong)).toEqual([
        'X-Frame-Options',
        'X-Content-Type-Options',
        'Referrer-Policy',
      ]);
    }
  });

  it('wants HSTS over TLS and refuses it in clear', () => {
    expect(clearTextFindings(false, headersOf(pageHeaders(true)))).toHaveLength(1);
    expect(clearTextFindings(true, headersOf(pageHeaders(true)))).toEqual([]);
    expect(verdicts(pageHeaders(true), headersOf(pageHeaders(false)))).toContain('Strict-Transport-Security');
  });

  it('tells the way to the server from its address', () => {
    expect(transportFinding('https:', 'stratora.example.com').verdict).toBe('good');
    expect(transportFinding('http:', 'localhost').verdict).toBe('good');
    expect(transportFinding('http:', '127.0.0.1').verdict).toBe('good');
    expect(transportFinding('http:', '127.0.0.1.evil.example').verdict).toBe('bad');
    expect(transportFinding('http:', '192.0.2.7').verdict).toBe('bad');
    expect(bindingFinding('https:', 'stratora.example.com', '').verdict).toBe('good');
    expect(bindingFinding('http:', '192.0.2.7', '8080').verdict).toBe('warn');
    expect(bindingFinding('http:', 'localhost', '8080').verdict).toBe('unknown');
  });

  it('tells the limits of the server’s own document, and misses the one of the sign-in', () => {
    const limited = { description: 'Anyone. At most 5 requests in 300 s from one address.' };
    const paths = {
      '/api/v1/auth/login': { post: limited },
      '/api/v1/auth/me': { get: { description: 'Who is signed in.' } },
      '/api/v1/agents/{id}/rotate': {
        post: { description: 'Components. At most 10 requests in 60 s from one component.' },
      },
    };
    expect(limitFindings({ paths }).map(({ what, verdict, found }) => [what, verdict, found])).toEqual([
      ['POST /api/v1/auth/login', 'good', 'At most 5 requests in 300 s from one address'],
      ['POST /api/v1/agents/{id}/rotate', 'good', 'At most 10 requests in 60 s from one component'],
    ]);
    expect(limitFindings({ paths: { '/api/v1/auth/login': { post: {} } } })[0]).toMatchObject({ verdict: 'bad' });
    expect(limitFindings(null)[0]).toMatchObject({ verdict: 'unknown' });
  });

  it('reads the limits in the words that the server uses', () => {
    const routes = readFileSync(new URL('../../../crates/api/src/routes.rs', import.meta.url), 'utf8');
    for (const whom of ['address', 'component']) {
      expect(routes).toMatch(new RegExp(`At most \\{\\w*\\} requests in \\{\\w*\\} s from one ${whom}`));
    }
  });
});
