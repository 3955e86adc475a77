import { queryOptions } from '@tanstack/react-query';
import { api, body } from './client';
import type { paths } from './schema';

export type AuditFilter = Omit<
  NonNullable<paths['/api/v1/audit-logs']['get']['parameters']['query']>,
  'limit' | 'cursor'
>;

export const auditStats = (filter: AuditFilter) =>
  queryOptions({
    queryKey: ['audit', 'stats', filter],
    queryFn: ({ signal }) => body(api.GET('/api/v1/audit-logs/stats', { params: { query: filter }, signal })),
  });
