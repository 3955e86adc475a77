import { Alert, Anchor, Button, Code, Divider, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Link, Navigate, useLocation, useNavigate, useSearchParams } from 'react-router';
import { api, body } from '../../api/client';
import { asApiError } from '../../api/error';
import { readLoginError } from '../../session/loginErrors';
import { safeReturnPath } from '../../session/returnPath';
import { SIGN_IN_PROVIDERS, useNotice, useSession } from '../../session/session';
import { readToken } from '../../session/token';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { useTakenOver } from '../../ui/takenOver';
import { Entry } from './Entry';
import { Throttle, useWait, waitOf } from './Throttle';

export function Component() {
  const session = useSession();
  const navigate = useNavigate();
  const location = useLocation();
  const [search] = useSearchParams();
  const back = safeReturnPath(search.get('return'));
  // What the page was built with knows nobody: until it is taken over, neither does this.
  const takenOver = useTakenOver();
  const notice = useNotice();
  const problem = takenOver ? readLoginError(location.hash) : null;
  const signedIn = takenOver && readToken() !== null;
  const [failed, setFailed] = useState<unknown>(null);
  const { wait, left, waiting, setWait } = useWait();
  const password = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = 'Sign in · Stratora';
  }, []);

  const providers = useQuery({
    queryKey: SIGN_IN_PROVIDERS,
    queryFn: ({ signal }) => body(api.GET('/api/v1/auth/providers', { signal })),
    staleTime: 60_000,
  });

  const signIn = useMutation({
    mutationFn: async (credentials: { username: string; password: string }) => {
      await session.ended();
      // The answer holds a secret: it goes to the session and not into the cache of this mutation.
      const answer = await body(api.POST('/api/v1/auth/login', { body: credentials }));
      session.signedIn(answer);
      return answer.user.must_change_password;
    },
    onSuccess: (mustChange) =>
      navigate(mustChange ? '/change-password' : (back ?? '/'), { replace: true, state: back ? { back } : null }),
    onError: (thrown) => {
      const error = asApiError(thrown);
      const told = waitOf(error);
      setWait(told);
      setFailed(told ? null : error);
      password.current?.select();
      if (!told) password.current?.focus();
    },
  });
  const late = useLate(signIn.isPending);

  // Whoever is signed in already has nothing to do here, unless they were sent here to be told something. Who signs in here
  // is led on above, and only once.
  const arriving = signIn.isPending || signIn.isSuccess;
  if (signedIn && !notice && !problem && !arriving) return <Navigate to={back ?? '/'} replace />;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (signIn.isPending || waiting) return;
    const form = new FormData(event.currentTarget);
    setFailed(null);
    setWait(null);
    session.tell(null);
    if (location.hash) navigate(location.pathname + location.search, { replace: true });
    signIn.mutate({ username: String(form.get('username')), password: String(form.get('password')) });
  };

  return (
    <Entry title="Sign in">
      <Stack gap="md" mt="md">
        {notice && (
          // Made anew for each text: an alert is read out when it comes, and what only `status` says then often is not.
          <Alert key={notice.text} color={notice.tone === 'problem' ? 'red' : 'gray'} role="alert">
            {notice.text}
          </Alert>
        )}
        {problem && (
          <Alert color="red" role="alert">
            <Text size="sm">{problem.message}</Text>
            {problem.reference && (
              <Text size="xs" mt={4}>
                Reference <Code fz="xs">{problem.reference}</Code>
              </Text>
            )}
          </Alert>
        )}
        {signedIn && !arriving && (
          <Anchor component={Link} to={back ?? '/'} size="sm">
            You are still signed in: go on
          </Anchor>
        )}
        {/* Should it ever be sent by the browser itself: never with the password in the address. */}
        <form method="post" onSubmit={submit} aria-label="Sign in with a password">
          <Stack gap="md">
            <TextInput
              label="Username"
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              required
              withAsterisk={false}
              maxLength={128}
              data-autofocus
              autoFocus
            />
            <PasswordInput
              ref={password}
              label="Password"
              name="password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              maxLength={1024}
              visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0, 'aria-hidden': false }}
            />
            {wait && <Throttle wait={wait} left={left} />}
            <Failure error={failed} />
            <Button type="submit" fullWidth disabled={waiting} loading={late}>
              Sign in
            </Button>
          </Stack>
        </form>
        {takenOver && providers.data && providers.data.length > 0 && (
          <>
            <Divider label="or" />
            <Stack gap="xs">
              {providers.data.map((provider) => (
                <Button
                  key={provider.id}
                  component="a"
                  href={`/api/v1/auth/oidc/authorize/${encodeURIComponent(provider.id)}`}
                  variant="default"
                  fullWidth
                  onClick={() => session.aboutToLeave(back)}
                >
                  <span className="cell-main">
                    Continue with <bdi>{provider.name}</bdi>
                  </span>
                </Button>
              ))}
            </Stack>
          </>
        )}
      </Stack>
    </Entry>
  );
}
