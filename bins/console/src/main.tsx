import './app/styles';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { App } from './app/App';
import { watchPresence } from './app/presence';
import { createQueryClient } from './app/queryClient';
import { createRouter, initialized } from './app/router';
import type { Early } from './session/early';
import type { Arrival } from './session/fragment';
import { Session } from './session/session';

/** Starts the console, after the address was cleaned of what the browser arrived with. */
export async function start(arrival: Arrival, early: Early | null): Promise<void> {
  watchPresence();
  const queries = createQueryClient();
  const router = createRouter();
  const session = new Session(
    queries,
    async (path, options) => router.navigate(path, options),
    () => window.location.pathname + window.location.search + window.location.hash,
  );
  session.watch();
  await session.adopt(arrival);
  const root = document.getElementById('root');
  if (!root) throw new Error('the page has no root');
  const app = <App router={router} queries={queries} session={session} onReady={early?.release} />;
  if (early) await initialized(router);
  // Somebody may have signed in by another tab meanwhile, or the screen did not come.
  if (early && router.state.location.pathname === '/login' && !router.state.errors) {
    hydrateRoot(root, app);
  } else {
    root.replaceChildren();
    createRoot(root).render(app);
  }
}
