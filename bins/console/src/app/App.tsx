import { MantineProvider } from '@mantine/core';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, useEffect } from 'react';
import { RouterProvider } from 'react-router';
import { type Session, SessionProvider } from '../session/session';
import { colorSchemeManager } from './colorScheme';
import type { Router } from './router';
import { cssVariables, theme } from './theme';

interface Props {
  router: Router;
  queries: QueryClient;
  session: Session;
  /** Told once the page listens. */
  onReady?: (() => void) | undefined;
}

/** The whole console. Built into `index.html` at the sign-in page, so nothing here may need a browser to be drawn. */
export function App({ router, queries, session, onReady }: Props) {
  useEffect(() => onReady?.(), [onReady]);
  return (
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
    </StrictMode>
  );
}
