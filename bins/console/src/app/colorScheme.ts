import type { MantineColorSchemeManager } from '@mantine/core';
import { readCookie, removeCookie, writeCookie } from '../lib/cookie';

const NAME = 'stratora_theme';
const ONE_YEAR = 365 * 24 * 60 * 60;

/** Keeps the chosen colours in a cookie: the browser's storage is for the session token alone. */
export const colorSchemeManager: MantineColorSchemeManager = {
  get: (fallback) => {
    const value = readCookie(NAME);
    return value === 'light' || value === 'dark' ? value : fallback;
  },
  set: (value) => (value === 'auto' ? removeCookie(NAME) : writeCookie(NAME, value, ONE_YEAR)),
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => removeCookie(NAME),
};
