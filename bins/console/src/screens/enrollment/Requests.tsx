import { Badge, Button, Group, Paper, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import type { EnrollmentRequest } from '../../api/types';
import { Dot } from '../../ui/Dot';
import { Time } from '../../ui/Time';
import { KIND_NAMES, Status } from '../components/status';
import type { Dialog } from './dialogs';

interface Props {
  requests: EnrollmentRequest[];
  /** What to do about one; nothing for whoever may only look. */
  act: ((dialog: Dialog) => void) | null;
}

/** Those who ask to come in again under a name that is in use, and could not prove that it is theirs. */
export function Requests({ requests, act }: Props) {
  return (
    <Paper p={0} className="tile" component="section" aria-labelledby="requests-title" mb="lg">
      <Title order={2} id="requests-title" px="md" pt="md">
        Asking to come in again
      </Title>
      <Text size="sm" c="dimmed" px="md" pb="xs" maw={760}>
        A host with a good token asked for a name that a component has already, without that component’s key. It is let
        in when an administrator approves it: after a host was set up anew, say.
      </Text>
      <div className="rows">
        {requests.map((of) => (
          <div key={`${of.component_id} ${of.requested_at}`} className="row request">
            <div className="request-about">
              <Group gap="xs">
                <Link to={`/settings/components?component=${of.component_id}`} className="cell-link">
                  <bdi className="breaks">{of.name}</bdi>
                </Link>
                <Badge color="gray">{KIND_NAMES[of.kind] ?? of.kind}</Badge>
                <Status of={of} />
              </Group>
              <Text size="xs" c="dimmed" component="div">
                Asked <Time at={of.requested_at} as="ago" />
                {of.hostname && of.hostname !== of.name && (
                  <>
                    {' '}
                    as <bdi>{of.hostname}</bdi>
                  </>
                )}
                {of.client && (
                  <>
                    {' '}
                    from <span className="mono">{of.client}</span>
                  </>
                )}
                {of.version && (
                  <>
                    , version <bdi>{of.version}</bdi>
                  </>
                )}
              </Text>
              {of.approved_at && (
                <Dot tone="good">
                  <span style={{ whiteSpace: 'normal' }}>
                    Approved <Time at={of.approved_at} as="ago" />: it has yet to ask again
                  </span>
                </Dot>
              )}
            </div>
            {act && (
              <Group gap="xs" wrap="nowrap">
                {!of.approved_at && (
                  <Button size="xs" onClick={() => act({ kind: 'approve', of })} aria-label={`Approve ${of.name}`}>
                    Approve
                  </Button>
                )}
                <Button
                  size="xs"
                  variant="default"
                  onClick={() => act({ kind: 'dismiss', of })}
                  aria-label={`Dismiss the request of ${of.name}`}
                >
                  Dismiss
                </Button>
              </Group>
            )}
          </div>
        ))}
      </div>
    </Paper>
  );
}
