import { Button, Group, Loader, Paper, Skeleton, Table, Text, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react';
import {
  columnVisibilityFeature,
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { CursorList } from '../api/cursorList';

export interface Column<T> {
  id: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** What the column sorts by; a column without it is not sorted. */
  sortBy?: (row: T) => string | number | undefined;
  /** Of the table, such as `20%`, or fixed, such as `96px`. */
  width?: string;
  /** Whether it is on show where there is little room. */
  phone?: boolean;
  /** For a column of buttons: its header is for screen readers only. */
  quiet?: boolean;
}

export interface Sort {
  id: string;
  desc: boolean;
}

const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic },
});

interface Props<T> {
  /** What the rows are, for screen readers. */
  label: string;
  list: CursorList<T>;
  columns: Column<T>[];
  rowId: (row: T) => string;
  sort?: Sort | null;
  onSort?: (sort: Sort | null) => void;
  /** The order in which the server gives the rows. */
  serverSort?: Sort;
  /** Told which rows are on show. */
  onVisible?: (from: number, to: number) => void;
  /** A click anywhere on a row; the same must be possible by a link or button in it. */
  onOpen?: (row: T) => void;
  /** Only some of the loaded rows. */
  filter?: ((row: T) => boolean) | undefined;
  empty: ReactNode;
}

const ROW_HEIGHT = 41;

