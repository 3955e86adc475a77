import { Text, UnstyledButton, type UnstyledButtonProps } from '@mantine/core';
import { IconUserCircle } from '@tabler/icons-react';
import type { ComponentProps } from 'react';
import { useMe } from '../session/session';

/** Who is signed in: what the menu of the account opens from. */
export function PersonButton({ className, ...props }: UnstyledButtonProps & ComponentProps<'button'>) {
  const me = useMe();
  const name = me.display_name || me.username;
  return (
    <UnstyledButton {...props} className={`person ${className ?? ''}`} aria-label={`Account of ${name}`}>
      <IconUserCircle size={20} stroke={1.6} aria-hidden />
      <Text size="sm" truncate maw={180} visibleFrom="xs">
        <bdi>{name}</bdi>
      </Text>
    </UnstyledButton>
  );
}
