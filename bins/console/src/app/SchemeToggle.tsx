import { ActionIcon, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';
import { useTakenOver } from '../ui/takenOver';

const SCHEMES = {
  auto: { label: 'as the system', next: 'light', Icon: IconDeviceDesktop },
  light: { label: 'light', next: 'dark', Icon: IconSun },
  dark: { label: 'dark', next: 'auto', Icon: IconMoon },
} as const;

/** Goes round: as the system, light, dark. */
export function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const takenOver = useTakenOver();
  const { label, next, Icon } = SCHEMES[takenOver ? colorScheme : 'auto'];
  return (
    <ActionIcon
      size="lg"
      aria-label={`Colours: ${label}. Change to ${SCHEMES[next].label}`}
      title={`Colours: ${label}`}
      onClick={() => setColorScheme(next)}
    >
      <Icon size={18} aria-hidden />
    </ActionIcon>
  );
}