/** A long list: rows come as one scrolls, and only those on show are in the page. */
export function DataTable<T extends object>({
  label,
  list,
  columns,
  rowId,
  sort = null,
  onSort,
  serverSort,
  onVisible,
  onOpen,
  filter,
  empty,
}: Props<T>) {
  const narrow = useMediaQuery('(max-width: 48em)', window.matchMedia('(max-width: 48em)').matches);
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);

  // Part of a list cannot be sorted: until all of it is here it stays in the server's order.
  const asServer = sort === null || (serverSort?.id === sort.id && serverSort.desc === sort.desc);
  const waiting = !asServer && list.hasMore;
  const sorting = useMemo(() => (asServer || waiting || !sort ? [] : [sort]), [asServer, waiting, sort]);
  const rows = useMemo(() => (filter ? list.rows.filter(filter) : list.rows), [list.rows, filter]);

  const definitions = useMemo(() => {
    const helper = createColumnHelper<typeof features, object>();
    return helper.columns(
      columns.map((column) =>
        helper.accessor((row) => column.sortBy?.(row as T), {
          id: column.id,
          enableSorting: column.sortBy !== undefined,
          sortUndefined: 'last',
        }),
      ),
    );
  }, [columns]);
  const visibility = useMemo(
    () => Object.fromEntries(columns.map((column) => [column.id, !narrow || (column.phone ?? false)])),
    [columns, narrow],
  );
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: (row) => rowId(row as T),
    state: { sorting, columnVisibility: visibility },
  });
  const shown = table.getRowModel().rows;
  const visible = useMemo(() => columns.filter((column) => visibility[column.id]), [columns, visibility]);

  useLayoutEffect(() => {
    setTop((before) => {
      const now = (body.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
      return Math.abs(now - before) > 1 ? now : before;
    });
  });
  const virtualizer = useWindowVirtualizer({
    count: shown.length,
    estimateSize: () => (narrow ? 58 : ROW_HEIGHT),
    overscan: 8,
    scrollMargin: top,
    getItemKey: (index) => shown[index]?.id ?? index,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);
  const before = first ? first.start - top : 0;
  const after = last ? virtualizer.getTotalSize() + top - last.end : 0;

  const { loadMore } = list;
  const nearEnd = last !== undefined && last.index >= shown.length - 40;
  useEffect(() => {
    if (nearEnd) loadMore();
  }, [nearEnd, loadMore]);

  const from = first?.index ?? 0;
  const to = last?.index ?? 0;
  useEffect(() => onVisible?.(from, to), [from, to, onVisible]);

  if (list.pending) return <TableSkeleton columns={visible.length} />;
  if (shown.length === 0 && !list.hasMore && !list.stale) return empty;

  const toggle = (id: string) => {
    if (sort?.id !== id) onSort?.({ id, desc: false });
    else if (!sort.desc) onSort?.({ id, desc: true });
    else onSort?.(null);
  };
  const effective = sort ?? serverSort ?? null;

  return (
    <Paper p={0} className="table-frame" data-stale={list.stale || undefined}>
      <Table aria-label={label} aria-rowcount={list.total + 1} layout="fixed" className="data-table">
        <colgroup>
          {visible.map((column) => (
            <col key={column.id} {...(column.width ? { style: { width: column.width } } : {})} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {visible.map((column) => {
              const direction = effective?.id === column.id ? (effective.desc ? 'descending' : 'ascending') : 'none';
              const sortable = column.sortBy !== undefined && onSort !== undefined;
              return (
                <th key={column.id} scope="col" {...(sortable ? { 'aria-sort': direction } : {})}>
                  {sortable ? (
                    <UnstyledButton className="sort" onClick={() => toggle(column.id)}>
                      {column.header}
                      {direction === 'none' ? (
                        <IconArrowsSort size={13} className="sort-idle" aria-hidden />
                      ) : direction === 'ascending' ? (
                        <IconArrowUp size={13} aria-hidden />
                      ) : (
                        <IconArrowDown size={13} aria-hidden />
                      )}
                    </UnstyledButton>
                  ) : column.quiet ? (
                    <span className="for-screen-readers">{column.header}</span>
                  ) : (
                    column.header
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody ref={body}>
          {before > 0 && <Gap height={before} columns={visible.length} />}
          {items.map((item) => {
            const row = shown[item.index];
            if (!row) return null;
            return (
              <Row
                key={row.id}
                of={row.original as T}
                index={item.index}
                columns={visible}
                measure={virtualizer.measureElement}
                onOpen={onOpen}
              />
            );
          })}
          {after > 0 && <Gap height={after} columns={visible.length} />}
        </tbody>
      </Table>
      <Group className="table-foot" justify="space-between" gap="xs">
        <Text size="xs" c="dimmed" role="status">
          {waiting
            ? `To sort, all ${list.total.toLocaleString()} are loaded first: ${list.rows.length.toLocaleString()} so far.`
            : filter
              ? `${shown.length.toLocaleString()} of ${list.total.toLocaleString()}`
              : list.hasMore
                ? `${list.rows.length.toLocaleString()} of ${list.total.toLocaleString()} loaded`
                : `${list.total.toLocaleString()} in all`}
        </Text>
        {list.loadingMore && <Loader size={14} className="late" aria-label="Loading more" />}
        {list.hasMore && !list.loadingMore && (
          <Button size="compact-xs" variant="subtle" onClick={list.loadMore}>
            Load more
          </Button>
        )}
      </Group>
    </Paper>
  );
}

interface RowProps<T> {
  of: T;
  index: number;
  columns: Column<T>[];
  measure: (element: HTMLTableRowElement | null) => void;
  onOpen: ((row: T) => void) | undefined;
}

/** Remembered as long as it is of the same data: scrolling makes only those rows that come into view. */
const Row = memo(function Row<T>({ of, index, columns, measure, onOpen }: RowProps<T>) {
  return (
    // The link in the row does the same, for the keyboard.
    <tr
      ref={measure}
      data-index={index}
      aria-rowindex={index + 2}
      data-openable={onOpen ? true : undefined}
      onClick={(event) => {
        const target = event.target as HTMLElement;
        const handled = target.closest('a, button, input, [role="menu"], [role="dialog"]');
        if (!handled && event.currentTarget.contains(target) && !window.getSelection()?.toString()) onOpen?.(of);
      }}
    >
      {columns.map((column) => (
        <td key={column.id}>{column.cell(of)}</td>
      ))}
    </tr>
  );
}) as <T>(props: RowProps<T>) => ReactNode;

function Gap({ height, columns }: { height: number; columns: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus.
    <tr aria-hidden="true" className="gap">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

/** As high as a screen of rows, so that nothing jumps when they come. */
export function TableSkeleton({ columns = 5, rows = 12 }: { columns?: number; rows?: number }) {
  return (
    <Paper p={0} aria-busy="true" className="table-frame">
      <span className="for-screen-readers" role="status">
        Loading
      </span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike.
        <Group key={row} h={ROW_HEIGHT} px="sm" gap="lg" wrap="nowrap" className="skeleton-row">
          {Array.from({ length: columns }, (_, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike.
            <Skeleton key={column} height={10} width={`${30 + ((row * 7 + column * 13) % 5) * 10}%`} />
          ))}
        </Group>
      ))}
    </Paper>
  );
}
