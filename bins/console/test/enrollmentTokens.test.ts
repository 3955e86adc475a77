import { describe, expect, it } from 'vitest';
import { tokenState, usesInWords } from '../src/screens/enrollment/tokens';

const now = Date.parse('2026-01-31T12:00:00Z');
const one = { multi_use: false, max_uses: null, uses: 0, expires_at: '2026-01-31T12:00:01Z' };

describe('an enrollment token', () => {
  it('for one component is used up by one', () => {
    expect(tokenState(one, now)).toBe('good');
    expect(tokenState({ ...one, uses: 1 }, now)).toBe('used');
    expect(usesInWords(one)).toBe('0 of 1');
  });

  it('for many is good until its limit, or without one', () => {
    const many = { ...one, multi_use: true, uses: 7 };
    expect(tokenState(many, now)).toBe('good');
    expect(tokenState({ ...many, max_uses: 7 }, now)).toBe('used');
    expect(tokenState({ ...many, max_uses: 8 }, now)).toBe('good');
    expect(usesInWords(many)).toBe('7');
    expect(usesInWords({ ...many, max_uses: 8 })).toBe('7 of 8');
  });

  it('expires at its time, if it has one', () => {
    expect(tokenState(one, now + 1000)).toBe('expired');
    expect(tokenState({ ...one, expires_at: null }, now + 1e12)).toBe('good');
    expect(tokenState({ ...one, uses: 1 }, now + 1000)).toBe('used');
  });
});
