import './app/styles';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { colorSchemeManager } from './app/colorScheme';
import { watchPresence } from './app/presence';
import { createQueryClient } from './app/queryClient';
import { createRouter } from './app/router';
import { cssVariables, theme } from './app/theme';
import type { Arrival } from './session/fragment';
import { Session, SessionProvider } from './session/session';

/** Starts the console, after the address was cleaned of what the browser arrived with. */
export async function start(arrival: Arrival): Promise<void> {
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
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        colorSchemeManager={colorSchemeManager}
        defaultColorScheme="auto"
      >
        <QueryClientProvider client={queries}>
          <SessionProvider session={session}>
            <RouterProvider router={router} />
          </SessionProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
