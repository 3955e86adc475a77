import { describe, expect, it } from 'vitest';
import { loginPath, safeReturnPath } from '../src/session/returnPath';

describe('where to return to after signing in', () => {
  it.each(['/', '/audit', '/settings/components?q=a%20b&sort=seen.desc', '/audit?entry=7#top', '/settings/users'])(
    'takes a path of the console: %s',
    (path) => expect(safeReturnPath(path)).toBe(path),
  );

  it.each([
    ['another host', '//evil.example'],
    ['another host, deeper', '///evil.example'],
    ['a backslash', '/\\evil.example'],
    ['a backslash later', '/a\\b'],
    ['a whole address', 'https://evil.example/'],
    ['an address without slashes', 'https:evil.example'],
    ['a script', 'javascript:alert(1)'],
    ['a relative path', 'audit'],
    ['nothing', ''],
    ['a tab', '/\t/evil.example'],
    ['a line break', '/\n/evil.example'],
    ['a NUL', '/a\u0000'],
    ['a space', '/a b'],
    ['a C1 control', '/a\u0085'],
    ['dots that lead elsewhere', '/..//evil.example'],
    ['dots', '/a/../b'],
    ['encoded dots', '/a/%2e%2e/b'],
    ['letters that would be encoded', '/ä'],
    ['the API', '/api/v1/auth/logout'],
    ['the sign-in page itself', '/login?return=%2Flogin'],
    ['the forced change', '/change-password'],
    ['something endless', `/${'a'.repeat(2001)}`],
  ])('refuses %s', (_what, path) => expect(safeReturnPath(path)).toBeNull());

  it('is part of the address of the sign-in page only when it says something', () => {
    expect(loginPath('/')).toBe('/login');
    expect(loginPath('//evil.example')).toBe('/login');
    expect(loginPath('/audit?range=24h&q=a')).toBe('/login?return=%2Faudit%3Frange%3D24h%26q%3Da');
  });
});
