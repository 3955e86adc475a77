import { Button, Drawer, Group, Modal, Radio, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '../../api/client';
import { asApiError } from '../../api/error';
import type { User } from '../../api/types';
import { useMe } from '../../session/session';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { TableSkeleton } from '../../ui/DataTable';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { SecretDialog } from '../../ui/SecretDialog';
import { SessionTable } from '../../ui/SessionTable';
import { sessionsKey, type UserActions, type WithPassword } from './actions';
import { ROLE_MEANINGS, ROLE_NAMES, ROLES } from './roles';

export type Dialog =
  | { kind: 'create' }
  | { kind: 'edit' | 'reset' | 'deactivate' | 'activate' | 'sessions' | 'delete'; of: User };

interface Props {
  dialog: Dialog | null;
  actions: UserActions;
  onClose: () => void;
}

export function Dialogs({ dialog, actions, onClose }: Props) {
  if (!dialog) return null;
  if (dialog.kind === 'create') return <FormDialog actions={actions} onClose={onClose} />;
  const { of } = dialog;
  const name = <bdi className="strong">{of.username}</bdi>;
  const then = { onSuccess: onClose };
  switch (dialog.kind) {
    case 'edit':
      return <FormDialog of={of} actions={actions} onClose={onClose} />;
    case 'sessions':
      return <SessionsDrawer of={of} actions={actions} onClose={onClose} />;
    case 'reset':
      return (
        <ConfirmDialog
          title="Reset password"
          verb="Make a one-time password"
          busy={actions.reset.isPending}
          error={actions.reset.error}
          onConfirm={() => actions.reset.mutate(of.id, then)}
          onClose={onClose}
        >
          The password of {name} stops working and all their sessions end. You get a one-time password to hand over; it
          works for 24 hours.
        </ConfirmDialog>
      );
    case 'deactivate':
      return (
        <ConfirmDialog
          title="Deactivate user"
          verb="Deactivate"
          danger
          busy={actions.update.isPending}
          error={actions.update.error}
          onConfirm={() => actions.update.mutate({ id: of.id, active: false }, then)}
          onClose={onClose}
        >
          {name} can no longer sign in, and all their sessions end at once. You can activate the account again.
        </ConfirmDialog>
      );
    case 'activate':
      return (
        <ConfirmDialog
          title="Activate user"
          verb="Activate"
          busy={actions.update.isPending}
          error={actions.update.error}
          onConfirm={() => actions.update.mutate({ id: of.id, active: true }, then)}
          onClose={onClose}
        >
          {name} can sign in again.
        </ConfirmDialog>
      );
    case 'delete':
      return (
        <ConfirmDialog
          title="Delete user"
          verb="Delete"
          type={of.username}
          danger
          busy={actions.remove.isPending}
          error={actions.remove.error}
          onConfirm={() => actions.remove.mutate(of.id, then)}
          onClose={onClose}
        >
          {name} is deleted and all their sessions end. This cannot be undone. What the audit log says about them stays.
        </ConfirmDialog>
      );
  }
}

function FormDialog({ of, actions, onClose }: { of?: User; actions: UserActions; onClose: () => void }) {
  const me = useMe();
  const [username, setUsername] = useState('');
  const [displayName, setDisplayName] = useState(of?.display_name ?? '');
  const [email, setEmail] = useState(of?.email ?? '');
  const [role, setRole] = useState(of?.role ?? 'viewer');
  const [active, setActive] = useState(of?.active ?? true);
  const action = of ? actions.update : actions.create;
  const late = useLate(action.isPending);
  const error = action.error ? asApiError(action.error) : null;
  const about = (field: string) => (error?.field === field ? error.message : null);
  const aboutName = about('username') ?? (error?.code === 'username_taken' ? error.message : null);
  const fixed = of && (of.id === me.id || of.built_in);
  const submit = () => {
    if (action.isPending) return;
    if (of) {
      actions.update.mutate(
        {
          id: of.id,
          ...(displayName !== of.display_name ? { display_name: displayName } : {}),
          ...(email.trim() !== (of.email ?? '') ? { email: email.trim() || null } : {}),
          ...(role !== of.role ? { role } : {}),
          ...(active !== of.active ? { active } : {}),
        },
        { onSuccess: onClose },
      );
    } else {
      actions.create.mutate(
        {
          username: username.trim(),
          role,
          ...(displayName.trim() ? { display_name: displayName.trim() } : {}),
          ...(email.trim() ? { email: email.trim() } : {}),
        },
        { onSuccess: onClose },
      );
    }
  };
  return (
    <Modal opened onClose={onClose} title={of ? 'Edit user' : 'New user'}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="md">
          {of ? (
            <Text size="sm">
              Username: <bdi className="strong">{of.username}</bdi>
            </Text>
          ) : (
            <TextInput
              label="Username"
              description="To sign in with: letters, digits and . - _ @ + \"
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
              error={aboutName}
              maxLength={128}
              required
              withAsterisk={false}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              data-autofocus
            />
          )}
          <TextInput
            label="Name"
            description="Optional: how the person wants to be called."
            value={displayName}
            onChange={(event) => setDisplayName(event.currentTarget.value)}
            error={about('display_name')}
            autoComplete="off"
          />
          <TextInput
            label="Mail address"
            description="Optional, for information."
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            error={about('email')}
            autoComplete="off"
          />
          <Radio.Group
            label="Role"
            value={role}
            onChange={setRole}
            error={about('role')}
            description={
              of?.id === me.id
                ? 'Nobody changes their own role. Ask another administrator.'
                : of?.built_in
                  ? 'The built-in administrator stays one.'
                  : undefined
            }
          >
            <Stack gap={8} mt={6}>
              {ROLES.map((one) => (
                <Radio
                  key={one}
                  value={one}
                  label={ROLE_NAMES[one]}
                  description={ROLE_MEANINGS[one]}
                  disabled={Boolean(fixed)}
                />
              ))}
            </Stack>
          </Radio.Group>
          {of && !fixed && (
            <Switch
              label="May sign in"
              description="Switching this off ends all sessions of the user."
              checked={active}
              onChange={(event) => setActive(event.currentTarget.checked)}
            />
          )}
          {!(aboutName || about('display_name') || about('email') || about('role')) && <Failure error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={late}>
              {of ? 'Save' : 'Create and show the one-time password'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function SessionsDrawer({ of, actions, onClose }: { of: User; actions: UserActions; onClose: () => void }) {
  const sessions = useQuery({
    queryKey: sessionsKey(of.id),
    queryFn: ({ signal }) => body(api.GET('/api/v1/users/{id}/sessions', { params: { path: { id: of.id } }, signal })),
    refetchInterval: 15_000,
  });
  const late = useLate(actions.endSessions.isPending);
  return (
    <Drawer
      opened
      onClose={onClose}
      size="xl"
      title={
        <>
          Sessions of <bdi>{of.username}</bdi>
        </>
      }
    >
      <Stack gap="md">
        <Failure error={actions.endSessions.error} />
        {sessions.data ? (
          sessions.data.length > 0 ? (
            <>
              <SessionTable label={`Sessions of ${of.username}`} sessions={sessions.data} />
              <Group>
                <Button variant="light" color="red" loading={late} onClick={() => actions.endSessions.mutate(of.id)}>
                  End all of them
                </Button>
              </Group>
            </>
          ) : (
            <Text size="sm" c="dimmed">
              This user is not signed in anywhere.
            </Text>
          )
        ) : sessions.error ? (
          <Failure error={sessions.error} retry={() => void sessions.refetch()} />
        ) : (
          <TableSkeleton rows={3} columns={4} />
        )}
      </Stack>
    </Drawer>
  );
}

export function PasswordDialog({ made, onClose }: { made: WithPassword; onClose: () => void }) {
  return (
    <SecretDialog title="The one-time password" what="one-time password" secret={made.password} onClose={onClose}>
      For <bdi className="strong">{made.user.username}</bdi>. Hand it over by a way that only they can read. It works
      for 24 hours, and they choose their own password when they sign in.
    </SecretDialog>
  );
}
