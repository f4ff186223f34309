import { renderLabels, type MetricFamily } from './exposition.js';
import type { ContainerUsage, Usage } from './member-usage.js';
import type { OwnPod } from './own-pods.js';
import { resourceFamily, type ResourceFamily, type ResourceValue } from './resource-families.js';
import type { VirtualUsage } from './virtual-usage.js';

interface Labelled {
  readonly labels: string;
  readonly usage: Usage;
}

/** `/metrics/resource` of a virtual node as far as a metrics API can tell it: everything but swap. */
export function usageFamilies({ node, pods }: VirtualUsage): readonly MetricFamily[] {
  const nodes = node === undefined ? [] : [{ labels: '', usage: node }];
  const ofPods = pods.map((usage) => ({ usage, labels: podLabels(usage.pod) }));
  const ofContainers = pods.flatMap(({ pod, containers }) =>
    containers.map((usage) => ({ usage, labels: containerLabels(pod, usage) })),
  );
  return [
    ...cpu('container_cpu_usage_seconds_total', ofContainers),
    ...memory('container_memory_working_set_bytes', ofContainers),
    ...resourceFamily('container_start_time_seconds', ofContainers.flatMap(startTime)),
    ...cpu('node_cpu_usage_seconds_total', nodes),
    ...memory('node_memory_working_set_bytes', nodes),
    ...cpu('pod_cpu_usage_seconds_total', ofPods),
    ...memory('pod_memory_working_set_bytes', ofPods),
  ];
}

function podLabels({ namespace, name }: OwnPod): string {
  return renderLabels({ namespace, pod: name });
}

function containerLabels({ namespace, name }: OwnPod, container: ContainerUsage): string {
  return renderLabels({ container: container.name, namespace, pod: name });
}

function cpu(name: ResourceFamily, all: readonly Labelled[]): readonly MetricFamily[] {
  return family(name, all, ({ cpuSeconds }) => cpuSeconds);
}

function memory(name: ResourceFamily, all: readonly Labelled[]): readonly MetricFamily[] {
  return family(name, all, ({ workingSetBytes }) => workingSetBytes);
}

function family(
  name: ResourceFamily,
  all: readonly Labelled[],
  value: (usage: Usage) => number,
): readonly MetricFamily[] {
  const values = all.map(({ labels, usage }): ResourceValue => ({
    labels,
    value: value(usage),
    timestampMs: usage.timestampMs,
  }));
  return resourceFamily(name, values);
}

function startTime({ labels, usage }: { readonly labels: string; readonly usage: ContainerUsage }): ResourceValue[] {
  const { startedMs } = usage;
  return startedMs === undefined ? [] : [{ labels, value: startedMs / 1000, timestampMs: undefined }];
}
