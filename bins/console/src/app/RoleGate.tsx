import { Button } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { Link, Outlet } from 'react-router';
import { Nothing } from '../ui/Nothing';
import { Page } from '../ui/Page';

interface Props {
  allowed: boolean;
  /** Who does see it. */
  who: string;
}

/** A kindness: the server refuses the rest in any case. */
export function RoleGate({ allowed, who }: Props) {
  if (allowed) return <Outlet />;
  return (
    <Page title="Not for your role">
      <Nothing
        icon={<IconLock aria-hidden />}
        title={`Only ${who} see this page`}
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
