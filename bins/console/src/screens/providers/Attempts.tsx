import { DataList, Drawer, Stack, Text, Title } from '@mantine/core';
import { IconId } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { Link } from 'react-router';
import { api, body } from '../../api/client';
import { PAGE_SIZE, useCursorList } from '../../api/cursorList';
import type { Attempt } from '../../api/types';
import { readReference } from '../../lib/reference';
import { useUrlState } from '../../lib/urlState';
import { type Column, DataTable } from '../../ui/DataTable';
import { Dot } from '../../ui/Dot';
import { Fact } from '../../ui/Fact';
import { Failure } from '../../ui/Failure';
import { Nothing } from '../../ui/Nothing';
import { Page } from '../../ui/Page';
import { SearchField } from '../../ui/SearchField';
import { Steps, sentence } from '../../ui/Steps';
import { Time } from '../../ui/Time';
import { ProviderNav } from './ProviderNav';
import { PROVIDERS } from './queries';

type Row = Attempt & { id: string };

/** What went wrong in sign-ins through providers, found by the reference that the person was shown. */
export function Component() {
  const { search, change } = useUrlState();
  const typed = search.get('reference') ?? '';
  const reference = readReference(typed) ?? '';
  const unfinished = typed !== '' && reference === '';
  const provider = search.get('provider') ?? '';
  const open = search.get('attempt');
  const key = useMemo(() => [...PROVIDERS, 'attempts', { reference, provider }], [reference, provider]);
  const fetchPage = useCallback(
    async (cursor: string | undefined, signal: AbortSignal) => {
      const query = {
        limit: PAGE_SIZE,
        ...(cursor ? { cursor } : {}),
        ...(reference ? { reference } : {}),
        ...(provider ? { provider } : {}),
      };
      const page = await body(api.GET('/api/v1/identity-providers/oidc/attempts', { params: { query }, signal }));
      return { ...page, items: page.items.map((attempt) => ({ ...attempt, id: attempt.reference })) };
    },
    [reference, provider],
  );
  const list = useCursorList<Row>({ key, fetch: fetchPage });
  const columns = useMemo(() => {
    const href = (id: string) => {
      const params = new URLSearchParams(search);
      params.set('attempt', id);
      return `?${params}`;
    };
    return columnsFor(href);
  }, [search]);
  const listed = list.rows.find((row) => row.reference === open);
  // A link leads to an attempt that may be far down the list.
  const linked = useQuery({
    queryKey: [...PROVIDERS, 'attempt', open],
    queryFn: ({ signal }) => fetchAttempt(readReference(open ?? '') ?? '', signal),
    enabled: open !== null && readReference(open) !== null && !list.pending && !listed,
  });
  const opened = listed ?? linked.data;
  return (
    <Page
      title="Identity providers"
      lead="Sign-ins through identity providers, step by step. Whoever is turned away is shown a reference."
    >
      <ProviderNav at="Sign-in attempts" />
      <div className="filters">
        <SearchField
          label="Reference"
          placeholder="Reference from the sign-in page"
          value={typed}
          onChange={(text) => change({ reference: text }, { replace: true })}
        />
        {unfinished && (
          <Text size="sm" c="dimmed" role="status">
            A reference has eight letters and digits.
          </Text>
        )}
      </div>
      {list.error && list.rows.length === 0 ? (
        <Failure error={list.error} retry={list.retry} />
      ) : (
        <DataTable
          label="Sign-in attempts, the newest first"
          list={list}
          columns={columns}
          rowId={(row) => row.reference}
          onOpen={(row) => change({ attempt: row.reference })}
          empty={
            <Nothing
              icon={<IconId aria-hidden />}
              title={reference ? 'No attempt has this reference' : 'No attempts yet'}
              hint={
                reference
                  ? 'References are kept for a limited time. Have the person try again.'
                  : 'They appear when somebody signs in through a provider.'
              }
            />
          }
        />
      )}
      {open && (opened || linked.isFetched) && (
        <Drawer opened onClose={() => change({ attempt: null })} title={`Attempt ${opened?.reference ?? ''}`}>
          {opened ? (
            <Details of={opened} />
          ) : linked.error ? (
            <Failure error={linked.error} />
          ) : (
            <Text size="sm">No attempt has this reference any more. They are kept for a limited time.</Text>
          )}
        </Drawer>
      )}
    </Page>
  );
}

async function fetchAttempt(reference: string, signal: AbortSignal): Promise<Attempt | null> {
  const query = { reference, limit: 1 };
  const page = await body(api.GET('/api/v1/identity-providers/oidc/attempts', { params: { query }, signal }));
  return page.items[0] ?? null;
}

function Result({ of }: { of: Attempt }) {
  return <Dot tone={of.code === 'signed_in' ? 'good' : 'bad'}>{sentence(of.code)}</Dot>;
}

function columnsFor(href: (id: string) => string): Column<Row>[] {
  return [
    { id: 'at', header: 'When', width: '205px', cell: (row) => <Time at={row.at} as="exact" /> },
    {
      id: 'reference',
      header: 'Reference',
      phone: true,
      cell: (row) => (
        <Link to={href(row.reference)} preventScrollReset className="cell-main cell-link mono">
          {row.reference}
        </Link>
      ),
    },
    {
      id: 'provider',
      header: 'Provider',
      width: '20%',
      cell: (row) => (row.provider ? <bdi className="cell-main">{row.provider.name}</bdi> : null),
    },
    { id: 'result', header: 'Result', width: '190px', phone: true, cell: (row) => <Result of={row} /> },
    {
      id: 'username',
      header: 'Who',
      width: '15%',
      cell: (row) => (row.username ? <bdi className="cell-main">{row.username}</bdi> : null),
    },
    {
      id: 'address',
      header: 'From',
      width: '130px',
      cell: (row) => <span className="mono cell-main">{row.client_address}</span>,
    },
  ];
}

function Details({ of }: { of: Attempt }) {
  const rows = [
    ['Result', <Result key="r" of={of} />],
    ['When', <Time key="t" at={of.at} as="exact" />],
    ['Provider', of.provider ? <bdi key="p">{of.provider.name}</bdi> : '–'],
    ['Who', of.username ? <bdi key="u">{of.username}</bdi> : '–'],
    ['From address', of.client_address ?? '–'],
  ] as const;
  return (
    <Stack gap="lg">
      <DataList withDivider labelWidth="130px">
        {rows.map(([label, value]) => (
          <Fact key={label} label={label}>
            {value}
          </Fact>
        ))}
      </DataList>
      <section aria-labelledby="steps">
        <Title order={2} id="steps" mb="sm">
          Steps
        </Title>
        {of.steps.length > 0 ? (
          <Steps
            label="Steps of the sign-in"
            steps={of.steps.map(({ check, outcome, note }) => ({ name: check, passed: outcome === 'passed', note }))}
          />
        ) : (
          <Text size="sm" c="dimmed">
            It ended before anything could be checked.
          </Text>
        )}
      </section>
    </Stack>
  );
}
