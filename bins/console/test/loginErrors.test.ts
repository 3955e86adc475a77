import { describe, expect, it } from 'vitest';
import { readLoginError } from '../src/session/loginErrors';

const CODES = [
  'provider_unknown',
  'provider_unavailable',
  'state_invalid',
  'browser_mismatch',
  'provider_refused',
  'response_invalid',
  'token_invalid',
  'account_inactive',
  'not_provisioned',
];

describe('why a sign-in failed', () => {
  it('has a sentence of its own for every code', () => {
    const messages = CODES.map((code) => readLoginError(`#error=${code}`)?.message);
    expect(new Set(messages).size).toBe(CODES.length);
    expect(messages).not.toContain(readLoginError('#error=unheard_of')?.message);
  });

  it('shows a reference and nothing that only looks like one', () => {
    expect(readLoginError('#error=state_invalid&ref=7f3a-91c2')?.reference).toBe('7f3a-91c2');
    expect(readLoginError('#error=state_invalid&ref=<img src=x>')?.reference).toBeNull();
    expect(readLoginError('#error=state_invalid')?.reference).toBeNull();
  });

  it('never repeats what the address says', () => {
    for (const code of ['<script>', '__proto__', 'constructor', 'toString']) {
      expect(readLoginError(`#error=${code}`)?.message).toBe('Signing in did not work. Try again.');
    }
  });

  it('is nothing without a code', () => {
    expect(readLoginError('')).toBeNull();
    expect(readLoginError('#ref=7f3a')).toBeNull();
  });
});
