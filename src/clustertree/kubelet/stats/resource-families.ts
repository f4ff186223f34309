import type { MetricFamily } from './exposition.js';

/** Names, types and meanings of what `/metrics/resource` has, as kubelet's resource metrics define them. */
const FAMILIES = {
  node_cpu_usage_seconds_total: { type: 'counter', help: 'CPU time that the node has used, in core-seconds' },
  node_memory_working_set_bytes: { type: 'gauge', help: 'Working set of the node, in bytes' },
  container_start_time_seconds: { type: 'gauge', help: 'When the container started, in seconds since the epoch' },
  container_cpu_usage_seconds_total: { type: 'counter', help: 'CPU time that the container has used, in core-seconds' },
  container_memory_working_set_bytes: { type: 'gauge', help: 'Working set of the container, in bytes' },
  pod_cpu_usage_seconds_total: { type: 'counter', help: 'CPU time that the pod has used, in core-seconds' },
  pod_memory_working_set_bytes: { type: 'gauge', help: 'Working set of the pod, in bytes' },
  resource_scrape_error: { type: 'gauge', help: '1 when some figures could not be read, else 0' },
} as const;

export type ResourceFamily = keyof typeof FAMILIES;

/** A value with labels already rendered, for {@link resourceFamily}. */
export interface ResourceValue {
  readonly labels: string;
  readonly value: number;
  /** Undefined leaves the timestamp out. */
  readonly timestampMs: number | undefined;
}

/** A metric family of `/metrics/resource`; empty without values. */
export function resourceFamily(name: ResourceFamily, values: readonly ResourceValue[]): readonly MetricFamily[] {
  if (values.length === 0) return [];
  const { type, help } = FAMILIES[name];
  const samples = values.map(({ value, ...rest }) => ({ name, value: String(value), ...rest }));
  return [{ name, type, help, samples }];
}

/** What kubelet says at the end of its answer: whether all could be read. */
export function scrapeError(failed: boolean): readonly MetricFamily[] {
  return resourceFamily('resource_scrape_error', [{ labels: '', value: failed ? 1 : 0, timestampMs: undefined }]);
}
