import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, use, useMemo, useSyncExternalStore } from 'react';
import { api, body, watchSession } from '../api/client';
import { ApiError, asApiError } from '../api/error';
import type { Me, SignedIn } from '../api/types';
import { readCookie, removeCookie, writeCookie } from '../lib/cookie';
import type { Arrival } from './fragment';
import { loginPath, safeReturnPath } from './returnPath';
import { clearStorage, onTokenChange, readToken, storeToken } from './token';

export type Role = 'viewer' | 'operator' | 'admin';

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

export function hasRole(me: Me, needed: Role): boolean {
  return (RANK[me.role as Role] ?? -1) >= RANK[needed];
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/auth/me', { signal })),
  staleTime: 60_000,
});

/** Where what the sign-in page asks for is kept. */
export const SIGN_IN_PROVIDERS = ['sign-in-providers'] as const;

/** What the sign-in page tells of how one came there. */
export interface Notice {
  tone: 'info' | 'problem';
  text: string;
}

const RETURN_COOKIE = 'stratora_return';

/** The session as the whole console shares it: who changes it does so here. */
export class Session {
  private notice: Notice | null = null;
  private readonly listeners = new Set<() => void>();
  private ending: Promise<boolean> = Promise.resolve(true);
  private leaving = false;

  constructor(
    private readonly queries: QueryClient,
    private readonly go: (path: string, options: { replace: boolean }) => Promise<void>,
    private readonly here: () => string,
  ) {}

