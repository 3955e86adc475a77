import { Group, Paper, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Mark } from '../../app/Mark';
import { SchemeToggle } from '../../app/SchemeToggle';

/** The frame of the pages before the console: one card in the middle. */
export function Entry({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <div className="entry">
      <Group component="header" justify="space-between">
        <span className="brand">
          <Mark />
          <span>Stratora</span>
        </span>
        <SchemeToggle />
      </Group>
      <main className="entry-card">
        <Paper p="xl">
          <Title order={1}>{title}</Title>
          {lead && (
            <Text size="sm" c="dimmed" mt={4}>
              {lead}
            </Text>
          )}
          {children}
        </Paper>
      </main>
    </div>
  );
}
