import { List, Progress } from '@mantine/core';
import { IconCheck, IconCircle } from '@tabler/icons-react';
import type { PasswordReview } from '../../lib/password';

/** Says what is missing. Colour and bar only repeat what the list says. */
export function PasswordMeter({ review, id }: { review: PasswordReview; id: string }) {
  const complete = review.requirements.every((requirement) => requirement.met);
  return (
    <div>
      <Progress
        value={review.score}
        size={4}
        color={complete ? 'teal' : review.score > 50 ? 'yellow' : 'gray'}
        aria-label="How far the password is"
      />
      <List id={id} listStyleType="none" size="xs" mt={8} spacing={4} aria-live="polite">
        {review.requirements.map(({ id: key, label, met }) => (
          <List.Item
            key={key}
            c={met ? undefined : 'dimmed'}
            icon={
              met ? (
                <IconCheck size={14} color="var(--app-good)" aria-label="fulfilled:" role="img" />
              ) : (
                <IconCircle size={14} aria-label="missing:" role="img" />
              )
            }
          >
            {label}
          </List.Item>
        ))}
      </List>
    </div>
  );
}
