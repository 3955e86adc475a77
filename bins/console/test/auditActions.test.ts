import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ACTIONS, actionChoices } from '../src/screens/audit/actions';

test('every action that the server writes down has a name in words, and no other has', async () => {
  const source = await readFile(new URL('../../../crates/audit/src/action.rs', import.meta.url), 'utf8');
  const written = [...source.matchAll(/^ +[A-Z]\w+ = "([a-z_.]+)",$/gm)].map((match) => match[1]);
  expect(written.length).toBeGreaterThan(40);
  expect(Object.keys(ACTIONS).sort()).toEqual(written.sort());
});

test('every action is in a group', () => {
  expect(actionChoices().map(({ group }) => group)).not.toContain('Other');
});
