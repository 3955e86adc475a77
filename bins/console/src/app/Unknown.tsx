import { Button } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { Link } from 'react-router';
import { Nothing } from '../ui/Nothing';
import { Page } from '../ui/Page';

export function Unknown() {
  return (
    <Page title="Page not found">
      <Nothing
        icon={<IconMapQuestion aria-hidden />}
        title="There is no page at this address"
        hint="The link may be old or mistyped."
        action={
          <Button component={Link} to="/" variant="default">
            To the overview
          </Button>
        }
      />
    </Page>
  );
}
