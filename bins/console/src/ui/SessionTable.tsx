import { Badge, Button, Group, Paper, Table, Text, Tooltip } from '@mantine/core';
import type { SessionInfo } from '../api/types';
import { deviceName } from '../lib/userAgent';
import { Time } from './Time';

interface Props {
  label: string;
  sessions: SessionInfo[];
  onEnd?: (session: SessionInfo) => void;
}

/** Sessions, each with where it was opened and when it was last used. */
export function SessionTable({ label, sessions, onEnd }: Props) {
  return (
    <Paper p={0} className="table-frame">
      <Table aria-label={label} className="data-table in-flow">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Device</Table.Th>
            <Table.Th scope="col" visibleFrom="sm">
              From
            </Table.Th>
            <Table.Th scope="col" visibleFrom="sm">
              Opened
            </Table.Th>
            <Table.Th scope="col">Last used</Table.Th>
            <Table.Th scope="col" visibleFrom="md">
              Ends at the latest
            </Table.Th>
            {onEnd && (
              <Table.Th scope="col">
                <span className="for-screen-readers">Actions</span>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.map((session) => (
            <Table.Tr key={session.id}>
              <Table.Td>
                <Group gap="xs">
                  <Tooltip label={<bdi>{session.user_agent || 'No name given'}</bdi>} multiline maw={420}>
                    <Text span size="sm" fw={500}>
                      <bdi>{deviceName(session.user_agent)}</bdi>
                    </Text>
                  </Tooltip>
                  {session.current && <Badge color="tide">This device</Badge>}
                </Group>
              </Table.Td>
              <Table.Td visibleFrom="sm">
                <span className="mono">{session.client_address ?? '–'}</span>
              </Table.Td>
              <Table.Td visibleFrom="sm">
                <Time at={session.created_at} />
              </Table.Td>
              <Table.Td>
                <Time at={session.last_seen_at} as="ago" />
              </Table.Td>
              <Table.Td visibleFrom="md">
                <Time at={session.expires_at} />
              </Table.Td>
              {onEnd && (
                <Table.Td ta="right">
                  <Button
                    size="compact-sm"
                    variant="default"
                    onClick={() => onEnd(session)}
                    aria-label={
                      session.current
                        ? 'Sign out on this device'
                        : `End the session of ${deviceName(session.user_agent)}`
                    }
                  >
                    {session.current ? 'Sign out' : 'End'}
                  </Button>
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}
