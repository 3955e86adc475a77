import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { useRouteError } from 'react-router';

/** The last resort: mostly a part of the console that an update has replaced since the page was opened. */
export function Broken() {
  const error = useRouteError();
  const outdated = error instanceof TypeError && /import|module|fetch/i.test(error.message);
  return (
    <Center mih="60dvh" p="md" component="main">
      <Stack align="center" gap="sm" maw={420} ta="center">
        <Title order={1}>{outdated ? 'This page could not be loaded' : 'This page has failed'}</Title>
        <Text size="sm" c="dimmed">
          {outdated
            ? 'The server cannot be reached, or the console was updated while this page was open.'
            : 'The fault is in the console. Reloading helps most of the time.'}
        </Text>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </Stack>
    </Center>
  );
}
