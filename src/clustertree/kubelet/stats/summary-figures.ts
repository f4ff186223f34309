import type { Figures } from '../../../apis/stats.js';
import { meanTime } from './counter-sum.js';

/** When figures were read, in milliseconds since the epoch; undefined when they don't say so. */
export function timeOf(figures: Figures): number | undefined {
  const { time } = figures;
  const ms = typeof time === 'string' ? Date.parse(time) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** A time as kubelet's stats have it; it reads fractions of seconds too. */
export function statsTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A number among figures; undefined when it isn't there. */
export function figure(figures: Figures | undefined, name: string): number | undefined {
  const value = figures?.[name];
  return typeof value === 'number' ? value : undefined;
}

/**
 * The sums of the named figures of several nodes, each only when all nodes have it: a part would look like the whole.
 * Undefined when no figure is left.
 */
export function sumFigures(groups: readonly (Figures | undefined)[], names: readonly string[]): Figures | undefined {
  const sums = names.flatMap((name): readonly [string, number][] => {
    const values = groups.map((group) => figure(group, name));
    return values.every((value) => value !== undefined) ? [[name, values.reduce((sum, value) => sum + value, 0)]] : [];
  });
  const time = meanTime(groups.flatMap((group) => (group === undefined ? [] : (timeOf(group) ?? []))));
  if (sums.length === 0 || time === undefined) return undefined;
  return { time: statsTime(time), ...Object.fromEntries(sums) };
}
