import {
  Alert,
  Anchor,
  Button,
  Group,
  Modal,
  NumberInput,
  Paper,
  Progress,
  Select,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { asApiError } from '../../api/error';
import type { FleetRotation } from '../../api/types';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dot } from '../../ui/Dot';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { Time } from '../../ui/Time';
import { FLEET_STATES, fleetQuery, isCurrent, sharesOf, useFleetActions } from './fleet';

/** How the rotation of the fleet gets on that runs, or how the last one ended; nothing when there is none to speak of. */
export function FleetProgress() {
  const rotation = useQuery(fleetQuery);
  const [aside, setAside] = useState<string | null>(null);
  const [stopping, setStopping] = useState(false);
  const of = rotation.data;
  if (rotation.error) return <Failure error={rotation.error} retry={() => void rotation.refetch()} />;
  if (!of || of.id === aside || !isCurrent(of, Date.now())) return null;
  const running = of.state === 'running';
  const { tone, text } = FLEET_STATES[of.state] ?? { tone: 'idle' as const, text: of.state };
  return (
    <Paper component="section" aria-labelledby="fleet-title" mb="md">
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Group gap="sm">
            <Title order={2} id="fleet-title">
              New keys for {WHO[of.kind ?? 'all'] ?? 'all components'}
            </Title>
            <div role="status">
              <Dot tone={tone}>{text}</Dot>
            </div>
          </Group>
          {running ? (
            <Button size="xs" variant="light" color="red" onClick={() => setStopping(true)}>
              Stop
            </Button>
          ) : (
            <Button size="xs" variant="default" onClick={() => setAside(of.id)}>
              Put aside
            </Button>
          )}
        </Group>
        <Shares of={of} />
        {of.reason && (
          <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title="Why it stopped">
            <Text size="sm">
              <bdi>{of.reason}</bdi>. Nobody else is asked. Look into{' '}
              <Anchor component={Link} to="?status=offline" size="sm" underline="always">
                those that are offline
              </Anchor>{' '}
              before you begin again.
            </Text>
          </Alert>
        )}
        <Text size="xs" c="dimmed">
          Begun by <bdi>{of.started_by}</bdi> <Time at={of.started_at} as="ago" />
          {of.ended_at && (
            <>
              , ended <Time at={of.ended_at} as="ago" />
            </>
          )}
          . It stops by itself when more than {of.max_refused_percent} % of those asked are lost.
        </Text>
      </Stack>
      {stopping && <StopDialog of={of} onClose={() => setStopping(false)} />}
    </Paper>
  );
}

const WHO: Record<string, string> = { all: 'all components', agent: 'all agents', collector: 'all collectors' };

/** The bar, and the same in words. */
function Shares({ of }: { of: FleetRotation }) {
  const { all, rotated, lost, underWay } = sharesOf(of);
  const percent = (count: number) => (all > 0 ? (100 * count) / all : 0);
  const words = [
    `${rotated.toLocaleString()} of ${all.toLocaleString()} use their new keys`,
    `${underWay.toLocaleString()} asked and not done yet`,
    `${lost.toLocaleString()} lost`,
  ].join(', ');
  return (
    <div>
      <Progress.Root size="md" mb={6} aria-hidden>
        <Progress.Section value={percent(rotated)} color="var(--app-good)" />
        <Progress.Section value={percent(lost)} color="var(--app-bad)" />
        <Progress.Section value={percent(underWay)} color="var(--app-idle)" />
      </Progress.Root>
      <Text size="sm">{words}.</Text>
    </div>
  );
}

function StopDialog({ of, onClose }: { of: FleetRotation; onClose: () => void }) {
  const { stop } = useFleetActions();
  return (
    <ConfirmDialog
      title="Stop rotating"
      verb="Stop"
      danger
      busy={stop.isPending}
      error={stop.error}
      onConfirm={() => stop.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    >
      Nobody else is asked for a new key.{' '}
      {of.asked === 1
        ? 'The one that was asked already goes on: its old key works until the new one is first used.'
        : `Those ${of.asked.toLocaleString()} that were asked already go on: their old keys work until the new ones are first used.`}
    </ConfirmDialog>
  );
}

/** Confirms a rotation of the fleet, and says what it may cost. */
export function FleetDialog({ onClose }: { onClose: () => void }) {
  const { start } = useFleetActions();
  const [kind, setKind] = useState('all');
  const [size, setSize] = useState<string | number>(50);
  const [percent, setPercent] = useState<string | number>(5);
  const [minutes, setMinutes] = useState<string | number>(5);
  const late = useLate(start.isPending);
  const within = (value: string | number, least: number, most: number) =>
    value !== '' && Number(value) >= least && Number(value) <= most;
  const fits = within(size, 1, 1000) && within(percent, 0, 100) && within(minutes, 1, 1440);
  const error = start.error ? asApiError(start.error) : null;
  const about = (field: string, ok: boolean, range: string) =>
    ok ? (error?.field === field ? error.message : null) : range;
  return (
    <Modal opened onClose={onClose} title="New keys for the fleet">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!fits || start.isPending) return;
          const wanted = {
            ...(kind === 'all' ? {} : { kind }),
            wave_size: Number(size),
            max_refused_percent: Number(percent),
            wave_timeout_seconds: Number(minutes) * 60,
          };
          start.mutate(wanted, { onSuccess: onClose });
        }}
      >
        <Stack gap="md">
          <Text size="sm">
            Active components are asked, wave by wave, to make themselves new keys. Nobody sees those, and an old key
            works until the new one is first used. Programs that do not rotate their keys by themselves go on as before.
          </Text>
          <Select
            label="Which components"
            data={Object.entries({ all: 'All', agent: 'Agents only', collector: 'Collectors only' }).map(
              ([value, label]) => ({ value, label }),
            )}
            value={kind}
            onChange={(value) => value && setKind(value)}
            allowDeselect={false}
            data-autofocus
          />
          <NumberInput
            label="Components a wave"
            description="The next wave begins when this one uses its new keys."
            min={1}
            max={1000}
            allowDecimal={false}
            clampBehavior="none"
            value={size}
            onChange={setSize}
            error={about('wave_size', within(size, 1, 1000), 'From 1 to 1,000.')}
          />
          <NumberInput
            label="Minutes to wait for a wave"
            description="After that the next one begins in any case."
            min={1}
            max={1440}
            allowDecimal={false}
            clampBehavior="none"
            value={minutes}
            onChange={setMinutes}
            error={about('wave_timeout_seconds', within(minutes, 1, 1440), 'From 1 minute to 1,440, which is a day.')}
          />
          <NumberInput
            label="Lost components to put up with, in %"
            description="When more of those asked go silent or are refused, it stops by itself."
            min={0}
            max={100}
            allowDecimal={false}
            clampBehavior="none"
            value={percent}
            onChange={setPercent}
            error={about('max_refused_percent', within(percent, 0, 100), 'From 0 to 100.')}
          />
          {!error?.field && <Failure error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={late} disabled={!fits}>
              Rotate the keys
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
