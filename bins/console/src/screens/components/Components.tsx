import { ActionIcon, Button, Menu, Select, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconKey,
  IconMessageQuestion,
  IconPencil,
  IconPlugOff,
  IconPlus,
  IconRefresh,
  IconRefreshDot,
  IconRestore,
  IconServer2,
  IconTrash,
  IconUserCheck,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { Link, useLocation } from 'react-router';
import { api, body } from '../../api/client';
import { PAGE_SIZE, useCursorList } from '../../api/cursorList';
import type { Component as Listed } from '../../api/types';
import { useLive } from '../../lib/live';
import { readSort, writeSort } from '../../lib/sort';
import { oneOf, useUrlState } from '../../lib/urlState';
import { useMay } from '../../session/session';
import { type Column, DataTable } from '../../ui/DataTable';
import { Failure } from '../../ui/Failure';
import { Nothing } from '../../ui/Nothing';
import { Page } from '../../ui/Page';
import { RowMenu } from '../../ui/RowMenu';
import { SearchField } from '../../ui/SearchField';
import { useShownOnce } from '../../ui/shownOnce';
import { Time } from '../../ui/Time';
import { LIST, useComponentActions, type WithKey } from './actions';
import { ComponentDrawer } from './ComponentDrawer';
import { type Dialog, Dialogs, KeyDialog } from './dialogs';
import { FleetProgress } from './FleetRotation';
import { fleetQuery } from './fleet';
import { KIND_NAMES, STATUS_NAMES, STATUSES, Status } from './status';

const SORTED = ['name', 'hostname', 'kind', 'status', 'seen', 'key'];
const BY_NAME = { id: 'name', desc: false };

export function Component() {
  const { administer } = useMay();
  const { search, change } = useUrlState();
  const q = search.get('q') ?? '';
  const kind = oneOf(search.get('kind'), ['agent', 'collector']);
  const status = oneOf(search.get('status'), STATUSES);
  const sort = readSort(search.get('sort'), SORTED);
  const open = search.get('component');
  const filtered = q !== '' || kind !== null || status !== null;

  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [made, setMade] = useShownOnce<WithKey>('key');
  const actions = useComponentActions({
    reveal: setMade,
    done: (message) => notifications.show({ message, color: 'teal' }),
  });
  const act = useCallback((next: Dialog) => {
    setDialog(next);
  }, []);
  const close = () => {
    setDialog(null);
    for (const action of Object.values(actions)) action.reset();
  };

  const key = useMemo(() => [...LIST, { q, kind, status }], [q, kind, status]);
  const fetchPage = useCallback(
    (cursor: string | undefined, signal: AbortSignal) =>
      body(
        api.GET('/api/v1/remote-components', {
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(cursor ? { cursor } : {}),
              ...(q ? { q } : {}),
              ...(kind ? { kind } : {}),
              ...(status ? { status } : {}),
            },
          },
          signal,
        }),
      ),
    [q, kind, status],
  );
  const list = useCursorList<Listed>({ key, fetch: fetchPage, all: sort !== null && writeSort(sort) !== 'name' });

  const onShow = useRef({ from: 0, to: 0 });
  const { refreshRows } = list;
  // The next round tries again; a fault that lasts shows at the next thing one does.
  useLive(() => void refreshRows(onShow.current.from, onShow.current.to).catch(() => {}));

  const location = useLocation();
  const columns = useMemo(() => {
    const href = (id: string) => {
      const params = new URLSearchParams(location.search);
      params.set('component', id);
      return `?${params}`;
    };
    return columnsFor(href, administer ? act : null);
  }, [location.search, administer, act]);

  const openDrawer = useCallback((row: Listed) => change({ component: row.id }), [change]);
  const onVisible = useCallback((from: number, to: number) => {
    onShow.current = { from, to };
  }, []);
  const createButton = administer && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog({ kind: 'create' })}>
      New component
    </Button>
  );
  const fleet = useQuery({ ...fleetQuery, enabled: administer });
  const fleetButton = administer && (
    <Button
      variant="default"
      disabled={fleet.data?.state === 'running'}
      leftSection={<IconRefreshDot size={16} aria-hidden />}
      onClick={() => setDialog({ kind: 'fleet' })}
    >
      Rotate all keys
    </Button>
  );

  return (
    <Page
      title="Components"
      lead="The agents and collectors that report to this server, each with a key of its own."
      actions={
        <>
          {fleetButton}
          {createButton}
        </>
      }
    >
      {administer && <FleetProgress />}
      <div className="filters">
        <SearchField
          label="Search by name, host name or key"
          value={q}
          onChange={(text) => change({ q: text }, { replace: true })}
        />
        <Select
          aria-label="State"
          placeholder="Any state"
          w={140}
          clearable
          clearButtonProps={{ 'aria-label': 'Any state' }}
          data={STATUSES.map((value) => ({ value, label: STATUS_NAMES[value] }))}
          value={status}
          onChange={(value) => change({ status: value })}
        />
        <Select
          aria-label="Kind"
          placeholder="Any kind"
          w={140}
          clearable
          clearButtonProps={{ 'aria-label': 'Any kind' }}
          data={Object.entries(KIND_NAMES).map(([value, label]) => ({ value, label }))}
          value={kind}
          onChange={(value) => change({ kind: value })}
        />
        <Tooltip label="Load the list again">
          <ActionIcon size={36} variant="default" aria-label="Load the list again" onClick={list.refresh}>
            <IconRefresh size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      {list.error && list.rows.length === 0 ? (
        <Failure error={list.error} retry={list.retry} />
      ) : (
        <>
          {list.error ? <Failure error={list.error} retry={list.retry} /> : null}
          <DataTable
            label="Components"
            list={list}
            columns={columns}
            rowId={(row) => row.id}
            sort={sort}
            onSort={(next) => change({ sort: writeSort(next) })}
            serverSort={BY_NAME}
            onVisible={onVisible}
            onOpen={openDrawer}
            empty={
              filtered ? (
                <Nothing
                  icon={<IconServer2 aria-hidden />}
                  title="No component matches"
                  hint="Search for something else, or take the filters off."
                  action={
                    <Button variant="default" onClick={() => change({ q: null, kind: null, status: null })}>
                      Take the filters off
                    </Button>
                  }
                />
              ) : (
                <Nothing
                  icon={<IconServer2 aria-hidden />}
                  title="No components yet"
                  hint={
                    administer
                      ? 'Create one for each agent or collector. You get its key, once, to put on its host.'
                      : 'An administrator creates one for each agent or collector.'
                  }
                  action={createButton}
                />
              )
            }
          />
        </>
      )}
      {open && <ComponentDrawer id={open} onClose={() => change({ component: null })} onAct={act} />}
      <Dialogs
        dialog={dialog}
        actions={actions}
        onClose={close}
        onDeleted={() => {
          close();
          if (open) change({ component: null }, { replace: true });
        }}
      />
      {made && <KeyDialog made={made} onClose={() => setMade(null)} />}
    </Page>
  );
}

