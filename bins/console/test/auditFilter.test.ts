import { describe, expect, it } from 'vitest';
import { countsByDay, daysBetween, startOfDay } from '../src/lib/days';
import { readWanted, toFilter } from '../src/screens/audit/filter';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const wanted = (query: string) => readWanted(new URLSearchParams(query));

describe('the filters of the audit log', () => {
  it('look back a week unless the address says otherwise', () => {
    expect(toFilter(wanted(''), NOW)).toEqual({ from: '2026-03-03T12:00:00.000Z' });
    expect(toFilter(wanted('range=all'), NOW)).toEqual({});
    expect(toFilter(wanted('from=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z'), NOW)).toEqual({
      from: '2026-03-01T00:00:00Z',
      until: '2026-03-02T00:00:00Z',
    });
  });

  it('leave out what makes no sense', () => {
    expect(toFilter(wanted('range=all&outcome=maybe&resource=moon&action=DROP+TABLE&resource_id=1'), NOW)).toEqual({});
    expect(toFilter(wanted('range=custom&from=yesterday'), NOW)).toEqual({});
  });

  it('pass on what was chosen', () => {
    const query = 'range=all&user=ada&action=component.revoke&outcome=success&resource=component&q=berlin';
    expect(toFilter(wanted(query), NOW)).toEqual({
      user: 'ada',
      action: 'component.revoke',
      outcome: 'success',
      resource: 'component',
      q: 'berlin',
    });
  });
});

describe('days', () => {
  it('are UTC days, first and last included', () => {
    expect(daysBetween(Date.parse('2026-02-27T23:59:00Z'), Date.parse('2026-03-01T00:00:00Z'), 60)).toEqual([
      '2026-02-27',
      '2026-02-28',
      '2026-03-01',
    ]);
  });

  it('are the latest when there are too many', () => {
    expect(daysBetween(0, NOW, 3)).toEqual(['2026-03-08', '2026-03-09', '2026-03-10']);
  });

  it('begin at midnight', () => {
    expect(startOfDay(13, NOW)).toBe('2026-02-25T00:00:00Z');
  });

  it('are found again in the counts', () => {
    const counts = countsByDay({ total: 3, by_action: [], by_day: [{ day: '2026-03-09T00:00:00Z', count: 3 }] });
    expect(counts.get('2026-03-09')).toBe(3);
  });
});
