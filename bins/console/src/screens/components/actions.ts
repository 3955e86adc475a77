import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { patchList } from '../../api/cursorList';
import type { Component } from '../../api/types';

export const LIST = ['components', 'list'] as const;
export const COUNTS = ['components', 'counts'] as const;
export const oneKey = (id: string) => ['components', 'one', id] as const;

/** A component with the key that was just made for it. */
export interface WithKey {
  component: Component;
  key: string;
  /** Whether it is the first that the component has. */
  first: boolean;
}

interface Hands {
  /** Takes the key. What a mutation returns stays in a cache for a while, and no key may. */
  reveal: (made: WithKey) => void;
  done: (what: string) => void;
}

/** Everything that can be done to a component, each leaving the lists as the server now has them. */
export function useComponentActions({ reveal, done }: Hands) {
  const queries = useQueryClient();
  const settle = (component: Component) => {
    patchList<Component>(queries, LIST, (row) => (row.id === component.id ? component : row));
    queries.setQueryData(oneKey(component.id), component);
    void queries.invalidateQueries({ queryKey: COUNTS });
    void queries.invalidateQueries({ queryKey: ['audit'] });
  };
  const path = (id: string) => ({ params: { path: { id } } });

  const create = useMutation({
    mutationFn: async (wanted: { name: string; kind: string; hostname?: string }) => {
      const made = await body(api.POST('/api/v1/remote-components', { body: wanted }));
      reveal({ component: made.component, key: made.api_key, first: true });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: LIST });
      void queries.invalidateQueries({ queryKey: COUNTS });
    },
  });
  const rotate = useMutation({
    mutationFn: async ({ id, grace }: { id: string; grace: number | null }) => {
      const made = await body(
        api.POST('/api/v1/remote-components/{id}/rotate', {
          ...path(id),
          ...(grace === null ? {} : { body: { grace_seconds: grace } }),
        }),
      );
      reveal({ component: made.component, key: made.api_key, first: false });
      return made.component;
    },
    onSuccess: settle,
  });
  const request = useMutation({
    mutationFn: (id: string) => body(api.POST('/api/v1/remote-components/{id}/request-rotation', path(id))),
    onSuccess: (component) => {
      settle(component);
      done('Asked. It makes itself a new key the next time it reports.');
    },
  });
  const restore = useMutation({
    mutationFn: async (id: string) => {
      const made = await body(api.POST('/api/v1/remote-components/{id}/restore', path(id)));
      reveal({ component: made.component, key: made.api_key, first: false });
      return made.component;
    },
    onSuccess: settle,
  });
  const revoke = useMutation({
    mutationFn: (id: string) => body(api.POST('/api/v1/remote-components/{id}/revoke', path(id))),
    onSuccess: (component) => {
      settle(component);
      done('Revoked. Its key is dead from now on.');
    },
  });
  const approve = useMutation({
    mutationFn: (id: string) => body(api.POST('/api/v1/remote-components/{id}/approve', path(id))),
    onSuccess: (component) => {
      settle(component);
      done('Approved. Its key works from now on.');
    },
  });
  const update = useMutation({
    mutationFn: ({ id, ...changes }: { id: string; name: string; hostname: string | null }) =>
      body(api.PATCH('/api/v1/remote-components/{id}', { ...path(id), body: changes })),
    // Safe to show before the server has it: a refusal puts the old name back and says why.
    onMutate: ({ id, ...changes }) => {
      const before = queries.getQueriesData({ queryKey: LIST });
      patchList<Component>(queries, LIST, (row) => (row.id === id ? { ...row, ...changes } : row));
      return before;
    },
    onError: (_error, _changes, before) => {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
    },
    onSuccess: (component) => {
      settle(component);
      done('Saved.');
    },
  });
  const remove = useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE('/api/v1/remote-components/{id}', path(id));
      return id;
    },
    onSuccess: (id) => {
      patchList<Component>(queries, LIST, (row) => (row.id === id ? null : row));
      queries.removeQueries({ queryKey: oneKey(id) });
      void queries.invalidateQueries({ queryKey: COUNTS });
      done('Deleted.');
    },
  });
  return { create, rotate, request, restore, revoke, approve, update, remove };
}

export type ComponentActions = ReturnType<typeof useComponentActions>;
