import { describe, expect, it } from 'vitest';
import { toCsv } from '../src/lib/csv';

const row = (...cells: Parameters<typeof toCsv>[1] extends Iterable<readonly (infer C)[]> ? C[] : never) =>
  toCsv(['a'], [cells]).split('\r\n')[1];

describe('CSV', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1+1'])('makes no formula of %j', (text) => {
    expect(toCsv(['a'], [[text]])).toContain(`'${text}`);
  });

  it('keeps numbers as they are, negative ones too', () => {
    expect(row(-5, 0, 12)).toBe('-5,0,12');
  });

  it('quotes what would break a line or a column, and doubles quotes', () => {
    expect(row('a,b', 'a"b', ' a', 'a;b')).toBe('"a,b","a""b"," a","a;b"');
    expect(toCsv(['a'], [['one\r\ntwo']])).toBe('\ufeffa\r\n"one\r\ntwo"\r\n');
  });

  it('leaves a cell empty where there is nothing', () => {
    expect(row(null, undefined, '')).toBe(',,');
  });

  it('neutralises a formula that needs quotes as well', () => {
    expect(row('=HYPERLINK("http://x","y")')).toBe('"\'=HYPERLINK(""http://x"",""y"")"');
  });

  it('begins with a byte order mark, and so with no formula', () => {
    expect(toCsv(['=a'], [])).toBe('\ufeff"\'=a"\r\n');
  });
});
