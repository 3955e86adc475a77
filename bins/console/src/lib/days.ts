import type { AuditStats } from '../api/types';

const DAY_MS = 86_400_000;

/** The UTC day of a time, such as `2026-01-31`. */
export function dayOf(at: Date | number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Every UTC day from the one of `from` to the one of `until`, at most `most` of them: the latest. */
export function daysBetween(from: number, until: number, most: number): string[] {
  const days: string[] = [];
  const first = Math.max(Date.parse(dayOf(from)), Date.parse(dayOf(until)) - (most - 1) * DAY_MS);
  for (let at = first; at <= until; at += DAY_MS) days.push(dayOf(at));
  return days;
}

/** The first instant of the UTC day `back` days before today. */
export function startOfDay(back: number, now: number): string {
  return `${dayOf(now - back * DAY_MS)}T00:00:00Z`;
}

export function countsByDay(stats: AuditStats | undefined): Map<string, number> {
  return new Map(stats?.by_day.map(({ day, count }) => [day.slice(0, 10), count]));
}
