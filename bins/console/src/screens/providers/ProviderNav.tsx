import { Tabs } from '@mantine/core';
import { useNavigate } from 'react-router';

const PLACES = [
  { value: '/settings/identity-providers', label: 'OpenID Connect' },
  { value: '/settings/identity-providers/directory', label: 'Directory' },
  { value: '/settings/identity-providers/attempts', label: 'Sign-in attempts' },
] as const;

/** The three parts of the screen, each with an address of its own. */
export function ProviderNav({ at }: { at: (typeof PLACES)[number]['label'] }) {
  const navigate = useNavigate();
  const here = PLACES.find(({ label }) => label === at)?.value ?? null;
  return (
    <Tabs value={here} onChange={(to) => to && to !== here && navigate(to)} mb="md" activateTabWithKeyboard={false}>
      <Tabs.List aria-label="Identity providers">
        {PLACES.map(({ value, label }) => (
          <Tabs.Tab key={value} value={value} aria-controls={undefined as never}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
}
