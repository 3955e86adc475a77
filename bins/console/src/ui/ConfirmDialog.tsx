import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Failure } from './Failure';
import { useLate } from './late';

interface Props {
  title: string;
  children: ReactNode;
  /** What the button says, such as `Revoke`. */
  verb: string;
  /** The name to type first, for what cannot be taken back. */
  type?: string | undefined;
  danger?: boolean;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something is done. Mounted while it is open, so that nothing of the time before is in it. */
export function ConfirmDialog({ title, children, verb, type, danger = false, busy, error, onConfirm, onClose }: Props) {
  const [typed, setTyped] = useState('');
  const late = useLate(busy);
  const ready = type === undefined || typed.normalize('NFC').trim() === type.normalize('NFC').trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !busy) onConfirm();
  };
  return (
    <Modal opened onClose={onClose} title={title}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text size="sm" component="div">
            {children}
          </Text>
          {type !== undefined && (
            <TextInput
              label={
                <>
                  Type <bdi className="strong">{type}</bdi> to confirm
                </>
              }
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              spellCheck={false}
              data-autofocus
            />
          )}
          <Failure error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" {...(danger ? { color: 'red.8' } : {})} disabled={!ready} loading={late}>
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
