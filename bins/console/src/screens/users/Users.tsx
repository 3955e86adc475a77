import { Badge, Button, Group, Menu, Paper, Select, SimpleGrid, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconDevices,
  IconKey,
  IconPencil,
  IconPlus,
  IconTrash,
  IconUserCheck,
  IconUserOff,
  IconUsers,
} from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { api, body } from '../../api/client';
import { PAGE_SIZE, useCursorList } from '../../api/cursorList';
import type { User } from '../../api/types';
import { readSort, writeSort } from '../../lib/sort';
import { oneOf, useUrlState } from '../../lib/urlState';
import { useMe } from '../../session/session';
import { type Column, DataTable } from '../../ui/DataTable';
import { Dot } from '../../ui/Dot';
import { Failure } from '../../ui/Failure';
import { Nothing } from '../../ui/Nothing';
import { Page } from '../../ui/Page';
import { RowMenu } from '../../ui/RowMenu';
import { SearchField } from '../../ui/SearchField';
import { useShownOnce } from '../../ui/shownOnce';
import { Time } from '../../ui/Time';
import { LIST, useUserActions, type WithPassword } from './actions';
import { type Dialog, Dialogs, PasswordDialog } from './dialogs';
import { ROLE_MEANINGS, ROLE_NAMES, ROLES, SOURCE_NAMES } from './roles';

const SORTED = ['username', 'name', 'role', 'source', 'state', 'seen'];

