import type { Figures, NodeStats, PodStats, Summary } from '../../../apis/stats.js';
import type { CounterSum } from './counter-sum.js';
import type { OwnPods } from './own-pods.js';
import { figure, sumFigures } from './summary-figures.js';

/** What makes one Summary of several. */
export interface SummaryParts {
  /** Name of the virtual node. */
  readonly nodeName: string;
  /** Answers of kubelets, by name of the member's node. */
  readonly summaries: ReadonlyMap<string, Summary>;
  /** Nodes behind the virtual node; others may have answered because they run pods of it. */
  readonly behind: readonly string[];
  readonly pods: OwnPods;
  /** Where the virtual node's CPU counter is kept. */
  readonly cpu: CounterSum;
}

const CPU = ['usageNanoCores'];
const MEMORY = ['availableBytes', 'usageBytes', 'workingSetBytes', 'rssBytes'];
const SWAP = ['swapAvailableBytes', 'swapUsageBytes'];
const FILESYSTEM = ['availableBytes', 'capacityBytes', 'usedBytes', 'inodesFree', 'inodes', 'inodesUsed'];
const LIMITS = ['maxpid', 'curproc'];

/**
 * The Summary (`stats.kubelet/v1alpha1`) of a virtual node: its own pods with the UIDs of the host, and its nodes'
 * figures. Those of a single node go through as they are; of several, what can be added up is added up, and the rest
 * (network, pressure, system containers, page faults) is left out.
 */
export function virtualSummary(parts: SummaryParts): Summary {
  return { node: virtualNodeStats(parts), pods: podStats(parts) };
}

function virtualNodeStats({ nodeName, summaries, behind, cpu: counter }: SummaryParts): NodeStats {
  const answered = behind.flatMap((name): readonly [string, NodeStats][] => {
    const node = summaries.get(name)?.node;
    return node === undefined ? [] : [[name, node]];
  });
  const seconds = answered.flatMap(([name, { cpu }]): readonly [string, number][] => {
    const value = figure(cpu, 'usageCoreNanoSeconds');
    return value === undefined ? [] : [[name, value]];
  });
  const usageCoreNanoSeconds = counter.add(new Map(seconds));
  const nodes = answered.map(([, node]) => node);
  const [single] = nodes;
  const figures = behind.length === 1 && single !== undefined ? single : summedStats(nodes);
  const cpu = figures.cpu === undefined ? undefined : { ...figures.cpu, ...known({ usageCoreNanoSeconds }) };
  return { ...figures, nodeName, ...known({ cpu }) };
}

function summedStats(nodes: readonly NodeStats[]): Omit<NodeStats, 'nodeName'> {
  const sum = (pick: (node: NodeStats) => Figures | undefined, names: readonly string[]): Figures | undefined =>
    sumFigures(nodes.map(pick), names);
  const imageFs = sum(({ runtime }) => runtime?.imageFs, FILESYSTEM);
  const containerFs = sum(({ runtime }) => runtime?.containerFs, FILESYSTEM);
  const starts = nodes.flatMap(({ startTime }) => startTime ?? []).sort();
  return {
    startTime: starts[0] ?? null,
    ...known({
      cpu: sum(({ cpu }) => cpu, CPU),
      memory: sum(({ memory }) => memory, MEMORY),
      swap: sum(({ swap }) => swap, SWAP),
      fs: sum(({ fs }) => fs, FILESYSTEM),
      rlimit: sum(({ rlimit }) => rlimit, LIMITS),
      runtime: imageFs === undefined && containerFs === undefined ? undefined : known({ imageFs, containerFs }),
    }),
  };
}

/** Leaves out what is undefined. */
export function known<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

function podStats({ summaries, pods }: SummaryParts): readonly PodStats[] {
  const stats = new Map<string, PodStats>();
  for (const [node, summary] of summaries) {
    for (const pod of summary.pods) {
      const own = pods.withUid(pod.podRef.uid);
      if (own?.memberNode === node) stats.set(own.hostUid, pod);
    }
  }
  return pods.pods.flatMap(({ namespace, name, hostUid }) => {
    const found = stats.get(hostUid);
    return found === undefined ? [] : { ...found, podRef: { namespace, name, uid: hostUid } };
  });
}
