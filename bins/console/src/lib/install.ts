/** How an agent is put on a host: what it reads, and the commands that bring it there. */

/** What the agent proves itself with: a token to register with, or the key of a component that is there. */
export type Credential = { enrollmentToken: string } | { componentId: string; apiKey: string };

/** One thing to do on the host. */
export interface InstallStep {
  title: string;
  command: string;
  /** Whether it holds the secret. */
  secret?: boolean;
}

/** The agent's own file, as its package expects it. */
export const AGENT_FILE = '/etc/stratora/agent.json';

/** What stands in `agent.json`. */
export function agentConfig(serverUrl: string, credential: Credential): string {
  const proof =
    'enrollmentToken' in credential
      ? { enrollment_token: credential.enrollmentToken }
      : { component_id: credential.componentId, api_key: credential.apiKey };
  return `${JSON.stringify({ server_url: serverUrl, ...proof, insecure_skip_verify: false }, null, 2)}\n`;
}

/**
 * Writes the file with its owner and mode at once. The secret comes in by standard input, so that it is in no list of
 * processes; a here-document does go into the history of the shell, so that is off meanwhile. What the server hands out
 * and addresses of servers hold no character that JSON or the shell would take for something else.
 */
function writeConfig(config: string): string {
  return [
    ' set +o history',
    `sudo install -m 0600 -o stratora-agent -g stratora-agent /dev/stdin ${AGENT_FILE} <<'END'`,
    `${config}END`,
    'set -o history',
  ].join('\n');
}

/** For a host that has no agent yet. */
export function installSteps(serverUrl: string, credential: Credential): InstallStep[] {
  return [
    { title: 'Install the package', command: 'sudo apt install ./stratora-agent_*.deb' },
    {
      title: 'Tell it where to report, readable by nobody else',
      command: writeConfig(agentConfig(serverUrl, credential)),
      secret: true,
    },
    { title: 'Start it, now and whenever the host starts', command: 'sudo systemctl enable --now stratora-agent' },
  ];
}

/** For a host whose agent gets another key. */
export function replaceKeySteps(serverUrl: string, credential: Credential): InstallStep[] {
  return [
    {
      title: 'Give it the new key, readable by nobody else',
      command: writeConfig(agentConfig(serverUrl, credential)),
      secret: true,
    },
    { title: 'Have it read that', command: 'sudo systemctl restart stratora-agent' },
  ];
}
