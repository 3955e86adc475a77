import { Alert, Button, Code, CopyButton, Group, Modal, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconDownload } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { download } from '../lib/download';
import type { InstallStep } from '../lib/install';
import { InstallSteps } from './InstallSteps';

interface Props {
  title: string;
  /** Whose secret it is and what to do with it. */
  children: ReactNode;
  /** What the secret is called: `key` or `one-time password`. */
  what: string;
  secret: string;
  /** A file that holds it. */
  file?: { name: string; label: string; content: string } | undefined;
  /** What to do with it on a host. */
  install?: InstallStep[] | undefined;
  onClose: () => void;
}

/**
 * Shows a secret, once. It lives in the state of whoever mounts this and nowhere else, and goes when it is closed;
 * closing takes a button, so that no stray key or click does it.
 */
export function SecretDialog({ title, children, what, secret, file, install, onClose }: Props) {
  const [kept, setKept] = useState(false);
  // Browsers have no clipboard for pages that came in clear over the network.
  const canCopy = navigator.clipboard !== undefined;
  const keep = () => setKept(true);
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={kept}
      withCloseButton={false}
    >
      <Stack gap="md">
        <Text size="sm" component="div">
          {children}
        </Text>
        <Code block className="secret" data-testid="secret" translate="no" onCopy={keep}>
          {secret}
        </Code>
        <Group gap="xs">
          {canCopy ? (
            <CopyButton value={secret} timeout={3000}>
              {({ copied, copy }) => (
                <Button
                  data-autofocus
                  leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
                  onClick={() => {
                    copy();
                    keep();
                  }}
                >
                  {copied ? 'Copied' : `Copy ${what}`}
                </Button>
              )}
            </CopyButton>
          ) : (
            <Text size="sm">Click on it and copy it with the keyboard.</Text>
          )}
          {file && (
            <Button
              variant="default"
              leftSection={<IconDownload size={16} aria-hidden />}
              onClick={() => {
                download(file.name, 'application/json', file.content);
                keep();
              }}
            >
              {file.label}
            </Button>
          )}
        </Group>
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
          This is the only time the {what} is shown. The server keeps no copy that can be read; if it is lost, make a
          new one.
        </Alert>
        {install && (
          <section aria-labelledby="install-title">
            <Title order={3} id="install-title" mb="xs">
              On the Linux host
            </Title>
            <InstallSteps steps={install} onCopied={keep} />
          </section>
        )}
        <Group justify="flex-end">
          <Button variant={kept ? 'filled' : 'default'} onClick={onClose}>
            {kept ? 'Done' : `Close without keeping the ${what}`}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
