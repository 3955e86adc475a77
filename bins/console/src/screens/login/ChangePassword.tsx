import { Alert, Anchor, Button, Group, PasswordInput, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { Link, Navigate, useLocation, useNavigate } from 'react-router';
import { api, body } from '../../api/client';
import { asApiError } from '../../api/error';
import { reviewPassword } from '../../lib/password';
import { loginPath, safeReturnPath } from '../../session/returnPath';
import { useMeQuery, useSession } from '../../session/session';
import { readToken } from '../../session/token';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { Entry } from './Entry';
import { PasswordMeter } from './PasswordMeter';
import { Throttle, useWait, waitOf } from './Throttle';

const SHOW = { 'aria-label': 'Show the password', tabIndex: 0, 'aria-hidden': false } as const;

/** Changes one's own password: because one wants to, or because nothing else is allowed before. */
export function Component() {
  const session = useSession();
  const navigate = useNavigate();
  const location = useLocation();
  const back = safeReturnPath((location.state as { back?: string } | null)?.back) ?? '/';
  const signedIn = readToken() !== null;
  const me = useMeQuery(signedIn);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [failed, setFailed] = useState<unknown>(null);
  const { wait, left, waiting, setWait } = useWait();

  useEffect(() => {
    document.title = 'Change password · Stratora';
  }, []);

  const change = useMutation({
    mutationFn: async () => {
      const answer = await body(
        api.POST('/api/v1/auth/change-password', { body: { current_password: current, new_password: next } }),
      );
      session.signedIn(answer);
    },
    onSuccess: () => {
      notifications.show({
        message: 'Your password is changed. Every other session of yours has ended.',
        color: 'teal',
      });
      navigate(back, { replace: true });
    },
    onError: (thrown) => {
      const error = asApiError(thrown);
      const told = waitOf(error);
      setWait(told);
      setFailed(told ? null : error);
    },
  });
  const late = useLate(change.isPending);

  if (!signedIn) return <Navigate to={loginPath('/')} replace />;
  if (me.data && me.data.auth_source !== 'local') return <Navigate to="/" replace />;
  const forced = me.data?.must_change_password ?? false;
  const review = reviewPassword(next, me.data?.username ?? '', current);
  const error = failed ? asApiError(failed) : null;
  const about = (field: string, code?: string) =>
    error && (error.field === field || (code !== undefined && error.code === code)) ? error.message : null;
  const aboutCurrent = about('current_password', 'wrong_password');
  const aboutNew = about('new_password');
  const mismatch = again !== '' && again !== next;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (change.isPending || waiting || !review.sendable || again !== next) return;
    setFailed(null);
    setWait(null);
    change.mutate();
  };

  return (
    <Entry
      title={forced ? 'Choose your password' : 'Change password'}
      lead={
        forced
          ? 'The one you signed in with works once. Choose your own to go on.'
          : 'Every other session of yours ends. This one goes on.'
      }
    >
      {me.error ? (
        <Stack mt="md">
          <Failure error={me.error} retry={() => void me.refetch()} />
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="md" mt="md">
            <input
              type="text"
              name="username"
              autoComplete="username"
              value={me.data?.username ?? ''}
              readOnly
              hidden
            />
            <PasswordInput
              label={forced ? 'One-time password' : 'Current password'}
              autoComplete="current-password"
              value={current}
              onChange={(event) => setCurrent(event.currentTarget.value)}
              error={aboutCurrent}
              required
              withAsterisk={false}
              autoFocus
              visibilityToggleButtonProps={SHOW}
            />
            <PasswordInput
              label="New password"
              autoComplete="new-password"
              value={next}
              onChange={(event) => setNext(event.currentTarget.value)}
              error={aboutNew}
              required
              withAsterisk={false}
              aria-describedby="password-requirements"
              visibilityToggleButtonProps={SHOW}
            />
            <PasswordMeter review={review} id="password-requirements" />
            <PasswordInput
              label="New password, again"
              autoComplete="new-password"
              value={again}
              onChange={(event) => setAgain(event.currentTarget.value)}
              error={mismatch ? 'This is not the same.' : null}
              required
              withAsterisk={false}
              visibilityToggleButtonProps={SHOW}
            />
            {wait && <Throttle wait={wait} left={left} />}
            {!aboutCurrent && !aboutNew && <Failure error={failed} />}
            {aboutNew && error?.requestId && (
              <Alert color="gray" variant="transparent" p={0} fz="xs">
                Request {error.requestId}
              </Alert>
            )}
            <Button type="submit" fullWidth disabled={waiting || !review.sendable || again !== next} loading={late}>
              Change password
            </Button>
            <Group justify="center">
              {forced ? (
                <Button variant="subtle" color="gray" size="compact-sm" onClick={() => void session.signOut()}>
                  Sign out
                </Button>
              ) : (
                <Anchor component={Link} to={back} size="sm">
                  Back to the console
                </Anchor>
              )}
            </Group>
          </Stack>
        </form>
      )}
    </Entry>
  );
}
