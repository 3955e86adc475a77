import { Menu } from '@mantine/core';
import { IconDevices, IconKey, IconLogout } from '@tabler/icons-react';
import { Link, useLocation } from 'react-router';
import { useMe, useSession } from '../session/session';
import { PersonButton } from './PersonButton';

const ROLE_NAMES: Record<string, string> = { admin: 'Administrator', operator: 'Operator', viewer: 'Viewer' };

/** `opened`: whether it was asked for before it was there. */
export default function PersonMenu({ opened }: { opened: boolean }) {
  const me = useMe();
  const session = useSession();
  const { pathname, search } = useLocation();
  return (
    <Menu width={230} withinPortal={false} defaultOpened={opened}>
      <Menu.Target>
        <PersonButton />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <bdi>{me.username}</bdi> · {ROLE_NAMES[me.role] ?? me.role}
        </Menu.Label>
        <Menu.Item component={Link} to="/sessions" leftSection={<IconDevices size={16} aria-hidden />}>
          My sessions
        </Menu.Item>
        {me.auth_source === 'local' && (
          <Menu.Item
            component={Link}
            to="/change-password"
            state={{ back: pathname + search }}
            leftSection={<IconKey size={16} aria-hidden />}
          >
            Change password
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void session.signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
