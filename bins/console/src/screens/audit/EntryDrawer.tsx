import { Anchor, DataList, Drawer, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import type { AuditEntry } from '../../api/types';
import { Fact } from '../../ui/Fact';
import { Time } from '../../ui/Time';
import { actionName, RESOURCE_NAMES } from './actions';
import { Outcome } from './Outcome';

const ACTOR_KINDS: Record<string, string> = {
  anonymous: 'Nobody who proved who they are',
  user: 'User',
  component: 'Component',
  command_line: 'Command line',
  system: 'The server itself',
};

interface Props {
  seq: number;
  entry: AuditEntry | undefined;
  onClose: () => void;
}

/** One entry in full. */
export function EntryDrawer({ seq, entry, onClose }: Props) {
  return (
    <Drawer opened onClose={onClose} title={entry ? actionName(entry.action) : `Entry ${seq}`}>
      {entry ? (
        <Details of={entry} />
      ) : (
        <Text size="sm" c="dimmed">
          Entry {seq} is not among those that are loaded with these filters.
        </Text>
      )}
    </Drawer>
  );
}

function Details({ of }: { of: AuditEntry }) {
  const details = Object.entries(of.details);
  return (
    <Stack gap="lg">
      <DataList withDivider labelWidth="130px">
        <Fact label="Outcome">
          <Outcome of={of.outcome} />
        </Fact>
        <Fact label="When">
          <Time at={of.at} as="exact" />
          <Text size="xs" c="dimmed" className="mono">
            {of.at}
          </Text>
        </Fact>
        <Fact label="Who">
          {of.actor.name ? <bdi className="breaks strong">{of.actor.name}</bdi> : null}
          <Text size="xs" c="dimmed">
            {ACTOR_KINDS[of.actor.kind] ?? of.actor.kind}
          </Text>
          {of.actor.id && <Identifier text={of.actor.id} />}
        </Fact>
        <Fact label="Action">
          <span className="mono">{of.action}</span>
        </Fact>
        {of.resource && (
          <Fact label="On what">
            <bdi className="breaks strong">{of.resource.name}</bdi>
            <Text size="xs" c="dimmed">
              {RESOURCE_NAMES[of.resource.kind] ?? of.resource.kind}
            </Text>
            {of.resource.id && (
              <>
                <Identifier text={of.resource.id} />
                <Anchor
                  component={Link}
                  size="xs"
                  to={`/audit?range=all&resource=${encodeURIComponent(of.resource.kind)}&resource_id=${encodeURIComponent(of.resource.id)}`}
                >
                  Everything about it
                </Anchor>
              </>
            )}
          </Fact>
        )}
        <Fact label="From address">{of.client_address ? <span className="mono">{of.client_address}</span> : '–'}</Fact>
        <Fact label="Request">{of.request_id ? <Identifier text={of.request_id} /> : '–'}</Fact>
      </DataList>
      {details.length > 0 && (
        <section aria-labelledby="entry-details">
          <Title order={2} id="entry-details" mb="xs">
            Details
          </Title>
          <DataList withDivider labelWidth="130px">
            {details.map(([name, value]) => (
              <Fact key={name} label={<bdi>{name}</bdi>}>
                <bdi className="breaks">{value}</bdi>
              </Fact>
            ))}
          </DataList>
        </section>
      )}
      <section aria-labelledby="entry-chain">
        <Title order={2} id="entry-chain" mb="xs">
          In the chain
        </Title>
        <DataList withDivider labelWidth="130px">
          <Fact label="Position">{of.seq.toLocaleString()}</Fact>
          <Fact label="Hash">
            <Identifier text={of.hash} />
          </Fact>
        </DataList>
      </section>
    </Stack>
  );
}

function Identifier({ text }: { text: string }) {
  return (
    <Text size="xs" className="mono breaks">
      {text}
    </Text>
  );
}
