import { Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';

interface Props {
  /** Of what, for screen readers. */
  name: string;
  /** The entries; made only when they are wanted, because a long list has many menus. */
  children: () => ReactNode;
}

/** The menu of a row. */
export function RowMenu({ name, children }: Props) {
  const [wanted, setWanted] = useState(false);
  const button = (
    // A bare button: the library's costs more than the rest of the row.
    <button
      type="button"
      className="row-button"
      aria-label={`Actions for ${name}`}
      aria-haspopup="menu"
      onClick={() => setWanted(true)}
    >
      <IconDots size={18} aria-hidden />
    </button>
  );
  if (!wanted) return button;
  return (
    <Menu width={190} defaultOpened>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>{children()}</Menu.Dropdown>
    </Menu>
  );
}
