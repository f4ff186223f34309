import type { Pod } from '../../../apis/core.js';
import type { NodeMetrics, PodMetrics } from '../../../apis/metrics.js';
import { objectKey, type ObjectKey } from '../../../kube/resource.js';
import { containerReadings, nodeReading, type UsageReading } from './metric-readings.js';
import { startTimes } from './own-pods.js';
import { RateIntegrator } from './rate-integrator.js';

/** What a node or container uses, with a counter made of rates. */
export interface Usage {
  /** Core-seconds since an arbitrary start; only grows. */
  readonly cpuSeconds: number;
  /** The rate that was measured last, in cores. */
  readonly cores: number;
  readonly workingSetBytes: number;
  /** When it was measured, by the member's clock. */
  readonly timestampMs: number;
}

export interface ContainerUsage extends Usage {
  readonly name: string;
  /** When the container started, by the clock of its node; undefined when the member doesn't say so. */
  readonly startedMs: number | undefined;
}

/** What is known of a member's use by its metrics API. */
export interface MemberUsage {
  /** By name of the member's node. */
  readonly nodes: ReadonlyMap<string, Usage>;
  /** By UID of the member pod; containers in order of their names. */
  readonly pods: ReadonlyMap<string, readonly ContainerUsage[]>;
}

/** Lists of the member's metrics API as they were read. */
export interface MetricsLists {
  readonly nodes: readonly NodeMetrics[];
  readonly pods: readonly PodMetrics[];
}

/**
 * Turns the rates of a member's metrics API into counters. Metrics name their pod without UID: they are taken for those
 * of the pod that is there now, except for containers that started only after they were measured.
 */
export class UsageMeter {
  readonly #nodes = new RateIntegrator();
  readonly #containers = new RateIntegrator();

  /** Takes what was read now. @param memberPod gives our pods in the member, as they are now. */
  measure(lists: MetricsLists, memberPod: (key: ObjectKey) => Pod | undefined): MemberUsage {
    return { nodes: this.#measureNodes(lists.nodes), pods: this.#measurePods(lists.pods, memberPod) };
  }

  #measureNodes(metrics: readonly NodeMetrics[]): ReadonlyMap<string, Usage> {
    const nodes = new Map<string, Usage>();
    for (const metric of metrics) {
      const name = metric.metadata?.name ?? '';
      const reading = nodeReading(metric);
      if (reading !== undefined) nodes.set(name, usage(this.#nodes, name, reading));
    }
    return nodes;
  }

  #measurePods(
    metrics: readonly PodMetrics[],
    memberPod: (key: ObjectKey) => Pod | undefined,
  ): ReadonlyMap<string, readonly ContainerUsage[]> {
    const pods = new Map<string, readonly ContainerUsage[]>();
    for (const metric of metrics) {
      const pod = memberPod(objectKey(metric));
      if (pod === undefined) continue;
      const containers = this.#measureContainers(pod, metric);
      if (containers.length > 0) pods.set(pod.metadata?.uid ?? '', containers);
    }
    return pods;
  }

  #measureContainers(pod: Pod, metric: PodMetrics): readonly ContainerUsage[] {
    const started = startTimes(pod);
    const containers: ContainerUsage[] = [];
    for (const [name, reading] of containerReadings(metric)) {
      const startedMs = started.get(name);
      if (startedMs !== undefined && reading.timestampMs <= startedMs) continue;
      const key = `${pod.metadata?.uid ?? ''}/${name}/${startedMs ?? ''}`;
      containers.push({ name, startedMs, ...usage(this.#containers, key, reading, startedMs) });
    }
    return containers.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Forgets counters of what is no longer there. */
  retain(nodes: ReadonlySet<string>, podUids: ReadonlySet<string>): void {
    this.#nodes.retain((node) => nodes.has(node));
    this.#containers.retain((key) => podUids.has(key.slice(0, key.indexOf('/'))));
  }
}

function usage(integrator: RateIntegrator, key: string, reading: UsageReading, startedMs?: number): Usage {
  const { seconds, timestampMs } = integrator.add(key, reading, startedMs);
  const { cores, workingSetBytes } = reading;
  return { cpuSeconds: seconds, cores, workingSetBytes, timestampMs };
}
