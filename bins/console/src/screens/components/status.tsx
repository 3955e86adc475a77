import type { Component, ComponentStatus } from '../../api/types';
import { Dot, type Tone } from '../../ui/Dot';

export const STATUSES: readonly ComponentStatus[] = ['active', 'offline', 'pending', 'revoked'];

export const STATUS_NAMES: Record<ComponentStatus, string> = {
  active: 'Active',
  offline: 'Offline',
  pending: 'Pending',
  revoked: 'Revoked',
};

const TONES: Record<ComponentStatus, Tone> = { active: 'good', offline: 'bad', pending: 'warn', revoked: 'idle' };

export function Status({ of: { status } }: { of: Pick<Component, 'status'> }) {
  const known = status as ComponentStatus;
  return <Dot tone={TONES[known] ?? 'idle'}>{STATUS_NAMES[known] ?? status}</Dot>;
}

export const KIND_NAMES: Record<string, string> = { agent: 'Agent', collector: 'Collector' };
