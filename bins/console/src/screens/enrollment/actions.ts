import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { patchList } from '../../api/cursorList';
import type { CreateEnrollmentToken, EnrollmentRequest, EnrollmentToken } from '../../api/types';
import { LIST as COMPONENTS, COUNTS, oneKey } from '../components/actions';

export const TOKENS = ['enrollment', 'tokens'] as const;
export const REQUESTS = ['enrollment', 'requests'] as const;

/** More than anybody lets wait; the rest shows as these are dealt with. */
const MOST_REQUESTS = 200;

/** Who asks to come in again under a name that is in use. */
export const requestsQuery = {
  queryKey: REQUESTS,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const query = { limit: MOST_REQUESTS };
    const page = await body(api.GET('/api/v1/enrollment-requests', { params: { query }, signal }));
    return page.items;
  },
  refetchInterval: 15_000,
};

export function waiting(requests: EnrollmentRequest[] | undefined): EnrollmentRequest[] {
  return (requests ?? []).filter((request) => !request.approved_at);
}

/** A token with the value that was just made for it. */
export interface WithValue {
  token: EnrollmentToken;
  value: string;
}

interface Hands {
  /** Takes the value. What a mutation returns stays in a cache for a while, and no value may. */
  reveal: (made: WithValue) => void;
  done: (what: string) => void;
}

export function useEnrollmentActions({ reveal, done }: Hands) {
  const queries = useQueryClient();
  const path = (id: string) => ({ params: { path: { id } } });
  const audited = () => void queries.invalidateQueries({ queryKey: ['audit'] });

  const create = useMutation({
    mutationFn: async (wanted: CreateEnrollmentToken) => {
      const made = await body(api.POST('/api/v1/enrollment-tokens', { body: wanted }));
      reveal({ token: made.token, value: made.enrollment_token });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: TOKENS });
      audited();
    },
  });
  const remove = useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE('/api/v1/enrollment-tokens/{id}', path(id));
      return id;
    },
    onSuccess: (id) => {
      patchList<EnrollmentToken>(queries, TOKENS, (row) => (row.id === id ? null : row));
      audited();
      done('Deleted. Nothing registers with it any more.');
    },
  });
  const settled = (id: string) => {
    void queries.invalidateQueries({ queryKey: REQUESTS });
    void queries.invalidateQueries({ queryKey: COMPONENTS });
    void queries.invalidateQueries({ queryKey: COUNTS });
    void queries.invalidateQueries({ queryKey: oneKey(id) });
    audited();
  };
  const approve = useMutation({
    // The request that was looked at, and no other one that came meanwhile.
    mutationFn: async ({ component_id: id, requested_at }: EnrollmentRequest) => {
      await body(api.POST('/api/v1/remote-components/{id}/approve', { ...path(id), body: { requested_at } }));
      return id;
    },
    onSuccess: (id) => {
      settled(id);
      done('Approved. It gets its new key when it asks the next time, within 24 hours.');
    },
  });
  const dismiss = useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE('/api/v1/enrollment-requests/{id}', path(id));
      return id;
    },
    onSuccess: (id) => {
      settled(id);
      done('Dismissed. The component that has the name keeps it, and its key.');
    },
  });
  return { create, remove, approve, dismiss };
}

export type EnrollmentActions = ReturnType<typeof useEnrollmentActions>;
