import { Alert, Button, Code, Group, Modal, NumberInput, Radio, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { asApiError } from '../../api/error';
import type { EnrollmentRequest, EnrollmentToken } from '../../api/types';
import { agentConfig, installSteps } from '../../lib/install';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { SecretDialog } from '../../ui/SecretDialog';
import { Time } from '../../ui/Time';
import type { EnrollmentActions, WithValue } from './actions';
import { LIFETIMES, MOST_USES, mostUses, USUAL_LIFETIME } from './tokens';

export type Dialog =
  | { kind: 'create' }
  | { kind: 'delete'; of: EnrollmentToken }
  | { kind: 'approve' | 'dismiss'; of: EnrollmentRequest };

interface Props {
  dialog: Dialog | null;
  actions: EnrollmentActions;
  onClose: () => void;
}

/** The dialog that is open, if one is. */
export function Dialogs({ dialog, actions, onClose }: Props) {
  if (!dialog) return null;
  switch (dialog.kind) {
    case 'create':
      return <CreateDialog actions={actions} onClose={onClose} />;
    case 'delete':
      return (
        <ConfirmDialog
          title="Delete token"
          verb="Delete"
          danger
          busy={actions.remove.isPending}
          error={actions.remove.error}
          onConfirm={() => actions.remove.mutate(dialog.of.id, { onSuccess: onClose })}
          onClose={onClose}
        >
          Nothing registers with{' '}
          {dialog.of.description ? <bdi className="strong">{dialog.of.description}</bdi> : 'this token'} any more.
          Components that did keep their keys.
        </ConfirmDialog>
      );
    case 'approve':
      return (
        <ConfirmDialog
          title="Let it in again"
          verb="Approve"
          busy={actions.approve.isPending}
          error={actions.approve.error}
          onConfirm={() => actions.approve.mutate(dialog.of, { onSuccess: onClose })}
          onClose={onClose}
        >
          Approve this only if you know that the host of <bdi className="strong">{dialog.of.name}</bdi> was set up anew
          {dialog.of.client && (
            <>
              , and that it asks from <span className="mono">{dialog.of.client}</span>
            </>
          )}
          . It takes the component’s place, once, when it asks again within 24 hours. The key that the component has now
          is dead from then on.
        </ConfirmDialog>
      );
    case 'dismiss':
      return (
        <ConfirmDialog
          title="Dismiss the request"
          verb="Dismiss"
          busy={actions.dismiss.isPending}
          error={actions.dismiss.error}
          onConfirm={() => actions.dismiss.mutate(dialog.of.component_id, { onSuccess: onClose })}
          onClose={onClose}
        >
          <bdi className="strong">{dialog.of.name}</bdi> stays as it is, with its key. If the request was not yours,
          somebody has an enrollment token that they should not have: delete the token as well.
        </ConfirmDialog>
      );
  }
}

function CreateDialog({ actions, onClose }: { actions: EnrollmentActions; onClose: () => void }) {
  const [description, setDescription] = useState('');
  const [many, setMany] = useState('one');
  const [limit, setLimit] = useState<string | number>('');
  const [lifetime, setLifetime] = useState(USUAL_LIFETIME);
  const { create } = actions;
  const late = useLate(create.isPending);
  const error = create.error ? asApiError(create.error) : null;
  const multi = many === 'many';
  const limited = multi && limit !== '';
  const fits = !limited || (Number(limit) >= 1 && Number(limit) <= MOST_USES);
  const submit = () => {
    if (!fits || create.isPending) return;
    create.mutate(
      {
        description,
        multi_use: multi,
        ...(limited ? { max_uses: Number(limit) } : {}),
        expires_in_seconds: Number(lifetime),
      },
      { onSuccess: onClose },
    );
  };
  return (
    <Modal opened onClose={onClose} title="New enrollment token">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="md">
          <TextInput
            label="Description"
            description="What it is for, so that you know it again."
            placeholder="Rollout in Berlin"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            error={error?.field === 'description' ? error.message : null}
            maxLength={200}
            autoComplete="off"
            data-autofocus
          />
          <Radio.Group label="For" value={many} onChange={setMany}>
            <Stack gap={8} mt={6}>
              <Radio value="one" label="One component" description="The token is used up with it." />
              <Radio value="many" label="Many components" description="For a rollout by script or image." />
            </Stack>
          </Radio.Group>
          {multi && (
            <NumberInput
              label="At most"
              description="Optional: how many components may register with it."
              placeholder="Any number"
              min={1}
              max={MOST_USES}
              allowDecimal={false}
              allowNegative={false}
              value={limit}
              onChange={setLimit}
              error={fits ? null : 'Between 1 and 1,000,000, or nothing.'}
            />
          )}
          <Select
            label="Good for"
            data={LIFETIMES}
            value={lifetime}
            onChange={(value) => value && setLifetime(value)}
            allowDeselect={false}
          />
          {multi && !limited && lifetime === '0' && (
            <Alert color="yellow">
              Whoever finds this token can register as many components as they like, for ever. Give it an end or a
              limit.
            </Alert>
          )}
          {error?.field !== 'description' && <Failure error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={late} disabled={!fits}>
              Create and show the token
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** The new token, once, with the file that an agent reads and the commands that bring it there. */
export function TokenDialog({ made, onClose }: { made: WithValue; onClose: () => void }) {
  const { token, value } = made;
  const server = window.location.origin;
  const credential = { enrollmentToken: value };
  const most = mostUses(token);
  return (
    <SecretDialog
      title="The new enrollment token"
      what="token"
      secret={value}
      file={{ name: 'agent.json', label: 'Download agent.json', content: agentConfig(server, credential) }}
      install={installSteps(server, credential)}
      onClose={onClose}
    >
      {most === 1
        ? 'One component registers'
        : most === null
          ? 'Any number of components register'
          : `${most.toLocaleString()} components register`}{' '}
      with it
      {token.expires_at && (
        <>
          {' '}
          until <Time at={token.expires_at} />
        </>
      )}
      . Each gets a key of its own and keeps that in <Code>agent.json</Code> instead.
    </SecretDialog>
  );
}
