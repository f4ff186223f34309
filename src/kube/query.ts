import type { WriteOptions } from './client.js';

export type QueryValue = string | number | boolean | undefined;

/** `?a=1&b=2` of what is defined, in the given order; empty when nothing is. */
export function queryString(values: Readonly<Record<string, QueryValue>>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) pairs.push(`${name}=${encodeURIComponent(String(value))}`);
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** The query that all writes of objects share. */
export function writeQuery(options: WriteOptions, more: Readonly<Record<string, QueryValue>> = {}): string {
  return queryString({
    dryRun: options.dryRun ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    ...more,
  });
}
