import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { asApiError } from '../api/error';

interface Props {
  error: unknown;
  /** Offers another try. */
  retry?: (() => void) | undefined;
  children?: ReactNode;
}

/** An error: one sentence, and the name of the request for whoever looks into it. */
export function Failure({ error, retry, children }: Props) {
  if (!error) return null;
  const { message, requestId } = asApiError(error);
  return (
    <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">
      <Text size="sm">{message}</Text>
      {requestId && (
        <Text size="xs" mt={4}>
          Request <Code fz="xs">{requestId}</Code>
        </Text>
      )}
      {children}
      {retry && (
        <Group mt="xs">
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  );
}
