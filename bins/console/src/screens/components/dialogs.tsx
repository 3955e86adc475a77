import { Button, Code, Group, Modal, NumberInput, Radio, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { asApiError } from '../../api/error';
import type { Component } from '../../api/types';
import { agentConfig, installSteps, replaceKeySteps } from '../../lib/install';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { SecretDialog } from '../../ui/SecretDialog';
import type { ComponentActions, WithKey } from './actions';
import { FleetDialog } from './FleetRotation';

export type Dialog =
  | { kind: 'create' }
  | { kind: 'fleet' }
  | { kind: 'edit' | 'rotate' | 'request' | 'restore' | 'revoke' | 'approve' | 'delete'; of: Component };

interface Props {
  dialog: Dialog | null;
  actions: ComponentActions;
  onClose: () => void;
  onDeleted: () => void;
}

/** The dialog that is open, if one is. */
export function Dialogs({ dialog, actions, onClose, onDeleted }: Props) {
  if (!dialog) return null;
  if (dialog.kind === 'create') return <FormDialog actions={actions} onClose={onClose} />;
  if (dialog.kind === 'fleet') return <FleetDialog onClose={onClose} />;
  const { of } = dialog;
  const { id, name } = of;
  switch (dialog.kind) {
    case 'edit':
      return <FormDialog of={of} actions={actions} onClose={onClose} />;
    case 'rotate':
      return <RotateDialog of={of} actions={actions} onClose={onClose} />;
    case 'request':
      return (
        <ConfirmDialog
          title="Ask for a rotation"
          verb="Ask"
          busy={actions.request.isPending}
          error={actions.request.error}
          onConfirm={() => actions.request.mutate(id, { onSuccess: onClose })}
          onClose={onClose}
        >
          The next time <bdi className="strong">{name}</bdi> reports, it is asked to make itself a new key. Nobody sees
          that, and the key it has works until the new one is first used. A program that does not rotate its key by
          itself goes on as before: rotate its key here, and take it there.
        </ConfirmDialog>
      );
    case 'restore':
      return (
        <ConfirmDialog
          title="Restore component"
          verb="Restore with a new key"
          busy={actions.restore.isPending}
          error={actions.restore.error}
          onConfirm={() => actions.restore.mutate(id, { onSuccess: onClose })}
          onClose={onClose}
        >
          <bdi className="strong">{name}</bdi> is let in again and gets a new key. The keys it had before stay dead.
        </ConfirmDialog>
      );
    case 'revoke':
      return (
        <ConfirmDialog
          title="Revoke component"
          verb="Revoke"
          type={name}
          danger
          busy={actions.revoke.isPending}
          error={actions.revoke.error}
          onConfirm={() => actions.revoke.mutate(id, { onSuccess: onClose })}
          onClose={onClose}
        >
          Every key of <bdi className="strong">{name}</bdi> is dead at once: its next request is refused. You can
          restore it later, with a new key.
        </ConfirmDialog>
      );
    case 'approve':
      return (
        <ConfirmDialog
          title="Approve component"
          verb="Approve"
          busy={actions.approve.isPending}
          error={actions.approve.error}
          onConfirm={() => actions.approve.mutate(id, { onSuccess: onClose })}
          onClose={onClose}
        >
          <bdi className="strong">{name}</bdi> registered itself
          {of.hostname && (
            <>
              {' '}
              from the host <bdi className="strong">{of.hostname}</bdi>
            </>
          )}
          . Approve it only if you know that it is yours: its key works from then on.
        </ConfirmDialog>
      );
    case 'delete':
      return (
        <ConfirmDialog
          title="Delete component"
          verb="Delete"
          type={name}
          danger
          busy={actions.remove.isPending}
          error={actions.remove.error}
          onConfirm={() => actions.remove.mutate(id, { onSuccess: onDeleted })}
          onClose={onClose}
        >
          <bdi className="strong">{name}</bdi>, its keys and its configuration are deleted. This cannot be undone. What
          the audit log says about it stays.
        </ConfirmDialog>
      );
  }
}

function FormDialog({ of, actions, onClose }: { of?: Component; actions: ComponentActions; onClose: () => void }) {
  const [name, setName] = useState(of?.name ?? '');
  const [hostname, setHostname] = useState(of?.hostname ?? '');
  const [kind, setKind] = useState(of?.kind ?? 'agent');
  const action = of ? actions.update : actions.create;
  const late = useLate(action.isPending);
  const error = action.error ? asApiError(action.error) : null;
  const about = (field: string) => (error?.field === field ? error.message : null);
  const aboutName = about('name') ?? (error?.code === 'name_taken' ? error.message : null);
  const submit = () => {
    if (action.isPending) return;
    const host = hostname.trim();
    if (of) actions.update.mutate({ id: of.id, name, hostname: host || null }, { onSuccess: onClose });
    else actions.create.mutate({ name, kind, ...(host ? { hostname: host } : {}) }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={of ? 'Edit component' : 'New component'}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="md">
          <TextInput
            label="Name"
            description="What people call it. No two components have the same."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={aboutName}
            maxLength={100}
            required
            withAsterisk={false}
            autoComplete="off"
            data-autofocus
          />
          {!of && (
            <Radio.Group label="Kind" value={kind} onChange={setKind}>
              <Stack gap={8} mt={6}>
                <Radio value="agent" label="Agent" description="Reports on the host that it runs on." />
                <Radio
                  value="collector"
                  label="Collector"
                  description="Collects for a site and pulls its configuration from here."
                />
              </Stack>
            </Radio.Group>
          )}
          <TextInput
            label="Host name"
            description="Optional: the host that it runs on."
            placeholder="berlin.example.com"
            value={hostname}
            onChange={(event) => setHostname(event.currentTarget.value)}
            error={about('hostname')}
            maxLength={253}
            autoComplete="off"
            spellCheck={false}
          />
          {!aboutName && !about('hostname') && <Failure error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={late}>
              {of ? 'Save' : 'Create and show the key'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

const UNITS = { minutes: 60, hours: 3600, days: 86_400 } as const;
/** What the server allows. */
const LONGEST_GRACE = 30 * UNITS.days;

function RotateDialog({ of, actions, onClose }: { of: Component; actions: ComponentActions; onClose: () => void }) {
  const [way, setWay] = useState('now');
  const [amount, setAmount] = useState<string | number>(24);
  const [unit, setUnit] = useState<keyof typeof UNITS>('hours');
  const late = useLate(actions.rotate.isPending);
  const grace = way === 'now' ? null : Math.round(Number(amount) * UNITS[unit]);
  const fits = grace === null || (grace >= 1 && grace <= LONGEST_GRACE);
  return (
    <Modal opened onClose={onClose} title="Rotate key">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (fits && !actions.rotate.isPending) actions.rotate.mutate({ id: of.id, grace }, { onSuccess: onClose });
        }}
      >
        <Stack gap="md">
          <Text size="sm">
            <bdi className="strong">{of.name}</bdi> gets a new key in place of <Code>{of.key_prefix}…</Code>
          </Text>
          <Radio.Group label="The old key" value={way} onChange={setWay}>
            <Stack gap={8} mt={6}>
              <Radio
                value="now"
                label="stops working at once"
                description="If it may have leaked. The component is cut off until it has the new one."
              />
              <Radio
                value="grace"
                label="works until the new one is first used"
                description="For a change without a gap. You say when it ends in any case."
              />
            </Stack>
          </Radio.Group>
          {way === 'grace' && (
            <Group gap="xs" align="flex-start" pl={30}>
              <NumberInput
                aria-label="How long"
                w={110}
                min={1}
                allowDecimal={false}
                value={amount}
                onChange={setAmount}
                error={!fits}
              />
              <Select
                aria-label="Unit"
                w={130}
                data={Object.keys(UNITS)}
                value={unit}
                onChange={(value) => value && setUnit(value as keyof typeof UNITS)}
                allowDeselect={false}
              />
              {!fits && (
                <Text size="xs" c="var(--mantine-color-error)" role="alert">
                  At least a second, at most 30 days.
                </Text>
              )}
            </Group>
          )}
          <Failure error={actions.rotate.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={late} disabled={!fits}>
              Rotate and show the key
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** The new key, once, with the file that an agent reads and the commands that bring it there. */
export function KeyDialog({ made, onClose }: { made: WithKey; onClose: () => void }) {
  const { component, key, first } = made;
  const server = window.location.origin;
  const credential = { componentId: component.id, apiKey: key };
  return (
    <SecretDialog
      title="The new key"
      what="key"
      secret={key}
      file={{ name: 'agent.json', label: 'Download agent.json', content: agentConfig(server, credential) }}
      install={first ? installSteps(server, credential) : replaceKeySteps(server, credential)}
      onClose={onClose}
    >
      For <bdi className="strong">{component.name}</bdi>, which sends it as <Code>X-API-Key</Code>.
    </SecretDialog>
  );
}
