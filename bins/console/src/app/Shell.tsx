import { AppShell, Burger, Group, NavLink } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconActivity,
  IconDevices,
  IconHistory,
  IconId,
  IconLayoutDashboard,
  IconServer2,
  IconShieldCheck,
  IconTicket,
  IconUsers,
} from '@tabler/icons-react';
import { type ComponentType, lazy, Suspense, useEffect, useState } from 'react';
import { Link, Outlet, useLocation } from 'react-router';
import { hasRole, type Role, useMe } from '../session/session';
import { Mark } from './Mark';
import { PersonButton } from './PersonButton';
import { SchemeToggle } from './SchemeToggle';

interface Entry {
  to: string;
  label: string;
  Icon: ComponentType<{ size?: number; stroke?: number }>;
  role: Role;
}

const SECTIONS: { title: string; entries: Entry[] }[] = [
  { title: '', entries: [{ to: '/', label: 'Overview', Icon: IconLayoutDashboard, role: 'viewer' }] },
  {
    title: 'Settings',
    entries: [
      { to: '/settings/components', label: 'Components', Icon: IconServer2, role: 'viewer' },
      { to: '/settings/enrollment', label: 'Enrollment', Icon: IconTicket, role: 'operator' },
      { to: '/settings/users', label: 'Users and roles', Icon: IconUsers, role: 'admin' },
      { to: '/settings/identity-providers', label: 'Identity providers', Icon: IconId, role: 'admin' },
    ],
  },
  {
    title: 'Security',
    entries: [
      { to: '/audit', label: 'Audit log', Icon: IconHistory, role: 'admin' },
      { to: '/sessions', label: 'My sessions', Icon: IconDevices, role: 'viewer' },
      { to: '/hardening', label: 'Hardening', Icon: IconShieldCheck, role: 'admin' },
    ],
  },
  { title: 'System', entries: [{ to: '/diagnostics', label: 'Diagnostics', Icon: IconActivity, role: 'viewer' }] },
];

// What opens over the page comes after the page.
const PersonMenu = lazy(() => import('./PersonMenu'));
const Messages = lazy(() => import('./Messages'));

export function Component() {
  const [opened, { toggle, close }] = useDisclosure();
  const [menuWanted, setMenuWanted] = useState(false);
  const { pathname } = useLocation();
  const me = useMe();
  // biome-ignore lint/correctness/useExhaustiveDependencies: going elsewhere closes the menu.
  useEffect(close, [pathname]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'sm', sm: 'lg' }}
      transitionDuration={120}
    >
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={opened ? 'Close the menu' : 'Open the menu'}
              aria-expanded={opened}
            />
            <Link to="/" className="brand" aria-label="Stratora, to the overview">
              <Mark />
              <span>Stratora</span>
            </Link>
          </Group>
          <Group gap={4} wrap="nowrap">
            <SchemeToggle />
            <Suspense fallback={<PersonButton onClick={() => setMenuWanted(true)} />}>
              <PersonMenu opened={menuWanted} />
            </Suspense>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Main">
        <AppShell.Section grow className="nav">
          {SECTIONS.map(({ title, entries }) => {
            const allowed = entries.filter((entry) => hasRole(me, entry.role));
            if (allowed.length === 0) return null;
            return (
              <div key={title} className="nav-section">
                {title && <div className="nav-title">{title}</div>}
                {allowed.map(({ to, label, Icon }) => {
                  const active = to === '/' ? pathname === '/' : pathname.startsWith(to);
                  return (
                    <NavLink
                      key={to}
                      component={Link}
                      to={to}
                      label={label}
                      leftSection={<Icon size={17} stroke={1.6} aria-hidden />}
                      active={active}
                      {...(active ? { 'aria-current': 'page' as const } : {})}
                    />
                  );
                })}
              </div>
            );
          })}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main">
        <Outlet />
      </AppShell.Main>
      <Suspense fallback={null}>
        <Messages />
      </Suspense>
    </AppShell>
  );
}
