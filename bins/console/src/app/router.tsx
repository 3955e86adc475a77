import { createBrowserRouter, type RouteObject } from 'react-router';
import { Broken } from './Broken';
import { RequireSession } from './RequireSession';
import { Root } from './Root';
import { Unknown } from './Unknown';

/** While the first screen is on its way. */
function Nothing() {
  return null;
}

/** Every screen is a chunk of its own; what it may show is decided by the server, and by its role here. */
export const routes: RouteObject[] = [
  {
    Component: Root,
    ErrorBoundary: Broken,
    HydrateFallback: Nothing,
    children: [
      { path: '/login', lazy: () => import('../screens/login/Login') },
      { path: '/change-password', lazy: () => import('../screens/login/ChangePassword') },
      {
        Component: RequireSession,
        children: [
          {
            lazy: () => import('./Shell'),
            children: [
              {
                ErrorBoundary: Broken,
                children: [
                  { index: true, lazy: () => import('../screens/overview/Overview') },
                  { path: 'settings/components', lazy: () => import('../screens/components/Components') },
                  { path: 'sessions', lazy: () => import('../screens/sessions/MySessions') },
                  { path: 'diagnostics', lazy: () => import('../screens/diagnostics/Diagnostics') },
                  {
                    lazy: () => import('./RequireOperator'),
                    children: [{ path: 'settings/enrollment', lazy: () => import('../screens/enrollment/Enrollment') }],
                  },
                  {
                    lazy: () => import('./RequireAdmin'),
                    children: [
                      { path: 'settings/users', lazy: () => import('../screens/users/Users') },
                      {
                        path: 'settings/identity-providers',
                        lazy: () => import('../screens/providers/Providers'),
                      },
                      {
                        path: 'settings/identity-providers/attempts',
                        lazy: () => import('../screens/providers/Attempts'),
                      },
                      {
                        path: 'settings/identity-providers/directory',
                        lazy: () => import('../screens/providers/Directory'),
                      },
                      {
                        path: 'settings/identity-providers/:id',
                        lazy: () => import('../screens/providers/Provider'),
                      },
                      { path: 'audit', lazy: () => import('../screens/audit/Audit') },
                      { path: 'hardening', lazy: () => import('../screens/hardening/Hardening') },
                    ],
                  },
                  { path: '*', Component: Unknown },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
];

export function createRouter() {
  return createBrowserRouter(routes);
}

export type Router = ReturnType<typeof createRouter>;

/** Resolves once the first screen is here, or why it is not. */
export function initialized(router: Router): Promise<void> {
  return new Promise((resolve) => {
    if (router.state.initialized) return resolve();
    const stop = router.subscribe((state) => {
      if (!state.initialized) return;
      stop();
      resolve();
    });
  });
}
