// Runs while the console is built, and in no browser: draws the sign-in page, for `index.html`.
import { renderToString } from 'react-dom/server';
import { createMemoryRouter } from 'react-router';
import { Session } from '../session/session';
import { App } from './App';
import { createQueryClient } from './queryClient';
import { initialized, routes } from './router';

/** What React takes over in the browser: drawn by the same components, at the same place of the same tree. */
export const signInPage = await draw('/login');

async function draw(path: string): Promise<string> {
  const queries = createQueryClient();
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  await initialized(router);
  const [failed] = Object.values(router.state.errors ?? {});
  if (failed) throw failed;
  const session = new Session(
    queries,
    async () => {},
    () => path,
  );
  const html = renderToString(<App router={router} queries={queries} session={session} />);
  router.dispose();
  return html;
}
