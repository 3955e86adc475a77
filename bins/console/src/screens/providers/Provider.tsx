import {
  ActionIcon,
  Anchor,
  Button,
  Code,
  CopyButton,
  DataList,
  Group,
  Paper,
  Skeleton,
  Stack,
  Tabs,
  Text,
  Textarea,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { api, body } from '../../api/client';
import type { OidcProvider } from '../../api/types';
import { oneOf, useUrlState } from '../../lib/urlState';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dot } from '../../ui/Dot';
import { Fact } from '../../ui/Fact';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';
import { Page } from '../../ui/Page';
import { Steps } from '../../ui/Steps';
import { ROLE_NAMES } from '../users/roles';
import { ProviderForm } from './ProviderForm';
import { PROVIDERS } from './queries';
import { NEW, toCreate, toUpdate, type Values, valuesOf } from './settings';

const LIST = '/settings/identity-providers';

export function Component() {
  const { id = '' } = useParams();
  return id === 'new' ? <NewProvider /> : <OneProvider key={id} id={id} />;
}

function Back() {
  return (
    <Anchor component={Link} to={LIST} size="sm">
      Identity providers
    </Anchor>
  );
}

function NewProvider() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (values: Values) => body(api.POST('/api/v1/identity-providers/oidc', { body: toCreate(values) })),
    onSuccess: (provider) => {
      void queries.invalidateQueries({ queryKey: PROVIDERS });
      notifications.show({ message: 'The provider is set up. Enter these addresses there.', color: 'teal' });
      navigate(`${LIST}/${provider.id}?tab=there`, { replace: true });
    },
  });
  return (
    <Page title="New identity provider" lead={<Back />} width="text">
      <ProviderForm
        initial={NEW}
        hasSecret={false}
        busy={create.isPending}
        error={create.error}
        verb="Create"
        onSubmit={(values) => create.mutate(values)}
      />
    </Page>
  );
}

const TABS = ['settings', 'there', 'test', 'dry-run'] as const;

function OneProvider({ id }: { id: string }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { search, change } = useUrlState();
  const tab = oneOf(search.get('tab'), TABS) ?? 'settings';
  const [deleting, setDeleting] = useState(false);
  const key = [...PROVIDERS, 'one', id];
  const path = { params: { path: { id } } };
  const provider = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => body(api.GET('/api/v1/identity-providers/oidc/{id}', { ...path, signal })),
    // A form is open on it: it must not change under the hands.
    refetchOnWindowFocus: false,
  });
  const update = useMutation({
    mutationFn: ({ values, before }: { values: Values; before: OidcProvider }) =>
      body(api.PATCH('/api/v1/identity-providers/oidc/{id}', { ...path, body: toUpdate(values, before) })),
    onSuccess: (saved) => {
      queries.setQueryData(key, saved);
      void queries.invalidateQueries({ queryKey: [...PROVIDERS, 'list'] });
      notifications.show({ message: 'Saved.', color: 'teal' });
      update.reset();
    },
  });
  const remove = useMutation({
    mutationFn: () => api.DELETE('/api/v1/identity-providers/oidc/{id}', path),
    onSuccess: () => {
      notifications.show({ message: 'The provider is deleted.', color: 'teal' });
      navigate(LIST, { replace: true });
      void queries.invalidateQueries({ queryKey: [...PROVIDERS, 'list'] });
    },
  });
  const { data } = provider;
  return (
    <Page
      title={data?.name ?? 'Identity provider'}
      lead={<Back />}
      width="text"
      actions={
        data && (
          <Button variant="light" color="red" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        )
      }
    >
      {data ? (
        <Tabs value={tab} onChange={(next) => change({ tab: next === 'settings' ? null : next })} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="settings">Settings</Tabs.Tab>
            <Tabs.Tab value="there">At the provider</Tabs.Tab>
            <Tabs.Tab value="test">Test</Tabs.Tab>
            <Tabs.Tab value="dry-run">Dry run</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="settings">
            <ProviderForm
              key={provider.dataUpdatedAt}
              initial={valuesOf(data)}
              hasSecret={data.has_client_secret}
              busy={update.isPending}
              error={update.error}
              verb="Save"
              onSubmit={(values) => update.mutate({ values, before: data })}
            />
          </Tabs.Panel>
          <Tabs.Panel value="there">
            <Paper>
              <There of={data} />
            </Paper>
          </Tabs.Panel>
          <Tabs.Panel value="test">
            <Paper>
              <Test id={id} />
            </Paper>
          </Tabs.Panel>
          <Tabs.Panel value="dry-run">
            <Paper>
              <Rehearsal id={id} />
            </Paper>
          </Tabs.Panel>
        </Tabs>
      ) : provider.error ? (
        <Failure error={provider.error} retry={() => void provider.refetch()} />
      ) : (
        <Skeleton height={420} />
      )}
      {deleting && data && (
        <ConfirmDialog
          title="Delete identity provider"
          verb="Delete"
          type={data.name}
          danger
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={() => setDeleting(false)}
        >
          Nobody can sign in through <bdi className="strong">{data.name}</bdi> any more. The accounts stay, without a
          way to sign in.
        </ConfirmDialog>
      )}
    </Page>
  );
}

