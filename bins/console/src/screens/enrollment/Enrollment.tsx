import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlus, IconTicket, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { api, body } from '../../api/client';
import { PAGE_SIZE, useCursorList } from '../../api/cursorList';
import type { EnrollmentToken } from '../../api/types';
import { useLive } from '../../lib/live';
import { useMay } from '../../session/session';
import { type Column, DataTable } from '../../ui/DataTable';
import { Dot } from '../../ui/Dot';
import { Failure } from '../../ui/Failure';
import { Nothing } from '../../ui/Nothing';
import { Page } from '../../ui/Page';
import { RowMenu } from '../../ui/RowMenu';
import { useShownOnce } from '../../ui/shownOnce';
import { Time } from '../../ui/Time';
import { requestsQuery, TOKENS, useEnrollmentActions, type WithValue } from './actions';
import { type Dialog, Dialogs, TokenDialog } from './dialogs';
import { Requests } from './Requests';
import { STATE_NAMES, STATE_TONES, tokenState, usesInWords } from './tokens';

function fetchPage(cursor: string | undefined, signal: AbortSignal) {
  const query = { limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) };
  return body(api.GET('/api/v1/enrollment-tokens', { params: { query }, signal }));
}

export function Component() {
  const { administer } = useMay();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [made, setMade] = useShownOnce<WithValue>('value');
  const actions = useEnrollmentActions({
    reveal: setMade,
    done: (message) => notifications.show({ message, color: 'teal' }),
  });
  const close = () => {
    setDialog(null);
    for (const action of Object.values(actions)) action.reset();
  };
  const requests = useQuery(requestsQuery);
  const list = useCursorList<EnrollmentToken>({ key: TOKENS, fetch: fetchPage });
  const onShow = useRef({ from: 0, to: 0 });
  const onVisible = useCallback((from: number, to: number) => {
    onShow.current = { from, to };
  }, []);
  const { refreshRows } = list;
  // The next round tries again; a fault that lasts shows at the next thing one does.
  useLive(() => void refreshRows(onShow.current.from, onShow.current.to).catch(() => {}));
  const columns = useMemo(() => columnsFor(administer ? setDialog : null), [administer]);
  const createButton = administer && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog({ kind: 'create' })}>
      New token
    </Button>
  );
  return (
    <Page
      title="Enrollment"
      lead="Tokens with which agents and collectors register by themselves and get a key of their own."
      actions={createButton}
    >
      {requests.error && !requests.data ? (
        <Failure error={requests.error} retry={() => void requests.refetch()} />
      ) : requests.data && requests.data.length > 0 ? (
        <Requests requests={requests.data} act={administer ? setDialog : null} />
      ) : null}
      {list.error && list.rows.length === 0 ? (
        <Failure error={list.error} retry={list.retry} />
      ) : (
        <>
          {list.error ? <Failure error={list.error} retry={list.retry} /> : null}
          <DataTable
            label="Enrollment tokens"
            list={list}
            columns={columns}
            rowId={(row) => row.id}
            onVisible={onVisible}
            empty={
              <Nothing
                icon={<IconTicket aria-hidden />}
                title="No enrollment tokens"
                hint={
                  administer
                    ? 'Create one to bring in many hosts at once, or one without copying its key.'
                    : 'An administrator creates one where hosts are to register by themselves.'
                }
                action={createButton}
              />
            }
          />
        </>
      )}
      <Dialogs dialog={dialog} actions={actions} onClose={close} />
      {made && <TokenDialog made={made} onClose={() => setMade(null)} />}
    </Page>
  );
}

function State({ of }: { of: EnrollmentToken }) {
  const state = tokenState(of, Date.now());
  return <Dot tone={STATE_TONES[state]}>{STATE_NAMES[state]}</Dot>;
}

function columnsFor(act: ((dialog: Dialog) => void) | null): Column<EnrollmentToken>[] {
  const columns: Column<EnrollmentToken>[] = [
    {
      id: 'description',
      header: 'Description',
      phone: true,
      cell: (row) => (
        <>
          {row.description ? (
            <bdi className="cell-main">{row.description}</bdi>
          ) : (
            <span className="cell-main faint">No description</span>
          )}
          <span className="cell-sub phone-only">{usesInWords(row)} used</span>
        </>
      ),
    },
    { id: 'state', header: 'State', width: '110px', phone: true, cell: (row) => <State of={row} /> },
    { id: 'uses', header: 'Used', width: '120px', cell: usesInWords },
    {
      id: 'used',
      header: 'Last used',
      width: '140px',
      cell: (row) =>
        row.last_used_at ? <Time at={row.last_used_at} as="ago" /> : <span className="faint">Never</span>,
    },
    {
      id: 'expires',
      header: 'Good until',
      width: '180px',
      cell: (row) => (row.expires_at ? <Time at={row.expires_at} /> : <span className="faint">No end</span>),
    },
    { id: 'created', header: 'Created', width: '180px', cell: (row) => <Time at={row.created_at} /> },
  ];
  if (!act) return columns;
  return [
    ...columns,
    {
      id: 'actions',
      header: 'Actions',
      quiet: true,
      width: '52px',
      phone: true,
      cell: (row) => (
        <RowMenu name={row.description || 'the token without a description'}>
          {() => (
            <Menu.Item
              className="danger"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => act({ kind: 'delete', of: row })}
            >
              Delete
            </Menu.Item>
          )}
        </RowMenu>
      ),
    },
  ];
}
