import { Anchor, Group, Paper, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconChevronRight, IconCircleCheck } from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Link } from 'react-router';
import { auditStats } from '../../api/audit';
import { api, body } from '../../api/client';
import type { ComponentStatus } from '../../api/types';
import { countsByDay, daysBetween, startOfDay } from '../../lib/days';
import { useMay } from '../../session/session';
import { Dot } from '../../ui/Dot';
import { Failure } from '../../ui/Failure';
import { Page } from '../../ui/Page';
import { COUNTS } from '../components/actions';
import { STATUSES, Status } from '../components/status';
import { requestsQuery, waiting } from '../enrollment/actions';
import { type Concern, concernsOf } from './concerns';

const DayChart = lazy(() => import('../../ui/DayChart'));

/** What the chart looks back on. */
const DAYS = 14;

export function Component() {
  const { administer, operate } = useMay();
  const requests = useQuery({ ...requestsQuery, enabled: operate });
  const reenrolling = waiting(requests.data).length;
  const counts = useQueries({
    queries: STATUSES.map((status) => ({
      queryKey: [...COUNTS, status],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const page = await body(
          api.GET('/api/v1/remote-components', { params: { query: { status, limit: 1 } }, signal }),
        );
        return page.total;
      },
      refetchInterval: 15_000,
    })),
  });
  const byStatus = Object.fromEntries(STATUSES.map((status, index) => [status, counts[index]?.data])) as Record<
    ComponentStatus,
    number | undefined
  >;
  const failed = counts.find((count) => count.error && count.data === undefined);
  return (
    <Page title="Overview">
      <Stack gap="lg">
        {failed ? (
          <Failure error={failed.error} retry={() => void failed.refetch()} />
        ) : (
          <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
            {STATUSES.map((status) => (
              <Paper key={status} component={Link} to={`/settings/components?status=${status}`} className="tile">
                <Status of={{ status }} />
                <span className="figure">
                  {byStatus[status] === undefined ? (
                    <Skeleton height={31} width={60} />
                  ) : (
                    byStatus[status].toLocaleString()
                  )}
                </span>
                <Text size="xs" c="dimmed">
                  {byStatus[status] === 1 ? 'component' : 'components'}
                </Text>
              </Paper>
            ))}
          </SimpleGrid>
        )}
        {administer ? (
          <ForAdministrators byStatus={byStatus} reenrolling={reenrolling} />
        ) : (
          <Attention concerns={concernsOf(byStatus, null, false, reenrolling)} />
        )}
      </Stack>
    </Page>
  );
}

interface ForAdministratorsProps {
  byStatus: Record<ComponentStatus, number | undefined>;
  reenrolling: number;
}

function ForAdministrators({ byStatus, reenrolling }: ForAdministratorsProps) {
  const now = Date.now();
  const from = startOfDay(DAYS - 1, now);
  const live = { refetchInterval: 60_000 };
  const [signIns, failures, denials] = useQueries({
    queries: [
      { ...auditStats({ from, action: 'session.sign_in', outcome: 'success' }), ...live },
      { ...auditStats({ from, action: 'session.sign_in', outcome: 'failure' }), ...live },
      { ...auditStats({ from, outcome: 'denied' }), ...live },
    ],
  });
  // By whole minutes, so that the question stays the same while one reads.
  const dayAgo = new Date(Math.floor((now - 86_400_000) / 60_000) * 60_000).toISOString();
  const lately = useQuery({ ...auditStats({ from: dayAgo }), ...live, placeholderData: (before) => before });
  const error = signIns.error ?? failures.error ?? denials.error;
  const ready = signIns.data && failures.data && denials.data;
  return (
    <>
      <Attention
        concerns={lately.data ? concernsOf(byStatus, lately.data, true, reenrolling) : null}
        error={lately.error}
      />
      <Paper p="md" className="tile" component="section" aria-labelledby="chart-title">
        <Group justify="space-between" mb="sm">
          <Title order={2} id="chart-title">
            Sign-ins and refusals
          </Title>
          <Text size="xs" c="dimmed">
            {DAYS} days, by UTC day
          </Text>
        </Group>
        <div className="chart-box">
          {error ? (
            <Failure error={error} />
          ) : ready ? (
            <Suspense fallback={<Skeleton height={220} />}>
              <DayChart
                label={`Sign-ins and refusals in the last ${DAYS} days`}
                days={daysBetween(Date.parse(from), now, DAYS)}
                series={[
                  { id: 'ok', label: 'Sign-ins', color: 'tide.6', counts: countsByDay(signIns.data) },
                  { id: 'failed', label: 'Failed sign-ins', color: 'yellow.6', counts: countsByDay(failures.data) },
                  { id: 'denied', label: 'Refusals', color: 'red.6', counts: countsByDay(denials.data) },
                ]}
              />
            </Suspense>
          ) : (
            <Skeleton height={220} />
          )}
        </div>
      </Paper>
    </>
  );
}

function Attention({ concerns, error }: { concerns: Concern[] | null; error?: unknown }) {
  return (
    <Paper p={0} className="tile" component="section" aria-labelledby="attention-title">
      <Title order={2} id="attention-title" px="md" pt="md" pb="xs">
        Needs attention
      </Title>
      <div className="rows">
        {error ? (
          <div className="row">
            <Failure error={error} />
          </div>
        ) : concerns === null ? (
          <div className="row">
            <Skeleton height={14} width="40%" my={4} />
          </div>
        ) : concerns.length === 0 ? (
          <div className="row">
            <IconCircleCheck size={18} color="var(--app-good)" aria-hidden />
            <Text size="sm">Nothing needs you at the moment.</Text>
          </div>
        ) : (
          concerns.map(({ tone, text, to, why }) => (
            <div key={to} className="row">
              <div style={{ flex: 1 }}>
                <Dot tone={tone}>
                  <span style={{ whiteSpace: 'normal' }}>{text}</span>
                </Dot>
                <Text size="xs" c="dimmed" pl={15}>
                  {why}
                </Text>
              </div>
              <Anchor component={Link} to={to} size="sm" aria-label={`Show: ${text}`} className="look">
                Show <IconChevronRight size={14} aria-hidden />
              </Anchor>
            </div>
          ))
        )}
      </div>
    </Paper>
  );
}
