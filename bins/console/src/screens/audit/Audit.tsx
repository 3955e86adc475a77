import { ActionIcon, Button, Group, Paper, Select, Skeleton, Text, TextInput, Title, Tooltip } from '@mantine/core';
import { IconDownload, IconHistory, IconRefresh } from '@tabler/icons-react';
import { useQueries } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { auditStats } from '../../api/audit';
import { api, body } from '../../api/client';
import { PAGE_SIZE, useCursorList } from '../../api/cursorList';
import type { AuditEntry } from '../../api/types';
import { countsByDay, daysBetween } from '../../lib/days';
import { useUrlState } from '../../lib/urlState';
import { type Column, DataTable } from '../../ui/DataTable';
import { Failure } from '../../ui/Failure';
import { Nothing } from '../../ui/Nothing';
import { Page } from '../../ui/Page';
import { SearchField } from '../../ui/SearchField';
import { Time } from '../../ui/Time';
import { ACTIONS, actionChoices, actionName, OUTCOME_NAMES, OUTCOMES, RESOURCE_NAMES, RESOURCES } from './actions';
import { EntryDrawer } from './EntryDrawer';
import { RANGE_NAMES, RANGES, readWanted, toFilter } from './filter';
import { Outcome } from './Outcome';

const DayChart = lazy(() => import('../../ui/DayChart'));
const ExportDialog = lazy(() => import('./ExportDialog'));

/** More days than this are too thin to read. */
const MOST_DAYS = 60;
const COLORS = { success: 'tide.6', failure: 'yellow.6', denied: 'red.6' } as const;

