import { Button, Code, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ApiError } from '../../api/error';
import { readToken } from '../../session/token';
import { Dot } from '../../ui/Dot';
import { Failure } from '../../ui/Failure';
import { Page } from '../../ui/Page';
import type { Finding, Verdict } from './expected';
import { probe } from './probe';

const VERDICTS: Record<Verdict, { tone: 'good' | 'warn' | 'bad' | 'idle'; text: string }> = {
  good: { tone: 'good', text: 'As it must be' },
  warn: { tone: 'warn', text: 'Could be better' },
  bad: { tone: 'bad', text: 'Not as it must be' },
  unknown: { tone: 'idle', text: 'Cannot be seen' },
};

export function Component() {
  const probed = useQuery({
    queryKey: ['hardening'],
    queryFn: ({ signal }) =>
      probe(readToken(), signal).catch((error: unknown) => {
        if (signal.aborted) throw error;
        throw ApiError.unreachable();
      }),
    refetchOnWindowFocus: false,
  });
  const wrong = probed.data?.flatMap(({ findings }) => findings).filter(({ verdict }) => verdict === 'bad').length;
  return (
    <Page
      title="Hardening"
      lead="What this browser can see of how the server is set up, against what the product promises."
      actions={
        <Button variant="default" onClick={() => void probed.refetch()}>
          Look again
        </Button>
      }
    >
      {probed.data ? (
        <Stack gap="lg">
          <Text size="sm" role="status">
            {wrong === 0 ? (
              <Dot tone="good">Everything that can be seen from here is as it must be.</Dot>
            ) : (
              <Dot tone="bad">{wrong === 1 ? 'One thing is' : `${wrong} things are`} not as it must be.</Dot>
            )}
          </Text>
          {probed.data.map(({ title, lead, findings }) => (
            <section key={title} aria-label={title}>
              <Title order={2}>{title}</Title>
              <Text size="sm" c="dimmed" mb="xs">
                {lead}
              </Text>
              <Paper p={0} className="tile rows">
                {findings.map((finding) => (
                  <Line key={finding.what} of={finding} />
                ))}
              </Paper>
            </section>
          ))}
        </Stack>
      ) : probed.error ? (
        <Failure error={probed.error} retry={() => void probed.refetch()} />
      ) : (
        <Skeleton height={480} />
      )}
    </Page>
  );
}

function Line({ of: { what, verdict, found, expected, why } }: { of: Finding }) {
  const { tone, text } = VERDICTS[verdict];
  return (
    <div className="finding">
      <div>
        <Text size="sm" fw={500} className="breaks">
          {what}
        </Text>
        <Dot tone={tone}>{text}</Dot>
      </div>
      <div>
        <Code className="breaks found">{found}</Code>
        {expected && (
          <Text size="xs" mt={4}>
            Expected: <Code className="breaks">{expected}</Code>
          </Text>
        )}
        <Text size="xs" c="dimmed" mt={4}>
          {why}
        </Text>
      </div>
    </div>
  );
}
