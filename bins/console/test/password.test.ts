import { describe, expect, it } from 'vitest';
import { reviewPassword } from '../src/lib/password';

const missing = (password: string, username = 'grace.hopper', current = 'the one before') =>
  reviewPassword(password, username, current)
    .requirements.filter(({ met }) => !met)
    .map(({ id }) => id);

describe('the password meter', () => {
  it('is content with a long phrase', () => {
    expect(missing('four herons over the lake')).toEqual([]);
    expect(reviewPassword('four herons over the lake', 'grace', '').score).toBe(100);
  });

  it('says how many characters are missing, as people count them', () => {
    expect(reviewPassword('twelve chars', 'x', '').requirements[0]?.label).toBe('15 characters or more: 3 to go');
    expect(missing('🦀🐙🦑🦐🦞🐚🐌🐛🐜🐝🪲🐞🦗🪳')).toEqual(['length']);
    expect(missing('e\u0301'.repeat(14))).toContain('length');
  });

  it.each(['grace.hopper', 'Grace.Hopper', 'ｇｒａｃｅ.hopper', 'grace.hopper1!', 'Stratora2026!', 'administrator'])(
    'knows what is guessed first: %s',
    (password) => expect(missing(password)).toContain('name'),
  );

  it.each(['aaaaaaaaaaaaaaaa', 'abcabcabcabcabcabc', 'AbCdabcdABCDabcd'])('knows a piece repeated: %s', (password) =>
    expect(missing(password)).toContain('repeats'),
  );

  it('wants another one than before, however it is spelt', () => {
    expect(missing('café by the river', 'x', 'cafe\u0301 by the river')).toEqual(['different']);
  });

  it('sends what the server might take, and nothing that it never does', () => {
    expect(reviewPassword('ten chars!', 'x', '').sendable).toBe(true);
    expect(reviewPassword('7 chars', 'x', '').sendable).toBe(false);
    expect(reviewPassword('', 'x', '').sendable).toBe(false);
    expect(reviewPassword('same as before', 'x', 'same as before').sendable).toBe(false);
  });
});
