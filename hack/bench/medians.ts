import { median, rounded } from './statistics.js';

/**
 * Puts the results of several runs into one of the same shape: every number is the median of the runs that have it,
 * everything else is the first run's.
 */
export function medianOf<T>(runs: readonly T[]): T {
  const [first] = runs;
  if (first === undefined) throw new RangeError('there is no median of no runs');
  return runs.length === 1 ? first : (combine(runs) as T);
}

function combine(values: readonly unknown[]): unknown {
  const present = values.filter((value) => value !== undefined);
  const [first] = present;
  if (first === undefined) return undefined;
  if (present.every((value) => typeof value === 'number')) return rounded(median(present), 3);
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return first;
  const objects = present as Record<string, unknown>[];
  const keys = new Set(objects.flatMap((object) => Object.keys(object)));
  return Object.fromEntries([...keys].map((key) => [key, combine(objects.map((object) => object[key]))]));
}
