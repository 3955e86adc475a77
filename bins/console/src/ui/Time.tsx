import { useSyncExternalStore } from 'react';

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const LOCAL_EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
];

/** `3 minutes ago`; from a month on, the date. */
export function relative(at: Date, now: number): string {
  let value = Math.round((at.getTime() - now) / 1000);
  for (const [unit, size] of STEPS) {
    if (Math.abs(value) < size) return RELATIVE.format(value, unit);
    value = Math.round(value / size);
  }
  return LOCAL.format(at);
}

function utc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

interface Props {
  at: string;
  /** `ago` for what is read at a glance, `exact` with seconds. */
  as?: 'date' | 'exact' | 'ago';
}

/** One clock for all times on a screen: there can be many. */
const TICK_MS = 10_000;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function Ago({ at }: { at: Date }) {
  const present = useSyncExternalStore(onTick, () => now);
  // What has just happened is newer than the last tick.
  return relative(at, Math.max(present, at.getTime()));
}

/** A time in local terms; UTC for whoever points at it. */
export function Time({ at, as = 'date' }: Props) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <bdi>{at}</bdi>;
  const title = as === 'ago' ? `${LOCAL_EXACT.format(date)} (${utc(date)})` : utc(date);
  return (
    <time dateTime={at} title={title} className="time">
      {as === 'ago' ? <Ago at={date} /> : (as === 'exact' ? LOCAL_EXACT : LOCAL).format(date)}
    </time>
  );
}
