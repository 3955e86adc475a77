import type { Sort } from '../ui/DataTable';

/** `name` or `name.desc`, as it stands in the address. */
export function readSort(text: string | null, allowed: readonly string[]): Sort | null {
  const [id = '', order] = (text ?? '').split('.');
  return allowed.includes(id) ? { id, desc: order === 'desc' } : null;
}

export function writeSort(sort: Sort | null): string | null {
  return sort ? sort.id + (sort.desc ? '.desc' : '') : null;
}
