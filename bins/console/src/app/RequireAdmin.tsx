import { Button } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { Link, Outlet } from 'react-router';
import { useMay } from '../session/session';
import { Nothing } from '../ui/Nothing';
import { Page } from '../ui/Page';

/** A kindness: the server refuses the rest in any case. */
export function Component() {
  if (useMay().administer) return <Outlet />;
  return (
    <Page title="Not for your role">
      <Nothing
        icon={<IconLock aria-hidden />}
        title="Only administrators see this page"
        hint="Ask an administrator for what you need, or for another role."
        action={
          <Button component={Link} to="/" variant="default">
            To the overview
          </Button>
        }
      />
    </Page>
  );
}
