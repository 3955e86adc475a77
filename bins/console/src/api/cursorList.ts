import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  type QueryKey,
  useInfiniteQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useEffect, useMemo } from 'react';

/** A page as every list of the API has it. */
export interface ListPage<T> {
  items: T[];
  next_cursor?: string | null;
  total: number;
}

type Fetch<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<ListPage<T>>;
type Pages<T> = InfiniteData<ListPage<T>, string | undefined>;

/** The largest page the API gives: what is scrolled over should arrive in few requests. */
export const PAGE_SIZE = 200;

export interface CursorList<T> {
  rows: T[];
  total: number;
  /** Whether the rows on show answer an earlier question, while the answer to this one is on its way. */
  stale: boolean;
  pending: boolean;
  error: unknown;
  retry: () => void;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
  /** Asks again for the pages that hold these rows; updates what is known, adds and removes nothing. */
  refreshRows: (from: number, to: number) => Promise<void>;
  /** Asks again for everything that was loaded. */
  refresh: () => void;
  refreshing: boolean;
}

interface Options<T> {
  key: QueryKey;
  fetch: Fetch<T>;
  /** Loads every page, for what cannot be done with some: sorting, or filtering where the API has no filter. */
  all?: boolean;
  enabled?: boolean;
}

type Identified = { id: string } | { seq: number };

export function useCursorList<T extends Identified>({
  key,
  fetch,
  all = false,
  enabled = true,
}: Options<T>): CursorList<T> {
  const queries = useQueryClient();
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => fetch(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: ListPage<T>) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
    // A long list is not fetched anew only because somebody came back to the window.
    refetchOnWindowFocus: ({ state }) => ((state.data as Pages<T> | undefined)?.pages.length ?? 0) <= 2,
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, isFetching, isPlaceholderData, isError } = query;

  useEffect(() => {
    if (all && hasNextPage && !isFetching && !isPlaceholderData && !isError) void fetchNextPage();
  }, [all, hasNextPage, isFetching, isPlaceholderData, isError, fetchNextPage]);

  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);

  const refreshRows = useCallback(
    async (from: number, to: number) => {
      const present = queries.getQueryData<Pages<T>>(key);
      if (!present || queries.isFetching({ queryKey: key }) > 0) return;
      let start = 0;
      for (const [index, page] of present.pages.entries()) {
        const end = start + page.items.length;
        if (start <= to && end > from) {
          const fresh = await fetch(present.pageParams[index], AbortSignal.timeout(10_000));
          const byId = new Map(fresh.items.map((item) => [idOf(item), item]));
          patchList<T>(queries, key, (row: T) => byId.get(idOf(row)) ?? row, fresh.total);
        }
        start = end;
      }
    },
    [queries, key, fetch],
  );

  return {
    rows,
    total: data?.pages.at(-1)?.total ?? 0,
    stale: isPlaceholderData,
    pending: query.isPending,
    error: query.error,
    retry: () => void query.refetch(),
    hasMore: hasNextPage,
    loadingMore: isFetchingNextPage,
    loadMore: useCallback(() => {
      if (hasNextPage && !isFetching && !isError) void fetchNextPage();
    }, [hasNextPage, isFetching, isError, fetchNextPage]),
    refreshRows,
    refresh: () => void query.refetch(),
    refreshing: query.isRefetching && !isFetchingNextPage,
  };
}

function idOf(row: Identified): string | number {
  return 'id' in row ? row.id : row.seq;
}

/** Changes rows of a list where they are; a row that becomes `null` goes. */
export function patchList<T>(queries: QueryClient, key: QueryKey, change: (row: T) => T | null, total?: number): void {
  queries.setQueriesData<Pages<T>>({ queryKey: key }, (data) => {
    if (!data || !('pages' in data)) return data;
    let gone = 0;
    const pages = data.pages.map((page) => {
      const items = page.items.flatMap((row) => change(row) ?? []);
      gone += page.items.length - items.length;
      return { ...page, items };
    });
    return { ...data, pages: pages.map((page) => ({ ...page, total: total ?? page.total - gone })) };
  });
}
