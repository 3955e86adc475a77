import { Button, FileButton, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client';
import { asApiError } from '../../api/error';
import type { Component } from '../../api/types';
import { Failure } from '../../ui/Failure';
import { useLate } from '../../ui/late';

/** What the server takes. */
const MOST_BYTES = 1024 * 1024;

/** Replaces a collector's configuration. What it has now is not shown: it may hold secrets, and only the collector reads it. */
export default function ConfigDialog({ of, onClose }: { of: Component; onClose: () => void }) {
  const [text, setText] = useState('');
  const set = useMutation({
    mutationFn: () =>
      api.PUT('/api/v1/remote-collectors/{id}/config', {
        params: { path: { id: of.id } },
        body: text as never,
        bodySerializer: (body) => body as unknown as string,
        headers: { 'Content-Type': 'application/toml' },
      }),
    onSuccess: () => {
      notifications.show({
        message: 'The configuration is set. The collector pulls it within seconds.',
        color: 'teal',
      });
      onClose();
    },
  });
  const late = useLate(set.isPending);
  const tooLarge = new Blob([text]).size > MOST_BYTES;
  return (
    <Modal opened onClose={onClose} title="Set configuration" size="xl">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!set.isPending && text.trim() && !tooLarge) set.mutate();
        }}
      >
        <Stack gap="md">
          <Text size="sm">
            Replaces the whole configuration of <bdi className="strong">{of.name}</bdi>. What it has now cannot be
            shown, because it may hold secrets.
          </Text>
          <Textarea
            label="Configuration"
            description="TOML for Telegraf, at most 1 MiB."
            classNames={{ input: 'mono' }}
            rows={16}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={tooLarge ? 'This is more than 1 MiB.' : null}
            data-autofocus
          />
          <Failure error={set.error ? asApiError(set.error) : null} />
          <Group justify="space-between" gap="xs">
            <FileButton
              accept=".toml,.conf,text/plain,application/toml"
              onChange={(file) => void file?.text().then(setText)}
            >
              {(props) => (
                <Button variant="default" {...props}>
                  From a file
                </Button>
              )}
            </FileButton>
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={late} disabled={!text.trim() || tooLarge}>
                Set
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
