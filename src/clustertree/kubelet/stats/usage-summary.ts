import type { ContainerStats, Figures, PodStats, Summary } from '../../../apis/stats.js';
import type { ContainerUsage, Usage } from './member-usage.js';
import { statsTime } from './summary-figures.js';
import type { PodUsage, VirtualUsage } from './virtual-usage.js';

const NANOS = 1e9;

/** The Summary of a virtual node as far as a metrics API can tell it: CPU and working set. */
export function usageSummary(nodeName: string, { node, pods }: VirtualUsage): Summary {
  return {
    node: { nodeName, startTime: null, ...(node !== undefined && figuresOf(node)) },
    pods: pods.map(podStats),
  };
}

function podStats(usage: PodUsage): PodStats {
  const { namespace, name, hostUid: uid } = usage.pod;
  const starts = usage.containers.flatMap(({ startedMs }) => startedMs ?? []);
  return {
    podRef: { namespace, name, uid },
    startTime: starts.length === 0 ? null : statsTime(Math.min(...starts)),
    containers: usage.containers.map(containerStats),
    ...figuresOf(usage),
  };
}

function containerStats(usage: ContainerUsage): ContainerStats {
  const { name, startedMs } = usage;
  return { name, startTime: startedMs === undefined ? null : statsTime(startedMs), ...figuresOf(usage) };
}

function figuresOf(usage: Usage): { readonly cpu: Figures; readonly memory: Figures } {
  const time = statsTime(usage.timestampMs);
  return {
    cpu: {
      time,
      usageNanoCores: Math.round(usage.cores * NANOS),
      usageCoreNanoSeconds: Math.round(usage.cpuSeconds * NANOS),
    },
    memory: { time, workingSetBytes: Math.round(usage.workingSetBytes) },
  };
}
