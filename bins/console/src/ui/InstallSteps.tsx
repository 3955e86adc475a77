import { ActionIcon, Code, CopyButton, List, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { InstallStep } from '../lib/install';

interface Props {
  steps: InstallStep[];
  /** Told when a command that holds the secret was copied. */
  onCopied: () => void;
}

/** Commands for a host, in their order, each to be copied by itself. */
export function InstallSteps({ steps, onCopied }: Props) {
  const canCopy = navigator.clipboard !== undefined;
  return (
    <List type="ordered" size="sm" spacing="sm" className="install">
      {steps.map(({ title, command, secret }) => (
        <List.Item key={title}>
          <Text size="sm" mb={4}>
            {title}
          </Text>
          <div className="command">
            <Code
              block
              tabIndex={0}
              role="group"
              aria-label={title}
              translate="no"
              onCopy={secret ? onCopied : undefined}
            >
              {command.trimStart()}
            </Code>
            {canCopy && (
              <CopyButton value={command} timeout={3000}>
                {({ copied, copy }) => (
                  <Tooltip label={copied ? 'Copied' : 'Copy'}>
                    <ActionIcon
                      variant="default"
                      className="command-copy"
                      aria-label={copied ? `Copied: ${title}` : `Copy: ${title}`}
                      onClick={() => {
                        copy();
                        if (secret) onCopied();
                      }}
                    >
                      {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
                    </ActionIcon>
                  </Tooltip>
                )}
              </CopyButton>
            )}
          </div>
        </List.Item>
      ))}
    </List>
  );
}
