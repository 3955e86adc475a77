import { Center, Loader } from '@mantine/core';
import { Navigate, Outlet, useLocation } from 'react-router';
import { loginPath } from '../session/returnPath';
import { MeProvider, useMeQuery, useSession } from '../session/session';
import { readToken } from '../session/token';
import { Failure } from '../ui/Failure';

/** Lets nobody in without a session, nor with a one-time password. */
export function RequireSession() {
  const location = useLocation();
  const hasToken = readToken() !== null;
  const session = useSession();
  const me = useMeQuery(hasToken);
  if (!hasToken && !session.isLeaving)
    return <Navigate to={loginPath(location.pathname + location.search + location.hash)} replace />;
  if (me.data) {
    if (me.data.must_change_password) {
      return <Navigate to="/change-password" replace state={{ back: location.pathname + location.search }} />;
    }
    return (
      <MeProvider value={me.data}>
        <Outlet />
      </MeProvider>
    );
  }
  return (
    <Center mih="100dvh" p="md" component="main">
      {me.error ? (
        <Failure error={me.error} retry={() => void me.refetch()} />
      ) : (
        <Loader className="late" aria-label="Loading" />
      )}
    </Center>
  );
}