export function Component() {
  const me = useMe();
  const { search, change } = useUrlState();
  const q = search.get('q') ?? '';
  const role = oneOf(search.get('role'), ROLES);
  const sort = readSort(search.get('sort'), SORTED);
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [made, setMade] = useShownOnce<WithPassword>('password');
  const actions = useUserActions({
    reveal: setMade,
    done: (message) => notifications.show({ message, color: 'teal' }),
  });
  const close = () => {
    setDialog(null);
    for (const action of Object.values(actions)) action.reset();
  };
  const fetchPage = useCallback(
    (cursor: string | undefined, signal: AbortSignal) =>
      body(
        api.GET('/api/v1/users', {
          params: { query: { limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    [],
  );
  // The API does not search among users: the browser does, in all of them.
  const searching = q !== '' || role !== null;
  const list = useCursorList<User>({ key: LIST, fetch: fetchPage, all: searching || sort !== null });
  const filter = useMemo(() => {
    if (!searching) return undefined;
    const text = q.toLowerCase();
    return (user: User) =>
      (role === null || user.role === role) &&
      [user.username, user.display_name, user.email ?? ''].some((value) => value.toLowerCase().includes(text));
  }, [searching, q, role]);
  const columns = useMemo(() => columnsFor(me.id, setDialog), [me.id]);

  return (
    <Page
      title="Users and roles"
      lead="Who may sign in, and what they may do then."
      actions={
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog({ kind: 'create' })}>
          New user
        </Button>
      }
    >
      <div className="filters">
        <SearchField
          label="Search by name or mail address"
          value={q}
          onChange={(text) => change({ q: text }, { replace: true })}
        />
        <Select
          aria-label="Role"
          placeholder="Any role"
          w={160}
          clearable
          clearButtonProps={{ 'aria-label': 'Any role' }}
          data={ROLES.map((value) => ({ value, label: ROLE_NAMES[value] ?? value }))}
          value={role}
          onChange={(value) => change({ role: value })}
        />
      </div>
      {list.error && list.rows.length === 0 ? (
        <Failure error={list.error} retry={list.retry} />
      ) : (
        <DataTable
          label="Users"
          list={list}
          columns={columns}
          rowId={(row) => row.id}
          sort={sort}
          onSort={(next) => change({ sort: writeSort(next) })}
          filter={filter}
          empty={
            <Nothing
              icon={<IconUsers aria-hidden />}
              title="No user matches"
              hint="Search for something else, or take the filters off."
              action={
                <Button variant="default" onClick={() => change({ q: null, role: null })}>
                  Take the filters off
                </Button>
              }
            />
          }
        />
      )}
      <Title order={2} mt="xl" mb="xs">
        Roles
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
        {ROLES.map((one) => (
          <Paper key={one} className="tile">
            <Title order={3}>{ROLE_NAMES[one]}</Title>
            <Text size="sm" c="dimmed" mt={4}>
              {ROLE_MEANINGS[one]}
            </Text>
          </Paper>
        ))}
      </SimpleGrid>
      <Dialogs dialog={dialog} actions={actions} onClose={close} />
      {made && <PasswordDialog made={made} onClose={() => setMade(null)} />}
    </Page>
  );
}

function State({ of }: { of: User }) {
  if (!of.active) return <Dot tone="idle">Deactivated</Dot>;
  if (of.must_change_password) return <Dot tone="warn">One-time password</Dot>;
  return <Dot tone="good">Active</Dot>;
}

function columnsFor(me: string, act: (dialog: Dialog) => void): Column<User>[] {
  return [
    {
      id: 'username',
      header: 'Username',
      phone: true,
      sortBy: (row) => row.username,
      cell: (row) => (
        <>
          <Group gap={6} wrap="nowrap">
            <bdi className="cell-main cell-link">{row.username}</bdi>
            {row.id === me && <Badge color="tide">You</Badge>}
            {row.built_in && (
              <Badge color="gray" visibleFrom="sm">
                Built in
              </Badge>
            )}
          </Group>
          <span className="cell-sub phone-only">
            {ROLE_NAMES[row.role] ?? row.role}
            {row.display_name && (
              <>
                {' · '}
                <bdi>{row.display_name}</bdi>
              </>
            )}
          </span>
        </>
      ),
    },
    {
      id: 'name',
      header: 'Name',
      width: '20%',
      sortBy: (row) => row.display_name.toLowerCase() || undefined,
      cell: (row) => (
        <>
          <bdi className="cell-main">{row.display_name}</bdi>
          {row.email && <bdi className="cell-sub">{row.email}</bdi>}
        </>
      ),
    },
    {
      id: 'role',
      header: 'Role',
      width: '120px',
      sortBy: (row) => ROLES.indexOf(row.role as (typeof ROLES)[number]),
      cell: (row) => ROLE_NAMES[row.role] ?? row.role,
    },
    {
      id: 'source',
      header: 'Signs in by',
      width: '130px',
      sortBy: (row) => row.auth_source,
      cell: (row) => SOURCE_NAMES[row.auth_source] ?? row.auth_source,
    },
    {
      id: 'state',
      header: 'State',
      width: '170px',
      phone: true,
      sortBy: (row) => (row.active ? (row.must_change_password ? 1 : 0) : 2),
      cell: (row) => <State of={row} />,
    },
    {
      id: 'seen',
      header: 'Last sign-in',
      width: '130px',
      sortBy: (row) => row.last_sign_in_at ?? undefined,
      cell: (row) =>
        row.last_sign_in_at ? <Time at={row.last_sign_in_at} as="ago" /> : <span className="faint">Never</span>,
    },
    {
      id: 'actions',
      header: 'Actions',
      quiet: true,
      width: '52px',
      phone: true,
      cell: (row) => <Actions of={row} own={row.id === me} act={act} />,
    },
  ];
}

function Actions({ of, own, act }: { of: User; own: boolean; act: (dialog: Dialog) => void }) {
  const fixed = own || of.built_in;
  return (
    <RowMenu name={of.username}>
      {() => (
        <>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => act({ kind: 'edit', of })}>
            Edit
          </Menu.Item>
          <Menu.Item leftSection={<IconDevices size={16} aria-hidden />} onClick={() => act({ kind: 'sessions', of })}>
            Sessions
          </Menu.Item>
          {of.auth_source === 'local' && !own && (
            <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => act({ kind: 'reset', of })}>
              Reset password
            </Menu.Item>
          )}
          {!fixed &&
            (of.active ? (
              <Menu.Item
                className="danger"
                leftSection={<IconUserOff size={16} aria-hidden />}
                onClick={() => act({ kind: 'deactivate', of })}
              >
                Deactivate
              </Menu.Item>
            ) : (
              <Menu.Item
                leftSection={<IconUserCheck size={16} aria-hidden />}
                onClick={() => act({ kind: 'activate', of })}
              >
                Activate
              </Menu.Item>
            ))}
          {!fixed && (
            <Menu.Item
              className="danger"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => act({ kind: 'delete', of })}
            >
              Delete
            </Menu.Item>
          )}
        </>
      )}
    </RowMenu>
  );
}
