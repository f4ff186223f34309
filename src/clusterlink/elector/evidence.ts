import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';

/** What most of those who probe a node found; undefined when nobody probes it, or there is a draw. */
export type Verdict = 'reachable' | 'unreachable' | undefined;

/** What agents say of the nodes of one cluster. */
export interface Evidence {
  reachability(nodeName: string): Verdict;
  /** The node that most agents have made their gateway by themselves, instead of `current`. */
  switchedTo(current: string | undefined): string | undefined;
}

/**
 * Weighs what agents report of a cluster.
 *
 * @param reports - NodeConfigs of agents that can be believed: those that are silent say nothing about others.
 */
export function weighReports(cluster: string, reports: Iterable<NodeConfig>): Evidence {
  const balance = new Map<string, number>();
  const all = [...reports];
  const prefix = `${cluster}/`;
  for (const { status } of all) {
    for (const { name, reachable } of distinctPeers(status?.peers ?? [])) {
      if (!name.startsWith(prefix)) continue;
      const node = name.slice(prefix.length);
      balance.set(node, (balance.get(node) ?? 0) + (reachable ? 1 : -1));
    }
  }
  return {
    reachability: (nodeName) => {
      const sum = balance.get(nodeName) ?? 0;
      if (sum === 0) return undefined;
      return sum > 0 ? 'reachable' : 'unreachable';
    },
    switchedTo: (current) => {
      const choice = majority(all.flatMap((report) => choiceOf(report, cluster, current) ?? []));
      return choice === current ? undefined : choice;
    },
  };
}

/** A peer has a line for each family; one that answers in any of them is there. */
function distinctPeers(
  peers: readonly { readonly name: string; readonly reachable: boolean }[],
): readonly { readonly name: string; readonly reachable: boolean }[] {
  const answers = new Map<string, boolean>();
  for (const { name, reachable } of peers) answers.set(name, (answers.get(name) ?? false) || reachable);
  return [...answers].map(([name, reachable]) => ({ name, reachable }));
}

/**
 * What an agent goes through. Only one that has applied a config in which `current` comes first can disagree with it:
 * in all others the answer is of an older question.
 */
function choiceOf(
  { metadata, spec, status }: NodeConfig,
  cluster: string,
  current: string | undefined,
): string | undefined {
  const planned = spec.gateways?.find(({ clusterName }) => clusterName === cluster);
  const active = status?.activeGateways?.find(({ clusterName }) => clusterName === cluster);
  if (planned === undefined || active === undefined || current === undefined) return undefined;
  const isCurrent = status?.observedGeneration === metadata?.generation && planned.candidates[0]?.nodeName === current;
  return isCurrent ? active.nodeName : undefined;
}

/** The item that makes up more than half of all. */
function majority(items: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].find(([, count]) => count * 2 > items.length)?.[0];
}
