import { Anchor, Button, Paper, Table } from '@mantine/core';
import { IconId, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, body } from '../../api/client';
import { TableSkeleton } from '../../ui/DataTable';
import { Dot } from '../../ui/Dot';
import { Failure } from '../../ui/Failure';
import { Nothing } from '../../ui/Nothing';
import { Page } from '../../ui/Page';
import { Time } from '../../ui/Time';
import { ROLE_NAMES } from '../users/roles';
import { ProviderNav } from './ProviderNav';
import { PROVIDERS } from './queries';

export function Component() {
  const providers = useQuery({
    queryKey: [...PROVIDERS, 'list'],
    queryFn: ({ signal }) => body(api.GET('/api/v1/identity-providers/oidc', { signal })),
  });
  const add = (
    <Button component={Link} to="/settings/identity-providers/new" leftSection={<IconPlus size={16} aria-hidden />}>
      New provider
    </Button>
  );
  return (
    <Page
      title="Identity providers"
      lead="Where people sign in with an account that they have elsewhere."
      actions={add}
    >
      <ProviderNav at="OpenID Connect" />
      {providers.data ? (
        providers.data.items.length > 0 ? (
          <Paper p={0} className="table-frame">
            <Table aria-label="OpenID Connect providers" className="data-table in-flow">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Name</Table.Th>
                  <Table.Th scope="col" visibleFrom="sm">
                    Issuer
                  </Table.Th>
                  <Table.Th scope="col">State</Table.Th>
                  <Table.Th scope="col" visibleFrom="md">
                    New people
                  </Table.Th>
                  <Table.Th scope="col" visibleFrom="md">
                    Created
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {providers.data.items.map((provider) => (
                  <Table.Tr key={provider.id}>
                    <Table.Td>
                      <Anchor
                        component={Link}
                        to={`/settings/identity-providers/${provider.id}`}
                        className="cell-main cell-link"
                      >
                        <bdi>{provider.name}</bdi>
                      </Anchor>
                    </Table.Td>
                    <Table.Td visibleFrom="sm">
                      <bdi className="cell-main">{provider.issuer}</bdi>
                    </Table.Td>
                    <Table.Td>{provider.enabled ? <Dot tone="good">On</Dot> : <Dot tone="idle">Off</Dot>}</Table.Td>
                    <Table.Td visibleFrom="md">
                      {provider.auto_provision
                        ? `Get an account as ${(ROLE_NAMES[provider.default_role] ?? provider.default_role).toLowerCase()}`
                        : 'Are turned away'}
                    </Table.Td>
                    <Table.Td visibleFrom="md">
                      <Time at={provider.created_at} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Paper>
        ) : (
          <Nothing
            icon={<IconId aria-hidden />}
            title="No identity provider yet"
            hint="Add one that speaks OpenID Connect, such as Keycloak, Entra ID or Okta. A button for it appears on the sign-in page."
            action={add}
          />
        )
      ) : providers.error ? (
        <Failure error={providers.error} retry={() => void providers.refetch()} />
      ) : (
        <TableSkeleton rows={4} />
      )}
    </Page>
  );
}