/** For a field of the browser: local, to the minute. */
function toField(time: string | null): string {
  if (!time) return '';
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function fromField(text: string): string | null {
  const at = new Date(text);
  return text && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

export function Component() {
  const { search, change } = useUrlState();
  const wanted = useMemo(() => readWanted(search), [search]);
  const [now, setNow] = useState(Date.now);
  const [exporting, setExporting] = useState(false);
  const filterText = JSON.stringify(toFilter(wanted, now));
  const filter = useMemo(() => JSON.parse(filterText) as ReturnType<typeof toFilter>, [filterText]);
  const open = Number(search.get('entry') ?? Number.NaN);

  const key = useMemo(() => ['audit', 'list', filter], [filter]);
  const fetchPage = useCallback(
    (cursor: string | undefined, signal: AbortSignal) =>
      body(
        api.GET('/api/v1/audit-logs', {
          params: { query: { ...filter, limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    [filter],
  );
  const list = useCursorList<AuditEntry>({ key, fetch: fetchPage });
  const columns = useMemo(() => {
    const href = (seq: number) => {
      const params = new URLSearchParams(search);
      params.set('entry', String(seq));
      return `?${params}`;
    };
    return columnsFor(href);
  }, [search]);
  const openEntry = useCallback((row: AuditEntry) => change({ entry: String(row.seq) }), [change]);
  const none = {
    user: null,
    action: null,
    outcome: null,
    resource: null,
    resource_id: null,
    q: null,
    range: null,
    from: null,
    until: null,
  };
  const filtered = [...search.keys()].some((name) => name in none);

  return (
    <Page
      title="Audit log"
      lead="Every security event: who did what, on what, when and from where. Nothing in it can be changed."
      actions={
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => setExporting(true)}
          disabled={list.pending}
        >
          Export
        </Button>
      }
    >
      <div className="filters">
        <SearchField
          label="Search in names and details"
          value={wanted.q}
          onChange={(q) => change({ q }, { replace: true })}
        />
        <Select
          aria-label="Time"
          w={165}
          data={RANGES.map((value) => ({ value, label: RANGE_NAMES[value] }))}
          value={wanted.range}
          allowDeselect={false}
          onChange={(range) => {
            setNow(Date.now());
            change({ range, from: null, until: null });
          }}
        />
        {wanted.range === 'custom' && (
          <>
            <TextInput
              type="datetime-local"
              aria-label="From"
              value={toField(wanted.from)}
              onChange={(event) => change({ from: fromField(event.currentTarget.value) }, { replace: true })}
            />
            <TextInput
              type="datetime-local"
              aria-label="Until"
              value={toField(wanted.until)}
              onChange={(event) => change({ until: fromField(event.currentTarget.value) }, { replace: true })}
            />
          </>
        )}
        <Select
          aria-label="Action"
          placeholder="Any action"
          w={210}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': 'Any action' }}
          nothingFoundMessage="No such action"
          comboboxProps={{ width: 280, position: 'bottom-start' }}
          data={actionChoices()}
          value={wanted.action && wanted.action in ACTIONS ? wanted.action : null}
          onChange={(action) => change({ action })}
        />
        <Select
          aria-label="Outcome"
          placeholder="Any outcome"
          w={140}
          clearable
          clearButtonProps={{ 'aria-label': 'Any outcome' }}
          data={OUTCOMES.map((value) => ({ value, label: OUTCOME_NAMES[value] ?? value }))}
          value={wanted.outcome}
          onChange={(outcome) => change({ outcome })}
        />
        <Select
          aria-label="On what"
          placeholder="On anything"
          w={150}
          clearable
          clearButtonProps={{ 'aria-label': 'On anything' }}
          data={RESOURCES.map((value) => ({ value, label: RESOURCE_NAMES[value] ?? value }))}
          value={wanted.resource}
          onChange={(resource) => change({ resource, resource_id: null })}
        />
        <TextInput
          aria-label="By user"
          placeholder="By user"
          w={140}
          maxLength={128}
          key={wanted.user}
          defaultValue={wanted.user}
          onBlur={(event) => change({ user: event.currentTarget.value.trim() })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') change({ user: event.currentTarget.value.trim() });
          }}
        />
        <Tooltip label="Load again">
          <ActionIcon
            size={36}
            variant="default"
            aria-label="Load again"
            onClick={() => {
              setNow(Date.now());
              list.refresh();
            }}
          >
            <IconRefresh size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      {(filtered || wanted.resourceId) && (
        <Group gap="xs" mb="sm">
          {wanted.resourceId && (
            <Text size="xs" c="dimmed">
              Only about <span className="mono">{wanted.resourceId}</span>
            </Text>
          )}
          <Button size="compact-xs" variant="subtle" onClick={() => change(none)}>
            Take the filters off
          </Button>
        </Group>
      )}
      <Chart filter={filter} outcome={wanted.outcome} now={now} oldest={list.rows.at(-1)?.at} />
      {list.error && list.rows.length === 0 ? (
        <Failure error={list.error} retry={list.retry} />
      ) : (
        <DataTable
          label="Audit log, the newest first"
          list={list}
          columns={columns}
          rowId={(row) => String(row.seq)}
          onOpen={openEntry}
          empty={
            <Nothing
              icon={<IconHistory aria-hidden />}
              title="No entry matches"
              hint="Choose a longer time, or take the filters off."
              action={
                <Button variant="default" onClick={() => change({ ...none, range: 'all' })}>
                  Show everything
                </Button>
              }
            />
          }
        />
      )}
      {Number.isSafeInteger(open) && !list.pending && (
        <EntryDrawer
          seq={open}
          entry={list.rows.find((row) => row.seq === open)}
          onClose={() => change({ entry: null })}
        />
      )}
      {exporting && (
        <Suspense fallback={null}>
          <ExportDialog filter={filter} total={list.total} onClose={() => setExporting(false)} />
        </Suspense>
      )}
    </Page>
  );
}

interface ChartProps {
  filter: ReturnType<typeof toFilter>;
  outcome: string | null;
  now: number;
  oldest: string | undefined;
}

/** How the entries that match spread over the days. */
function Chart({ filter, outcome, now, oldest }: ChartProps) {
  const shown = OUTCOMES.filter((one) => outcome === null || one === outcome);
  const stats = useQueries({
    queries: shown.map((one) => ({
      ...auditStats({ ...filter, outcome: one }),
      placeholderData: (before: unknown) => before as never,
    })),
  });
  const error = stats.find((query) => query.error)?.error;
  const ready = stats.every((query) => query.data);
  const until = filter.until ? Date.parse(filter.until) : now;
  const firstDay = stats
    .flatMap((query) => query.data?.by_day.map(({ day }) => Date.parse(day)) ?? [])
    .reduce((first, day) => Math.min(first, day), oldest ? Date.parse(oldest) : until);
  const days = daysBetween(filter.from ? Date.parse(filter.from) : firstDay, until, MOST_DAYS);
  return (
    <Paper p="md" mb="md" className="tile" component="section" aria-labelledby="audit-chart">
      <Group justify="space-between" mb="xs">
        <Title order={2} id="audit-chart">
          By day and outcome
        </Title>
        <Text size="xs" c="dimmed">
          UTC days
        </Text>
      </Group>
      <div className="chart-box">
        {error ? (
          <Failure error={error} />
        ) : ready ? (
          <Suspense fallback={<Skeleton height={220} />}>
            <DayChart
              label="Entries by day and outcome"
              days={days}
              series={shown.map((one, index) => ({
                id: one,
                label: OUTCOME_NAMES[one] ?? one,
                color: COLORS[one],
                counts: countsByDay(stats[index]?.data),
              }))}
            />
          </Suspense>
        ) : (
          <Skeleton height={220} />
        )}
      </div>
    </Paper>
  );
}

function columnsFor(href: (seq: number) => string): Column<AuditEntry>[] {
  return [
    {
      id: 'at',
      header: 'When',
      width: '205px',
      cell: (row) => <Time at={row.at} as="exact" />,
    },
    {
      id: 'action',
      header: 'What',
      phone: true,
      cell: (row) => (
        <>
          <Link to={href(row.seq)} preventScrollReset className="cell-main cell-link">
            {actionName(row.action)}
          </Link>
          <span className="cell-sub phone-only">
            <bdi>{row.actor.name || 'anonymous'}</bdi>
            {' · '}
            <Time at={row.at} as="ago" />
          </span>
        </>
      ),
    },
    {
      id: 'outcome',
      header: 'Outcome',
      width: '110px',
      phone: true,
      cell: (row) => <Outcome of={row.outcome} />,
    },
    {
      id: 'actor',
      header: 'Who',
      width: '17%',
      cell: (row) =>
        row.actor.name ? <bdi className="cell-main">{row.actor.name}</bdi> : <span className="faint">anonymous</span>,
    },
    {
      id: 'resource',
      header: 'On what',
      width: '20%',
      cell: (row) => (row.resource ? <bdi className="cell-main">{row.resource.name}</bdi> : null),
    },
    {
      id: 'address',
      header: 'From',
      width: '130px',
      cell: (row) => <span className="mono cell-main">{row.client_address}</span>,
    },
  ];
}