function columnsFor(href: (id: string) => string, act: ((dialog: Dialog) => void) | null): Column<Listed>[] {
  const columns: Column<Listed>[] = [
    {
      id: 'name',
      header: 'Name',
      phone: true,
      sortBy: (row) => row.name.toLowerCase(),
      cell: (row) => (
        <>
          <Link to={href(row.id)} preventScrollReset className="cell-main cell-link">
            <bdi>{row.name}</bdi>
          </Link>
          <span className="cell-sub phone-only">
            {KIND_NAMES[row.kind] ?? row.kind}
            {row.hostname && (
              <>
                {' · '}
                <bdi>{row.hostname}</bdi>
              </>
            )}
          </span>
        </>
      ),
    },
    {
      id: 'hostname',
      header: 'Host name',
      width: '20%',
      sortBy: (row) => row.hostname ?? undefined,
      cell: (row) => <bdi className="cell-main">{row.hostname}</bdi>,
    },
    {
      id: 'kind',
      header: 'Kind',
      width: '100px',
      sortBy: (row) => row.kind,
      cell: (row) => KIND_NAMES[row.kind] ?? row.kind,
    },
    {
      id: 'status',
      header: 'State',
      width: '110px',
      phone: true,
      sortBy: (row) => row.status,
      cell: (row) => <Status of={row} />,
    },
    {
      id: 'seen',
      header: 'Last seen',
      width: '150px',
      sortBy: (row) => row.last_seen_at ?? undefined,
      cell: (row) =>
        row.last_seen_at ? <Time at={row.last_seen_at} as="ago" /> : <span className="faint">Never</span>,
    },
    {
      id: 'key',
      header: 'Key',
      width: '150px',
      cell: (row) => <span className="mono">{row.key_prefix}…</span>,
    },
  ];
  if (act) {
    columns.push({
      id: 'actions',
      header: 'Actions',
      quiet: true,
      width: '52px',
      phone: true,
      cell: (row) => <Actions of={row} act={act} />,
    });
  }
  return columns;
}

function Actions({ of, act }: { of: Listed; act: (dialog: Dialog) => void }) {
  const revoked = of.status === 'revoked';
  const pending = of.status === 'pending';
  return (
    <RowMenu name={of.name}>
      {() => (
        <>
          {pending && (
            <Menu.Item
              leftSection={<IconUserCheck size={16} aria-hidden />}
              onClick={() => act({ kind: 'approve', of })}
            >
              Approve
            </Menu.Item>
          )}
          {revoked ? (
            <Menu.Item leftSection={<IconRestore size={16} aria-hidden />} onClick={() => act({ kind: 'restore', of })}>
              Restore
            </Menu.Item>
          ) : (
            <>
              {!pending && (
                <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => act({ kind: 'rotate', of })}>
                  Rotate key
                </Menu.Item>
              )}
              {!pending && !of.rotation_requested_at && (
                <Menu.Item
                  leftSection={<IconMessageQuestion size={16} aria-hidden />}
                  onClick={() => act({ kind: 'request', of })}
                >
                  Ask for a rotation
                </Menu.Item>
              )}
              <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => act({ kind: 'edit', of })}>
                Edit
              </Menu.Item>
              <Menu.Item
                className="danger"
                leftSection={<IconPlugOff size={16} aria-hidden />}
                onClick={() => act({ kind: 'revoke', of })}
              >
                Revoke
              </Menu.Item>
            </>
          )}
          <Menu.Item
            className="danger"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => act({ kind: 'delete', of })}
          >
            Delete
          </Menu.Item>
        </>
      )}
    </RowMenu>
  );
}