  /** Starts to react to expiry and to other tabs. */
  watch(): void {
    watchSession({
      expired: (token) => this.expire(token),
      passwordChangeRequired: () => void this.queries.invalidateQueries({ queryKey: meQuery.queryKey }),
    });
    onTokenChange((token) => {
      if (token === null) {
        void this.leave({ tone: 'info', text: 'You are signed out in this browser.' });
      } else if (this.here().startsWith('/login')) {
        this.tell(null);
        this.forget();
        void this.go(this.destination(), { replace: true });
      } else {
        void this.changeOver();
      }
    });
    // A page that the browser kept aside while it was elsewhere may be of an earlier session.
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) window.location.reload();
    });
  }

  /** Takes up the session of a sign-in through an identity provider. */
  async adopt(arrival: Arrival): Promise<void> {
    if (arrival.kind === 'plain') return;
    const failed = (text: string) => {
      this.tell({ tone: 'problem', text });
      return this.go('/login', { replace: true });
    };
    if (arrival.kind === 'malformed') {
      await failed('This sign-in link is damaged. Sign in again.');
      return;
    }
    try {
      const response = await fetch('/api/v1/auth/me', {
        headers: { Authorization: `Bearer ${arrival.token}` },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(15_000),
      });
      if (!response.ok) throw await ApiError.of(response);
      const me = (await response.json()) as Me;
      storeToken(arrival.token);
      this.queries.setQueryData(meQuery.queryKey, me);
      const back = safeReturnPath(readCookie(RETURN_COOKIE));
      removeCookie(RETURN_COOKIE);
      if (back) await this.go(back, { replace: true });
    } catch (error) {
      await failed(
        asApiError(error).status === 401
          ? 'This sign-in was not started in this browser, or it took too long. Sign in again.'
          : 'Signing in could not be finished, because the server did not answer as expected. Sign in again.',
      );
    }
  }

  /** Takes up a session that was just opened with a password. */
  signedIn(answer: SignedIn): void {
    this.tell(null);
    this.forget();
    storeToken(answer.token);
    this.queries.setQueryData(meQuery.queryKey, answer.user);
  }

  /** Keeps in mind where to return to while the browser is at an identity provider. */
  aboutToLeave(back: string | null): void {
    if (back) writeCookie(RETURN_COOKIE, back, 600);
    else removeCookie(RETURN_COOKIE);
  }

  /** Ends the session here at once, and at the server as soon as it answers. */
  async signOut(): Promise<void> {
    const me = this.queries.getQueryData(meQuery.queryKey);
    const headers = { Authorization: `Bearer ${readToken() ?? ''}` };
    const ask = (path: string, method: string) =>
      fetch(path, {
        method,
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(5_000),
      });
    const elsewhere =
      me?.auth_source === 'oidc' ? await endSessionUrl(() => ask('/api/v1/auth/end-session', 'GET')) : null;
    clearStorage();
    this.ending = ask('/api/v1/auth/logout', 'POST').then(
      (response) => response.status === 204 || response.status === 401,
      () => false,
    );
    await this.toSignIn('/login', { tone: 'info', text: 'You are signed out.' });
    if (!(await this.ending)) {
      this.tell({
        tone: 'problem',
        text: 'You are signed out here, but the server could not be told. It ends the session when it expires.',
      });
    } else if (elsewhere) {
      window.location.replace(elsewhere);
    }
  }

  /** Resolves once the server has ended the session before: its answer clears this browser's storage. */
  async ended(): Promise<void> {
    await this.ending;
  }

  /** While the way to the sign-in page is being taken, nothing else leads there. */
  get isLeaving(): boolean {
    return this.leaving;
  }

  /** What the sign-in page has to tell. */
  readonly getNotice = (): Notice | null => this.notice;

  readonly onNotice = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  tell(notice: Notice | null): void {
    this.notice = notice;
    for (const listener of this.listeners) listener();
  }

  /** Another tab has taken up another session. */
  private async changeOver(): Promise<void> {
    const before = this.queries.getQueryData(meQuery.queryKey);
    const now = await this.queries.fetchQuery({ ...meQuery, staleTime: 0 }).catch(() => null);
    // Of another person: nothing of what the one before saw, typed or was shown may stay.
    if (before && before.id !== now?.id) window.location.reload();
    else await this.queries.resetQueries();
  }

  private expire(token: string): void {
    // Another tab may have signed in anew since the request was sent.
    if (readToken() !== token) return;
    clearStorage();
    void this.leave({ tone: 'info', text: 'Your session has ended. Sign in again to go on where you were.' });
  }

  private async leave(notice: Notice): Promise<void> {
    const from = this.here();
    if (!from.startsWith('/login')) await this.toSignIn(loginPath(from), notice);
  }

  private async toSignIn(path: string, notice: Notice): Promise<void> {
    if (this.leaving) return;
    this.leaving = true;
    this.tell(notice);
    await this.go(path, { replace: true });
    // Not before: what is still on show would ask again.
    this.forget();
    this.leaving = false;
  }

  /** Drops all that anybody saw here; the sign-in page, which may be on show, goes on with what everybody may see. */
  private forget(): void {
    this.queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SIGN_IN_PROVIDERS[0] });
    this.queries.getMutationCache().clear();
  }

  private destination(): string {
    const wanted = new URLSearchParams(this.here().split('?')[1] ?? '').get('return');
    return safeReturnPath(wanted) ?? '/';
  }
}

async function endSessionUrl(ask: () => Promise<Response>): Promise<string | null> {
  try {
    const response = await ask();
    if (!response.ok) return null;
    const { end_session_url: address } = (await response.json()) as { end_session_url: string | null };
    if (!address) return null;
    const { protocol } = new URL(address);
    return protocol === 'https:' || protocol === 'http:' ? address : null;
  } catch {
    return null;
  }
}

const SessionContext = createContext<Session | null>(null);

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error('no SessionProvider');
  return session;
}

/** What the sign-in page has to tell. */
export function useNotice(): Notice | null {
  const session = useSession();
  return useSyncExternalStore(session.onNotice, session.getNotice, () => null);
}

const MeContext = createContext<Me | null>(null);
export const MeProvider = MeContext;

/** Who is signed in; only below the part of the console that asks for a session. */
export function useMe(): Me {
  const me = use(MeContext);
  if (!me) throw new Error('no session');
  return me;
}

/** What the person may do. */
export function useMay(): { administer: boolean; operate: boolean } {
  const me = useMe();
  return useMemo(() => ({ administer: hasRole(me, 'admin'), operate: hasRole(me, 'operator') }), [me]);
}

export function useMeQuery(enabled: boolean) {
  return useQuery({ ...meQuery, enabled });
}
