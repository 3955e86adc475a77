import { Alert, Text } from '@mantine/core';
import { IconClockPause } from '@tabler/icons-react';
import { useState } from 'react';
import type { ApiError } from '../../api/error';
import { clockFace, useCountdown, waitInWords } from '../../lib/countdown';

export interface Wait {
  message: string;
  seconds: number;
  /** A time of `performance.now()`. */
  deadline: number;
}

/** What a 429 with a time to wait says; any other error is `null`. */
export function waitOf(error: ApiError): Wait | null {
  if (error.status !== 429 || error.retryAfter === null) return null;
  const seconds = error.retryAfter;
  return { message: error.message, seconds, deadline: performance.now() + seconds * 1000 };
}

export function useWait() {
  const [wait, setWait] = useState<Wait | null>(null);
  const left = useCountdown(wait?.deadline ?? null);
  return { wait, left, waiting: wait !== null && left > 0, setWait };
}

/** A clock that runs down. Screen readers are told the time once, and again when it is over. */
export function Throttle({ wait, left }: { wait: Wait; left: number }) {
  return (
    <Alert color={left > 0 ? 'yellow' : 'teal'} icon={<IconClockPause aria-hidden />}>
      <span className="for-screen-readers" role="status">
        {left > 0
          ? `Too many attempts. Wait ${waitInWords(wait.seconds)}.`
          : 'The waiting time is over. You can try again.'}
      </span>
      {left > 0 ? (
        <Text size="sm" aria-hidden>
          Too many attempts from this address. You can try again in{' '}
          <strong className="countdown" data-testid="countdown">
            {clockFace(left)}
          </strong>
          .
        </Text>
      ) : (
        <Text size="sm" aria-hidden>
          The waiting time is over. You can try again.
        </Text>
      )}
    </Alert>
  );
}
