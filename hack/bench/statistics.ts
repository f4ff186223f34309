/** The value below or at which `percent` per cent of the values lie (nearest rank). @throws RangeError without values */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new RangeError('there is no percentile of nothing');
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`${percent} is no percentage`);
  const sorted = [...values].sort((left, right) => left - right);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The middle value; of an even number of values the mean of the two in the middle. @throws RangeError without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing');
  const sorted = [...values].sort((left, right) => left - right);
  const upper = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? upper - 1 : upper], sorted[upper]];
  return (low + high) / 2;
}

/** Rounds to so many digits after the point. */
export function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

/** How a set of durations is spread. */
export interface Latency {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly samples: number;
}

/** Percentiles of durations in milliseconds. */
export function latencyOf(durationsMs: readonly number[]): Latency {
  const at = (percent: number): number => rounded(percentile(durationsMs, percent), 1);
  return { p50Ms: at(50), p90Ms: at(90), p99Ms: at(99), maxMs: at(100), samples: durationsMs.length };
}
