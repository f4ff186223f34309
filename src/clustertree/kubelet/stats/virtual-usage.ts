import { meanTime, type CounterSum } from './counter-sum.js';
import type { ContainerUsage, MemberUsage, Usage } from './member-usage.js';
import { total } from './node-series.js';
import type { OwnPod, OwnPods } from './own-pods.js';

/** What a pod of the virtual node uses: the sum of its containers. */
export interface PodUsage extends Usage {
  readonly pod: OwnPod;
  readonly containers: readonly ContainerUsage[];
}

/** What is known of a virtual node when the member has only its metrics API. */
export interface VirtualUsage {
  /** The sum of the nodes behind it that have figures; undefined when none has. */
  readonly node: Usage | undefined;
  /** Only pods that have figures, in order of their names. */
  readonly pods: readonly PodUsage[];
}

/** What makes a {@link VirtualUsage}. */
export interface VirtualUsageParts {
  readonly usage: MemberUsage;
  /** Nodes behind the virtual node. */
  readonly behind: readonly string[];
  readonly pods: OwnPods;
  /** Where the virtual node's CPU counter is kept; in core-seconds. */
  readonly cpu: CounterSum;
}

/** Picks out of a member's use what belongs to one virtual node. */
export function virtualUsage({ usage, behind, pods, cpu }: VirtualUsageParts): VirtualUsage {
  return {
    node: nodeUsage(usage, behind, cpu),
    pods: pods.pods.flatMap((pod) => {
      const containers = usage.pods.get(pod.memberUid) ?? [];
      const sum = summed(containers, total(containers.map(({ cpuSeconds }) => cpuSeconds)));
      return sum === undefined ? [] : { pod, containers, ...sum };
    }),
  };
}

function nodeUsage(usage: MemberUsage, behind: readonly string[], cpu: CounterSum): Usage | undefined {
  const found = behind.flatMap((name): readonly [string, Usage][] => {
    const node = usage.nodes.get(name);
    return node === undefined ? [] : [[name, node]];
  });
  const cpuSeconds = cpu.add(new Map(found.map(([name, node]) => [name, node.cpuSeconds])));
  return summed(
    found.map(([, node]) => node),
    cpuSeconds,
  );
}

function summed(usages: readonly Usage[], cpuSeconds: number | undefined): Usage | undefined {
  const timestampMs = meanTime(usages.map((usage) => usage.timestampMs));
  if (timestampMs === undefined || cpuSeconds === undefined) return undefined;
  return {
    ...{ cpuSeconds, timestampMs },
    cores: total(usages.map(({ cores }) => cores)),
    workingSetBytes: total(usages.map(({ workingSetBytes }) => workingSetBytes)),
  };
}
