import { describe, expect, it } from 'vitest';
import { agentConfig, installSteps, replaceKeySteps } from '../src/lib/install';

const token = { enrollmentToken: `enroll_${'a'.repeat(43)}` };
const key = { componentId: '01990000-0000-7000-8000-000000000000', apiKey: `sk_stra_${'b'.repeat(43)}` };

describe('what is put on a host', () => {
  it('is a file with either a token or a key, that checks certificates', () => {
    expect(JSON.parse(agentConfig('https://stratora.example.com', token))).toEqual({
      server_url: 'https://stratora.example.com',
      enrollment_token: token.enrollmentToken,
      insecure_skip_verify: false,
    });
    expect(JSON.parse(agentConfig('https://stratora.example.com', key))).toEqual({
      server_url: 'https://stratora.example.com',
      component_id: key.componentId,
      api_key: key.apiKey,
      insecure_skip_verify: false,
    });
  });

  it('carries the secret only between the marks of the here-document, and keeps it out of the history', () => {
    for (const [steps, secret] of [
      [installSteps('https://stratora.example.com', token), token.enrollmentToken],
      [replaceKeySteps('https://stratora.example.com', key), key.apiKey],
    ] as const) {
      const holding = steps.filter((step) => step.command.includes(secret));
      expect(holding).toHaveLength(1);
      expect(holding[0]?.secret).toBe(true);
      const lines = holding[0]?.command.split('\n') ?? [];
      const at = lines.findIndex((line) => line.includes(secret));
      expect(at).toBeGreaterThan(lines.findIndex((line) => line.endsWith("<<'END'")));
      expect(at).toBeLessThan(lines.indexOf('END'));
      expect(lines[0]).toBe(' set +o history');
      expect(lines.at(-1)).toBe('set -o history');
      expect(lines[1]).toContain('install -m 0600 -o stratora-agent');
    }
  });
});
