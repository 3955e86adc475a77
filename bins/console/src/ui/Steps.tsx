import { Text, Timeline } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';

interface Step {
  name: string;
  passed: boolean;
  note?: string | null | undefined;
}

/** What was checked, in order, and how it came out. */
export function Steps({ label, steps }: { label: string; steps: Step[] }) {
  return (
    <Timeline aria-label={label} bulletSize={22} lineWidth={2} active={steps.length}>
      {steps.map(({ name, passed, note }, index) => (
        <Timeline.Item
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of one answer never change their order.
          key={index}
          color={passed ? 'teal.8' : 'red.8'}
          bullet={
            passed ? (
              <IconCheck size={13} aria-label="passed:" role="img" />
            ) : (
              <IconX size={13} aria-label="failed:" role="img" />
            )
          }
          title={
            <Text span size="sm" fw={500}>
              {sentence(name)}
            </Text>
          }
        >
          {note && (
            <Text size="xs" c="dimmed" className="breaks">
              <bdi>{full(note)}</bdi>
            </Text>
          )}
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

/** `token_endpoint` as `Token endpoint`. */
export function sentence(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A remark of the server, which may be a fragment, as a sentence. */
function full(note: string): string {
  const text = note.charAt(0).toUpperCase() + note.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