function Address({ label, text, children }: { label: string; text: string; children?: ReactNode }) {
  return (
    <Fact label={label}>
      <Group gap={4} wrap="nowrap">
        <Code className="breaks">{text}</Code>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <ActionIcon onClick={copy} aria-label={copied ? 'Copied' : `Copy: ${label}`}>
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          )}
        </CopyButton>
      </Group>
      {children}
    </Fact>
  );
}

/** What has to be entered on the other side, and what this server has learnt from there. */
function There({ of }: { of: OidcProvider }) {
  return (
    <Stack gap="lg">
      <Text size="sm">Enter these addresses where this server is registered as a client.</Text>
      <DataList orientation="vertical" withDivider>
        <Address label="Redirect address" text={of.redirect_uri} />
        <Address label="Address after signing out" text={of.post_logout_redirect_uri} />
        <Address label="Back-channel logout address" text={of.backchannel_logout_uri} />
      </DataList>
      <Text size="sm">
        {of.endpoints
          ? 'This is what the provider says about itself.'
          : 'The provider has not been reached yet. The test shows why.'}
      </Text>
      {of.endpoints && (
        <DataList orientation="vertical" withDivider>
          {Object.entries(of.endpoints).map(([name, address]) =>
            address ? (
              <Fact key={name} label={ENDPOINTS[name] ?? name}>
                <Code className="breaks">{address}</Code>
              </Fact>
            ) : null,
          )}
        </DataList>
      )}
    </Stack>
  );
}

const ENDPOINTS: Record<string, string> = {
  authorization_endpoint: 'Where people sign in',
  token_endpoint: 'Where codes are exchanged',
  jwks_uri: 'Its keys',
  end_session_endpoint: 'Where its own session ends',
};

function Test({ id }: { id: string }) {
  const test = useMutation({
    mutationFn: () => body(api.POST('/api/v1/identity-providers/oidc/{id}/test', { params: { path: { id } } })),
  });
  const late = useLate(test.isPending);
  return (
    <Stack gap="md" align="flex-start">
      <Text size="sm">Asks the provider what it offers and checks the answer, without signing anybody in.</Text>
      <Button onClick={() => !test.isPending && test.mutate()} loading={late}>
        Test now
      </Button>
      <Failure error={test.error} />
      {test.data && (
        <>
          <div role="status">
            {test.data.ok ? (
              <Dot tone="good">Everything is as it should be.</Dot>
            ) : (
              <Dot tone="bad">Not yet: see the step that failed.</Dot>
            )}
          </div>
          <Steps
            label="Steps of the test"
            steps={test.data.steps.map(({ check, ok, advice }) => ({ name: check, passed: ok, note: advice }))}
          />
        </>
      )}
    </Stack>
  );
}

const EXAMPLE = `{
  "sub": "248289761001",
  "preferred_username": "jane",
  "email": "jane@example.com",
  "email_verified": true,
  "groups": ["network-operators"]
}`;

const DECISIONS: Record<string, { tone: 'good' | 'bad'; text: string }> = {
  sign_in: { tone: 'good', text: 'Signs in to the account that this identity already has.' },
  link: { tone: 'good', text: 'Is joined to an account that is there, and signs in to it.' },
  provision: { tone: 'good', text: 'Gets a new account and signs in to it.' },
  account_inactive: { tone: 'bad', text: 'Is turned away: the account is deactivated.' },
  not_provisioned: { tone: 'bad', text: 'Is turned away: there is no account, and none is made.' },
};

function parseClaims(text: string): Record<string, unknown> | null {
  try {
    const claims: unknown = JSON.parse(text);
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? (claims as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Claims in, decision out. */
function Rehearsal({ id }: { id: string }) {
  const [text, setText] = useState(EXAMPLE);
  const claims = parseClaims(text);
  const run = useMutation({
    mutationFn: (wanted: Record<string, unknown>) =>
      body(
        api.POST('/api/v1/identity-providers/oidc/{id}/dry-run', {
          params: { path: { id } },
          // The document says of an object of anything that it is empty.
          body: { claims: wanted as Record<string, never> },
        }),
      ),
  });
  const late = useLate(run.isPending);
  const decision = run.data ? DECISIONS[run.data.decision] : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (claims && !run.isPending) run.mutate(claims);
      }}
    >
      <Stack gap="md">
        <Text size="sm">What would happen to somebody who comes with these claims. Nothing is changed.</Text>
        <Textarea
          label="Claims of the identity token"
          classNames={{ input: 'mono' }}
          rows={9}
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={claims ? null : 'This is not a JSON object.'}
        />
        <Group>
          <Button type="submit" disabled={!claims} loading={late}>
            Decide
          </Button>
        </Group>
        <Failure error={run.error} />
        {run.data && (
          <div role="status">
            <DataList withDivider labelWidth="140px">
              <Fact label="Decision">
                {decision ? <Dot tone={decision.tone}>{decision.text}</Dot> : run.data.decision}
              </Fact>
              {run.data.username && (
                <Fact label="Username">
                  <bdi>{run.data.username}</bdi>
                </Fact>
              )}
              {run.data.role && (
                <Fact label="Role">
                  {ROLE_NAMES[run.data.role] ?? run.data.role}
                  {run.data.role_mapped_by && (
                    <>
                      {' '}
                      by the group <bdi className="strong">{run.data.role_mapped_by}</bdi>
                    </>
                  )}
                </Fact>
              )}
            </DataList>
          </div>
        )}
      </Stack>
    </form>
  );
}
