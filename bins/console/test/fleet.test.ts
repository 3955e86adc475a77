import { describe, expect, it } from 'vitest';
import type { FleetRotation } from '../src/api/types';
import { isCurrent, sharesOf } from '../src/screens/components/fleet';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const rotation = (changes: Partial<FleetRotation>): FleetRotation => ({
  id: '0c3b6d1e-0000-4000-8000-000000000000',
  state: 'running',
  started_at: '2026-03-10T11:00:00Z',
  started_by: 'ada',
  total: 10,
  asked: 0,
  rotated: 0,
  lost: 0,
  waves: 0,
  wave_size: 50,
  wave_timeout_seconds: 300,
  max_refused_percent: 5,
  ...changes,
});

describe('a rotation of the fleet', () => {
  it('is on show while it runs, however long', () => {
    expect(isCurrent(rotation({ started_at: '2026-02-01T00:00:00Z' }), NOW)).toBe(true);
  });

  it('is on show for some minutes after it ended, and for a day when it stopped by itself', () => {
    const ended = (state: string, ended_at: string) => isCurrent(rotation({ state, ended_at }), NOW);
    expect(ended('finished', '2026-03-10T11:55:00Z')).toBe(true);
    expect(ended('finished', '2026-03-10T11:45:00Z')).toBe(false);
    expect(ended('cancelled', '2026-03-10T11:45:00Z')).toBe(false);
    expect(ended('stopped', '2026-03-10T01:00:00Z')).toBe(true);
    expect(ended('stopped', '2026-03-09T11:00:00Z')).toBe(false);
    expect(ended('of another kind', '2026-03-10T11:59:00Z')).toBe(false);
  });

  it('counts who was asked and is neither done nor lost as under way', () => {
    expect(sharesOf(rotation({ asked: 8, rotated: 5, lost: 1 }))).toEqual({
      all: 10,
      rotated: 5,
      lost: 1,
      underWay: 2,
    });
  });

  it('has as many as were asked when more came than there were to begin with', () => {
    expect(sharesOf(rotation({ asked: 12, rotated: 12 })).all).toBe(12);
  });
});
