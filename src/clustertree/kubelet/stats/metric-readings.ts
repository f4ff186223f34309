import type { NodeMetrics, PodMetrics, ResourceUsage } from '../../../apis/metrics.js';
import { tryParseDuration } from '../../../lib/duration.js';
import { parseQuantity } from '../../../lib/quantity.js';

/** Average use over a window, as metrics.k8s.io tells it; times by the member's clock. */
export interface UsageReading {
  readonly cores: number;
  readonly workingSetBytes: number;
  /** End of the window, in milliseconds since the epoch; whole seconds. */
  readonly timestampMs: number;
  readonly windowMs: number;
}

const NANOS_PER_UNIT = 1e9;

/** Reads a node's use; undefined when anything of it is missing or can't be read. */
export function nodeReading(metrics: NodeMetrics): UsageReading | undefined {
  return reading(metrics, metrics.usage);
}

/** Reads the use of each container of a pod; those whose figures are missing or can't be read are left out. */
export function containerReadings(metrics: PodMetrics): ReadonlyMap<string, UsageReading> {
  const readings = new Map<string, UsageReading>();
  for (const { name, usage } of metrics.containers ?? []) {
    const found = reading(metrics, usage);
    if (found !== undefined) readings.set(name, found);
  }
  return readings;
}

function reading(
  { timestamp, window }: NodeMetrics | PodMetrics,
  usage: ResourceUsage | undefined,
): UsageReading | undefined {
  const cores = amount(usage?.cpu);
  const workingSetBytes = amount(usage?.memory);
  const timestampMs = Date.parse(timestamp ?? '');
  const windowMs = tryParseDuration(window ?? '');
  if (cores === undefined || workingSetBytes === undefined || windowMs === undefined) return undefined;
  return Number.isNaN(timestampMs) ? undefined : { cores, workingSetBytes, timestampMs, windowMs };
}

/** A quantity that isn't negative, in its unit. */
function amount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    const value = Number(parseQuantity(text).nanos) / NANOS_PER_UNIT;
    return value < 0 ? undefined : value;
  } catch {
    // It is no quantity, which is as good as none.
    return undefined;
  }
}
