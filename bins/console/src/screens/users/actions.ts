import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { patchList } from '../../api/cursorList';
import type { paths } from '../../api/schema';
import type { User } from '../../api/types';

export const LIST = ['users', 'list'] as const;
export const sessionsKey = (id: string) => ['users', 'sessions', id] as const;

type Create = paths['/api/v1/users']['post']['requestBody']['content']['application/json'];
type Update = paths['/api/v1/users/{id}']['patch']['requestBody']['content']['application/json'];

/** A user with the password that was just made for them. */
export interface WithPassword {
  user: User;
  password: string;
}

interface Hands {
  /** Takes the password. What a mutation returns stays in a cache for a while, and no password may. */
  reveal: (made: WithPassword) => void;
  done: (what: string) => void;
}

export function useUserActions({ reveal, done }: Hands) {
  const queries = useQueryClient();
  const settle = (user: User) => {
    patchList<User>(queries, LIST, (row) => (row.id === user.id ? user : row));
    void queries.invalidateQueries({ queryKey: ['audit'] });
  };
  const path = (id: string) => ({ params: { path: { id } } });

  const create = useMutation({
    mutationFn: async (wanted: Create) => {
      const made = await body(api.POST('/api/v1/users', { body: wanted }));
      if (made.one_time_password) reveal({ user: made.user, password: made.one_time_password });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: LIST }),
  });
  const update = useMutation({
    mutationFn: ({ id, ...changes }: Update & { id: string }) =>
      body(api.PATCH('/api/v1/users/{id}', { ...path(id), body: changes })),
    onSuccess: (user, { active }) => {
      settle(user);
      done(active === false ? 'Deactivated. All sessions have ended.' : active ? 'Activated.' : 'Saved.');
    },
  });
  const reset = useMutation({
    mutationFn: async (id: string) => {
      const made = await body(api.POST('/api/v1/users/{id}/reset-password', path(id)));
      reveal({ user: made.user, password: made.one_time_password });
      return made.user;
    },
    onSuccess: settle,
  });
  const endSessions = useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE('/api/v1/users/{id}/sessions', path(id));
      return id;
    },
    onSuccess: (id) => {
      void queries.invalidateQueries({ queryKey: sessionsKey(id) });
      done('All sessions are ended.');
    },
  });
  const remove = useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE('/api/v1/users/{id}', path(id));
      return id;
    },
    onSuccess: (id) => {
      patchList<User>(queries, LIST, (row) => (row.id === id ? null : row));
      done('Deleted. All sessions have ended.');
    },
  });
  return { create, update, reset, endSessions, remove };
}

export type UserActions = ReturnType<typeof useUserActions>;
