import { readCookie } from '../lib/cookie';
import { loginPath } from './returnPath';
import { readToken } from './token';

/** The sign-in form, on show before the console is here. */
export interface Early {
  /** What was asked for meanwhile is done now that somebody listens. */
  release(): void;
}

/**
 * Shows the form that `index.html` brings, to whoever has to sign in: what is typed into it stays there when the console
 * takes it over, and a form that was sent is sent then. `null` where there is nobody to sign in, or something to tell.
 * Runs before everything else, so what it imports is small and does nothing by itself.
 */
export function showSignIn(): Early | null {
  const template = document.querySelector<HTMLTemplateElement>('template#sign-in');
  const root = document.getElementById('root');
  const { pathname, search, hash } = window.location;
  if (!template || !root || readToken() !== null) return null;
  if (pathname !== '/login') history.replaceState(null, '', loginPath(pathname + search + hash));
  else if (hash !== '') return null;

  const chosen = readCookie('stratora_theme');
  const dark = chosen ? chosen === 'dark' : window.matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');

  let sent: HTMLFormElement | null = null;
  const hold = (event: SubmitEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (sent) return;
    sent = event.target as HTMLFormElement;
    // The bar that stands for a page on its way.
    const bar = document.createElement('div');
    bar.className = 'on-its-way';
    bar.role = 'progressbar';
    bar.ariaLabel = 'Loading the page';
    bar.ariaLive = 'polite';
    document.body.append(bar);
  };
  document.addEventListener('submit', hold, true);
  root.append(document.importNode(template.content, true));
  return {
    release() {
      document.removeEventListener('submit', hold, true);
      document.querySelector('body > .on-its-way')?.remove();
      if (sent?.isConnected) sent.requestSubmit();
      sent = null;
    },
  };
}
