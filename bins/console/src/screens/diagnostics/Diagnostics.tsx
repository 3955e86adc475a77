import { Anchor, Button, CopyButton, DataList, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMe } from '../../session/session';
import { Dot } from '../../ui/Dot';
import { Fact } from '../../ui/Fact';
import { Failure } from '../../ui/Failure';
import { Page } from '../../ui/Page';
import { runChecks } from './checks';

interface Document {
  info?: { version?: string };
  paths?: Record<string, unknown>;
}

export function Component() {
  const me = useMe();
  const checks = useQuery({
    queryKey: ['diagnostics'],
    queryFn: ({ signal }) => runChecks(signal),
    refetchInterval: 30_000,
  });
  const document = useQuery({
    queryKey: ['openapi'],
    queryFn: async ({ signal }) => {
      const response = await fetch('/api/v1/openapi.json', { signal });
      return response.ok ? ((await response.json()) as Document) : null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  const facts: [string, string][] = [
    ['Version of the console', __CONSOLE_VERSION__],
    ['Version of the server', document.data?.info?.version ?? 'Unknown'],
    ['Endpoints of the API', String(Object.keys(document.data?.paths ?? {}).length || 'Unknown')],
    ['Address', window.location.origin],
    ['Signed in as', `${me.username} (${me.role})`],
    ['Browser', navigator.userAgent],
    ['Time zone', Intl.DateTimeFormat().resolvedOptions().timeZone],
  ];
  const report = () =>
    [
      `Stratora diagnostics, ${new Date().toISOString()}`,
      ...(checks.data ?? []).map(
        ({ what, result, ms }) => `${what}: ${result}${ms === undefined ? '' : ` (${ms} ms)`}`,
      ),
      ...facts.map(([label, value]) => `${label}: ${value}`),
    ].join('\n');
  return (
    <Page
      title="Diagnostics"
      lead="Whether everything answers, and what to tell whoever helps you. Asked again every 30 seconds."
      width="text"
      actions={
        <>
          <Button variant="default" onClick={() => void checks.refetch()}>
            Ask again
          </Button>
          <CopyButton value={report()} timeout={3000}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy as text'}
              </Button>
            )}
          </CopyButton>
        </>
      }
    >
      <Stack gap="lg">
        {checks.data ? (
          <Paper p={0} className="tile rows">
            {checks.data.map(({ what, tone, result, hint, ms }) => (
              <div key={what} className="finding">
                <Text size="sm" fw={500}>
                  {what}
                </Text>
                <div>
                  <Dot tone={tone}>
                    {result}
                    {ms !== undefined && (
                      <Text span size="xs" c="dimmed">
                        {ms} ms
                      </Text>
                    )}
                  </Dot>
                  {hint && (
                    <Text size="xs" c="dimmed">
                      {hint}
                    </Text>
                  )}
                </div>
              </div>
            ))}
          </Paper>
        ) : checks.error ? (
          <Failure error={checks.error} retry={() => void checks.refetch()} />
        ) : (
          <Skeleton height={206} />
        )}
        <section aria-labelledby="facts">
          <Title order={2} id="facts" mb="xs">
            What runs here
          </Title>
          <Paper className="tile">
            <DataList withDivider labelWidth="180px">
              {facts.map(([label, value]) => (
                <Fact key={label} label={label}>
                  <bdi className="breaks">{value}</bdi>
                </Fact>
              ))}
              <Fact label="Licences">
                <Anchor href="/third-party-licenses.txt" size="sm" target="_blank" rel="noopener">
                  Of the software in this console
                </Anchor>
              </Fact>
            </DataList>
          </Paper>
        </section>
      </Stack>
    </Page>
  );
}
