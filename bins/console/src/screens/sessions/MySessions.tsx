import { Button, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '../../api/client';
import type { SessionInfo } from '../../api/types';
import { useSession } from '../../session/session';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { TableSkeleton } from '../../ui/DataTable';
import { Failure } from '../../ui/Failure';
import { Page } from '../../ui/Page';
import { SessionTable } from '../../ui/SessionTable';

const KEY = ['sessions'];

export function Component() {
  const session = useSession();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const sessions = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => body(api.GET('/api/v1/auth/sessions', { signal })),
    refetchInterval: 30_000,
  });
  const end = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/auth/sessions/{id}', { params: { path: { id } } }),
    // Gone from the list at once; back in it, with the reason, if the server does not agree.
    onMutate: (id) => {
      const before = queries.getQueryData<SessionInfo[]>(KEY);
      queries.setQueryData<SessionInfo[]>(KEY, (list) => list?.filter((one) => one.id !== id));
      return before;
    },
    onError: (_error, _id, before) => queries.setQueryData(KEY, before),
    onSuccess: () => notifications.show({ message: 'The session is ended.', color: 'teal' }),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const endOthers = useMutation({
    mutationFn: () => api.DELETE('/api/v1/auth/sessions'),
    onSuccess: () => {
      setAsking(false);
      notifications.show({ message: 'All your other sessions are ended.', color: 'teal' });
      void queries.invalidateQueries({ queryKey: KEY });
    },
  });
  const others = sessions.data?.filter((one) => !one.current).length ?? 0;
  return (
    <Page
      title="My sessions"
      lead="Where you are signed in. End what you do not know, and change your password then."
      actions={
        <Button variant="default" disabled={others === 0} onClick={() => setAsking(true)}>
          End all others
        </Button>
      }
    >
      <Stack gap="sm">
        <Failure error={end.error} />
        {sessions.data ? (
          <SessionTable
            label="My sessions"
            sessions={[...sessions.data].sort((a, b) => Number(b.current) - Number(a.current))}
            onEnd={(one) => (one.current ? void session.signOut() : end.mutate(one.id))}
          />
        ) : sessions.error ? (
          <Failure error={sessions.error} retry={() => void sessions.refetch()} />
        ) : (
          <TableSkeleton rows={3} />
        )}
      </Stack>
      {asking && (
        <ConfirmDialog
          title="End all other sessions"
          verb="End them"
          danger
          busy={endOthers.isPending}
          error={endOthers.error}
          onConfirm={() => endOthers.mutate()}
          onClose={() => setAsking(false)}
        >
          {others === 1 ? 'One other session ends' : `${others} other sessions end`} at once. This one goes on.
        </ConfirmDialog>
      )}
    </Page>
  );
}
