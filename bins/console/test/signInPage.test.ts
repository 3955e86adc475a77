import { expect, test } from 'vitest';
import { stylesFor } from '../scripts/signInPage';

const PAGE = '<div class="card wide" style="color:var(--chosen)"><input class="field"/></div>';

test('rules stay whose classes are all in the page, and those without one', () => {
  const css = 'body{margin:0}.card{a:b}.card .field:focus{a:b}.card .other{a:b}.field[data-x],.other{a:b}';
  expect(stylesFor(css, PAGE)).toBe('body{margin:0}.card{a:b}.card .field:focus{a:b}.field[data-x]{a:b}');
});

test('what is excluded, or one of several, decides nothing', () => {
  const css = '.card:not(.gone){a:b}:is(.gone,.field){a:b}.gone:not(.card){a:b}';
  expect(stylesFor(css, PAGE)).toBe('.card:not(.gone){a:b}:is(.gone,.field){a:b}');
});

test('a block that has lost its rules goes, and an animation keeps its steps', () => {
  const css = '@media print{.gone{a:b}}@keyframes in{0%{a:b}to{a:c}}.card{animation:in}';
  expect(stylesFor(css, PAGE)).toBe('@keyframes in{0%{a:b}to{a:c}}.card{animation:in}');
});

test('variables stay that the page or a rule reads, directly or through others', () => {
  const css = ':root{--a:1;--b:var(--a);--c:2;--d:var(--c);--chosen:3}.card{x:var(--b)}';
  expect(stylesFor(css, PAGE)).toBe(':root{--a:1;--b:var(--a);--chosen:3}.card{x:var(--b)}');
});

test('what is shown besides the page is styled too', () => {
  expect(stylesFor('.bar{a:b}', PAGE)).toBe('');
  expect(stylesFor('.bar{a:b}', PAGE, ['bar'])).toBe('.bar{a:b}');
});
