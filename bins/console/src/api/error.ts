/** What went wrong, in the words of the server or, where it gave none, in ours. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** 0 when no answer came at all. */
    readonly status: number,
    /** A stable word, such as `name_taken`. */
    readonly code: string,
    /** One sentence that a person can act on. */
    message: string,
    /** Names the request in the server's logs and audit entries. */
    readonly requestId: string | null = null,
    /** Which field of the request is meant. */
    readonly field: string | null = null,
    /** How many seconds to wait, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  static unreachable(): ApiError {
    return new ApiError(0, 'unreachable', 'The server cannot be reached. Check the connection and try again.');
  }

  static signedOut(): ApiError {
    return new ApiError(401, 'unauthenticated', 'You are signed out. Sign in again.');
  }

  static async of(response: Response): Promise<ApiError> {
    const body: unknown = await response.json().catch(() => null);
    const field = (name: string): string | null => {
      const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : null;
      return typeof value === 'string' && value !== '' ? value : null;
    };
    return new ApiError(
      response.status,
      field('error') ?? 'unknown',
      field('message') ?? `The server answered with status ${response.status}. Try again later.`,
      field('request_id') ?? response.headers.get('X-Request-Id'),
      field('field'),
      retryAfter(response.headers.get('Retry-After')),
    );
  }

  /** Whether the same request may well succeed a little later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** Whole seconds only, as this server sends them. */
export function retryAfter(value: string | null): number | null {
  return value !== null && /^[0-9]{1,6}$/.test(value.trim()) ? Number(value) : null;
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'unexpected', 'Something went wrong in this page. Reload it and try again.');
}
