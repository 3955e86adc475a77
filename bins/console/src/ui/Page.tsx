import { Box, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';

interface Props {
  title: string;
  /** One sentence: what one does here. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** How wide text and forms may get. */
  width?: 'wide' | 'text';
}

/** Puts the keyboard and the screen reader at the start of a screen that was gone to, but not at the first one. */
let arrived = false;

/** The frame of a screen: its title in the page and in the browser, and what one can do here. */
export function Page({ title, lead, actions, children, width = 'wide' }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Stratora`;
    if (arrived) heading.current?.focus({ preventScroll: true });
    arrived = true;
  }, [title]);
  return (
    <Box className="page" data-width={width}>
      <Group justify="space-between" align="flex-start" gap="sm" mb="md">
        <div>
          <Title order={1} ref={heading} tabIndex={-1} className="quiet-focus">
            {title}
          </Title>
          {lead && (
            <Text c="dimmed" size="sm" mt={2} maw={720}>
              {lead}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Box>
  );
}
