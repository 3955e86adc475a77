import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/error';

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => error instanceof ApiError && error.isPassing && failures < 2,
        retryDelay: (attempt) => 500 * 2 ** attempt,
      },
      // What is sent to change something is never sent twice on its own.
      mutations: { retry: false, gcTime: 0 },
    },
  });
}
