import createClient from 'openapi-fetch';
import { readToken } from '../session/token';
import { ApiError } from './error';
import type { paths } from './schema';

/** Told of answers that concern the session as a whole, whichever request they came to. */
export interface SessionWatcher {
  /** A request with this token was answered with 401. */
  expired(token: string): void;
  /** The password must be changed before anything else. */
  passwordChangeRequired(): void;
}

let watcher: SessionWatcher | null = null;

export function watchSession(by: SessionWatcher): void {
  watcher = by;
}

const TIMEOUT_MS = 30_000;
/** What the sign-in page asks for. */
const WITHOUT_SESSION = ['/api/v1/auth/login', '/api/v1/auth/providers'];

/** Sends a request as whoever is signed in, and makes an exception of every answer that is no success. */
async function send(request: Request): Promise<Response> {
  const token = readToken();
  // Signed out while the page was still asking: the answer is known.
  if (!token && !WITHOUT_SESSION.includes(new URL(request.url).pathname)) throw ApiError.signedOut();
  if (token) request.headers.set('Authorization', `Bearer ${token}`);
  let response: Response;
  try {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    response = await fetch(request, { signal });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw ApiError.unreachable();
  }
  if (response.ok) return response;
  const error = await ApiError.of(response);
  if (error.status === 401 && token && error.code === 'unauthenticated') watcher?.expired(token);
  if (error.code === 'password_change_required') watcher?.passwordChangeRequired();
  throw error;
}

export const api = createClient<paths>({ baseUrl: '/', cache: 'no-store', credentials: 'same-origin', fetch: send });

/** The body of a success; failures have become exceptions before. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
