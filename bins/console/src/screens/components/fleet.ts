import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { ApiError } from '../../api/error';
import type { FleetRotation, StartFleetRotation } from '../../api/types';
import type { Tone } from '../../ui/Dot';
import { LIST } from './actions';

const PATH = '/api/v1/remote-components/rotate-fleet';
/** How often the server looks after one that runs. */
const STEP_MS = 2_000;

/** The rotation of the fleet that runs, or the last one; `null` when there never was one. */
export const fleetQuery = queryOptions({
  queryKey: ['components', 'fleet'],
  queryFn: async ({ signal }): Promise<FleetRotation | null> => {
    try {
      return await body(api.GET(PATH, { signal }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
  refetchInterval: ({ state }) => (state.data?.state === 'running' ? STEP_MS : false),
});

export function useFleetActions() {
  const queries = useQueryClient();
  const settle = (rotation: FleetRotation) => {
    queries.setQueryData(fleetQuery.queryKey, rotation);
    void queries.invalidateQueries({ queryKey: LIST });
    void queries.invalidateQueries({ queryKey: ['audit'] });
  };
  // Refused because another administrator was quicker: what they did should be on show.
  const onError = () => void queries.invalidateQueries({ queryKey: fleetQuery.queryKey });
  const start = useMutation({
    mutationFn: (wanted: StartFleetRotation) => body(api.POST(PATH, { body: wanted })),
    onSuccess: settle,
    onError,
  });
  const stop = useMutation({ mutationFn: () => body(api.DELETE(PATH)), onSuccess: settle, onError });
  return { start, stop };
}

export const FLEET_STATES: Record<string, { tone: Tone; text: string }> = {
  running: { tone: 'warn', text: 'Under way' },
  finished: { tone: 'good', text: 'Finished' },
  stopped: { tone: 'bad', text: 'Stopped by itself' },
  cancelled: { tone: 'idle', text: 'Called off' },
};

/** One that stopped by itself wants somebody to look into it; the others are of interest only as they end. */
const WORTH_A_LOOK_MS: Record<string, number> = { stopped: 24 * 3_600_000, finished: 600_000, cancelled: 600_000 };

/** Whether a rotation is of interest to whoever has not put it aside. */
export function isCurrent(rotation: FleetRotation, now: number): boolean {
  if (rotation.state === 'running') return true;
  const ended = Date.parse(rotation.ended_at ?? '');
  return now - ended < (WORTH_A_LOOK_MS[rotation.state] ?? 0);
}

export interface FleetShares {
  /** All that there are to ask: at least as many as were asked. */
  all: number;
  rotated: number;
  lost: number;
  /** Asked, and not done yet. */
  underWay: number;
}

export function sharesOf({ total, asked, rotated, lost }: FleetRotation): FleetShares {
  return { all: Math.max(total, asked), rotated, lost, underWay: Math.max(0, asked - rotated - lost) };
}
