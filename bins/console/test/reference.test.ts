import { expect, it } from 'vitest';
import { readReference } from '../src/lib/reference';

it('a reference is found however it was read out', () => {
  expect(['7F3A91C2', '7f3a91c2', ' 7F3A-91C2 ', '7F3A 91C2'].map(readReference)).toEqual(Array(4).fill('7F3A91C2'));
  expect(readReference('7FIA9LCO')).toBe('7F1A91C0');
  expect(['', '7F3A91C', '7F3A91C22', '7F3A91U2', '<script>'].map(readReference)).toEqual(Array(5).fill(null));
});
