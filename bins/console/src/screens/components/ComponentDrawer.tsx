import { Button, Code, DataList, Drawer, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { api, body } from '../../api/client';
import { ApiError, asApiError } from '../../api/error';
import type { Component } from '../../api/types';
import { useMay } from '../../session/session';
import { Dot } from '../../ui/Dot';
import { Fact } from '../../ui/Fact';
import { Failure } from '../../ui/Failure';
import { Time } from '../../ui/Time';
import { oneKey } from './actions';
import type { Dialog } from './dialogs';
import { KIND_NAMES, Status } from './status';

const ConfigDialog = lazy(() => import('./ConfigDialog'));

interface Props {
  id: string;
  onClose: () => void;
  onAct: (dialog: Dialog) => void;
}

/** One component in full. */
export function ComponentDrawer({ id, onClose, onAct }: Props) {
  const component = useQuery({
    queryKey: oneKey(id),
    queryFn: ({ signal }) => body(api.GET('/api/v1/remote-components/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 10_000,
  });
  return (
    <Drawer opened onClose={onClose} title={<bdi>{component.data?.name ?? 'Component'}</bdi>}>
      {component.error && !component.data ? (
        <Failure error={component.error} />
      ) : component.data ? (
        <Details of={component.data} onAct={onAct} />
      ) : null}
    </Drawer>
  );
}

function Details({ of, onAct }: { of: Component; onAct: (dialog: Dialog) => void }) {
  const { administer } = useMay();
  const revoked = of.status === 'revoked';
  const pending = of.status === 'pending';
  return (
    <Stack gap="lg">
      {administer && (
        <Group gap="xs">
          {pending && <Button onClick={() => onAct({ kind: 'approve', of })}>Approve</Button>}
          {revoked ? (
            <Button onClick={() => onAct({ kind: 'restore', of })}>Restore</Button>
          ) : (
            <>
              {!pending && (
                <Button variant="default" onClick={() => onAct({ kind: 'rotate', of })}>
                  Rotate key
                </Button>
              )}
              {!pending && !of.rotation_requested_at && (
                <Button variant="default" onClick={() => onAct({ kind: 'request', of })}>
                  Ask for a rotation
                </Button>
              )}
              <Button variant="default" onClick={() => onAct({ kind: 'edit', of })}>
                Edit
              </Button>
              <Button variant="light" color="red" onClick={() => onAct({ kind: 'revoke', of })}>
                Revoke
              </Button>
            </>
          )}
          <Button variant="subtle" color="red" onClick={() => onAct({ kind: 'delete', of })}>
            Delete
          </Button>
        </Group>
      )}
      <DataList withDivider labelWidth="140px">
        <Fact label="State">
          <Status of={of} />
        </Fact>
        <Fact label="Kind">{KIND_NAMES[of.kind] ?? of.kind}</Fact>
        <Fact label="Host name">{of.hostname ? <bdi className="breaks">{of.hostname}</bdi> : <None />}</Fact>
        <Fact label="Last seen">
          {of.last_seen_at ? <Time at={of.last_seen_at} as="ago" /> : <None text="Never" />}
        </Fact>
        <Fact label="From address">{of.last_seen_ip ? <span className="mono">{of.last_seen_ip}</span> : <None />}</Fact>
        <Fact label="Version">{of.version ? <bdi>{of.version}</bdi> : <None />}</Fact>
        <Fact label="Key">
          <Code>{of.key_prefix}…</Code>
        </Fact>
        <Fact label="Key made">
          <Time at={of.key_created_at} />
        </Fact>
        {of.rotation_requested_at && (
          <Fact label="Asked to rotate it">
            <Time at={of.rotation_requested_at} as="ago" />
          </Fact>
        )}
        <Fact label="Created">
          <Time at={of.created_at} />
        </Fact>
        {of.revoked_at && (
          <Fact label="Revoked">
            <Time at={of.revoked_at} />
          </Fact>
        )}
        <Fact label="Identifier">
          <span className="mono breaks">{of.id}</span>
        </Fact>
      </DataList>
      {of.kind === 'collector' && <Configuration of={of} />}
    </Stack>
  );
}

function None({ text = 'Unknown' }: { text?: string }) {
  return (
    <Text span size="sm" c="dimmed">
      {text}
    </Text>
  );
}

const REPORTS: Record<string, { tone: 'good' | 'bad' | 'warn'; text: string }> = {
  applied: { tone: 'good', text: 'Applied' },
  validation_error: { tone: 'bad', text: 'Refused as invalid' },
  rolled_back: { tone: 'warn', text: 'Rolled back' },
};

/** How the collector got on with its configuration, and the way to give it another. */
function Configuration({ of }: { of: Component }) {
  const { operate } = useMay();
  const [setting, setSetting] = useState(false);
  const report = useQuery({
    queryKey: ['components', 'report', of.id],
    queryFn: async ({ signal }) => {
      try {
        return await body(
          api.GET('/api/v1/remote-collectors/{id}/report', { params: { path: { id: of.id } }, signal }),
        );
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: 10_000,
  });
  const last = report.data;
  const outcome = last ? (REPORTS[last.status] ?? { tone: 'warn' as const, text: last.status }) : null;
  return (
    <section aria-labelledby="configuration">
      <Group justify="space-between" mb="xs">
        <Title order={2} id="configuration">
          Configuration
        </Title>
        {operate && (
          <Button size="xs" variant="default" onClick={() => setSetting(true)}>
            Set configuration
          </Button>
        )}
      </Group>
      {report.error ? (
        <Failure error={asApiError(report.error)} />
      ) : last && outcome ? (
        <DataList withDivider labelWidth="140px">
          <Fact label="Last report">
            <Dot tone={outcome.tone}>{outcome.text}</Dot>
          </Fact>
          <Fact label="Reported">
            <Time at={last.reported_at} as="ago" />
          </Fact>
          {last.message && (
            <Fact label="Message">
              <bdi className="breaks">{last.message}</bdi>
            </Fact>
          )}
          <Fact label="Of version">
            <span className="mono breaks">{last.config_hash}</span>
          </Fact>
        </DataList>
      ) : report.isPending ? null : (
        <Text size="sm" c="dimmed">
          The collector has not reported on a configuration yet.
        </Text>
      )}
      {setting && (
        <Suspense fallback={null}>
          <ConfigDialog of={of} onClose={() => setSetting(false)} />
        </Suspense>
      )}
    </section>
  );
}
