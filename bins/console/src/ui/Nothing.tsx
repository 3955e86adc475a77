import { EmptyState, Paper } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  icon: ReactNode;
  title: string;
  /** What to do about it. */
  hint: ReactNode;
  action?: ReactNode;
}

/** Stands where a list would. */
export function Nothing({ icon, title, hint, action }: Props) {
  return (
    <Paper py="xl">
      <EmptyState icon={icon} title={title} description={hint} size="sm">
        {action && <EmptyState.Actions>{action}</EmptyState.Actions>}
      </EmptyState>
    </Paper>
  );
}
