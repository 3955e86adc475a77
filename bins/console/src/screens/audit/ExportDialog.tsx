import { Button, Group, Modal, Progress, Radio, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { AuditFilter } from '../../api/audit';
import { asApiError } from '../../api/error';
import { download } from '../../lib/download';
import { Failure } from '../../ui/Failure';
import { collect, entriesToCsv, MOST_ENTRIES } from './export';

interface Props {
  filter: AuditFilter;
  total: number;
  onClose: () => void;
}

export default function ExportDialog({ filter, total, onClose }: Props) {
  const [format, setFormat] = useState('csv');
  const [progress, setProgress] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const run = async () => {
    const controller = new AbortController();
    running.current = controller;
    setError(null);
    setProgress(0);
    try {
      const entries = await collect(
        filter,
        (loaded, of) => setProgress(of === 0 ? 100 : (100 * loaded) / of),
        controller.signal,
      );
      const name = `stratora-audit-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`;
      if (format === 'csv') download(`${name}.csv`, 'text/csv;charset=utf-8', entriesToCsv(entries));
      else download(`${name}.json`, 'application/json', `${JSON.stringify(entries, null, 2)}\n`);
      onClose();
    } catch (thrown) {
      if (!controller.signal.aborted) setError(asApiError(thrown));
      setProgress(null);
    }
  };

  return (
    <Modal opened onClose={onClose} title="Export the audit log">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (progress === null) void run();
        }}
      >
        <Stack gap="md">
          <Text size="sm">
            {total > MOST_ENTRIES
              ? `The newest ${MOST_ENTRIES.toLocaleString()} of ${total.toLocaleString()} entries that match the filters. Choose a shorter time for the others.`
              : `${total.toLocaleString()} ${total === 1 ? 'entry matches' : 'entries match'} the filters.`}
          </Text>
          <Radio.Group label="Format" value={format} onChange={setFormat}>
            <Stack gap={8} mt={6}>
              <Radio
                value="csv"
                label="CSV"
                description="For spreadsheets. A cell that could be taken for a formula starts with an apostrophe."
              />
              <Radio value="json" label="JSON" description="For programs: every entry exactly as the server has it." />
            </Stack>
          </Radio.Group>
          {progress !== null && <Progress value={progress} aria-label="How much is loaded" />}
          <Failure error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={progress !== null || total === 0}>
              Export
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
