import type { Outcome } from '../../src/clusterlink/floater/plan.js';
import { compileLinkCluster, type LinkCluster } from '../../src/clusterlink/planner/link-cluster.js';
import type { ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import {
  NETWORK_CLASSES,
  type NetworkClass,
  type SiteView,
  type TrialResult,
} from '../../src/kosmosctl/network/trial.js';
import { planTrials } from '../../src/kosmosctl/network/trial.js';

/** A Cluster that is linked. */
export function linkCluster(name: string, options: ClusterLinkOptions = {}): LinkCluster {
  const compiled = compileLinkCluster({
    metadata: { name },
    spec: { clusterLinkOptions: { ipFamily: 'all', ...options } },
  });
  if (compiled === undefined) throw new Error(`${name} is not linked`);
  return compiled;
}

/** A cluster with so many nodes `n1`, `n2`, … and a floater on each. */
export function siteView(index: number, name: string, nodes: number, options: ClusterLinkOptions = {}): SiteView {
  return {
    link: linkCluster(name, options),
    floaters: Array.from({ length: nodes }, (_, node) => ({
      node: `n${node + 1}`,
      ips: [`10.${index}.${node + 1}.2`, `fd00:${index}:${node + 1}::2`],
    })),
    serviceIps: [`10.${100 + index}.0.9`],
  };
}

export const ALL_CLASSES: ReadonlySet<NetworkClass> = new Set(NETWORK_CLASSES);

const WELL: Readonly<Record<NetworkClass, Outcome>> = {
  icmp: { ok: true, ms: 0.2 },
  tcp: { ok: true, ms: 1 },
  udp: { ok: true, ms: 0.3 },
  mtu: { ok: true, bytes: 1450 },
  service: { ok: true, ms: 2 },
  dns: { ok: true, ms: 3 },
};

/** What is known of one probe before it is made. */
export interface ProbeOf {
  readonly cls: NetworkClass;
  readonly from: string;
  /** `cluster/node`, or `cluster` for a Service or DNS. */
  readonly to: string;
  readonly family: string | undefined;
}

/** Results of all trials: what `judge` says of a probe; what it says nothing about goes well, null stands for none. */
export function resultsOf(
  sites: readonly SiteView[],
  judge: (probe: ProbeOf) => Outcome | string | null | undefined = () => undefined,
): readonly TrialResult[] {
  return planTrials(sites, { classes: ALL_CLASSES }).map((trial) => {
    const classes: readonly NetworkClass[] = trial.to.kind === 'service' ? ['service'] : trial.probes;
    const outcomes = classes.flatMap((cls): (readonly [NetworkClass, Outcome])[] => {
      const from = `${trial.from.cluster}/${trial.from.node}`;
      const to = trial.to.kind === 'pod' ? `${trial.to.cluster}/${trial.to.node}` : trial.to.cluster;
      const said = judge({ cls, from, to, family: trial.family });
      if (said === null) return [];
      return [[cls, typeof said === 'string' ? { ok: false, error: said } : (said ?? WELL[cls])]];
    });
    return { ...trial, outcomes: Object.fromEntries(outcomes) };
  });
}
