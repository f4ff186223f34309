import type { ClusterNodeSpec } from '../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { ClusterLinkOptions, ClusterLinkStatus } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import type { Plan, PlanInput } from '../../src/clusterlink/planner/plan.js';
import { planNetwork } from '../../src/clusterlink/planner/plan.js';
import type { Listed } from './link-plan.js';
import { linkCluster, linkNode, listed, previousConfig } from './link-plan.js';

type ClusterName = 'east' | 'west';
type NodeKey = 'east-n1' | 'east-n2' | 'west-n1' | 'west-n2';

/** Changes to the inputs that all goldens begin with. */
export interface GoldenChange {
  /** Of both Clusters, and of one of them. */
  readonly both?: ClusterLinkOptions;
  readonly options?: Partial<Record<ClusterName, ClusterLinkOptions>>;
  readonly found?: Partial<Record<ClusterName, ClusterLinkStatus>>;
  readonly nodes?: Partial<Record<NodeKey, ClusterNodeSpec>>;
}

const FOUND: Readonly<Record<ClusterName, ClusterLinkStatus>> = {
  east: { podCIDRs: ['10.10.0.0/16'], serviceCIDRs: ['10.11.0.0/16'] },
  west: { podCIDRs: ['10.20.0.0/16'], serviceCIDRs: ['10.21.0.0/16'] },
};
const NODES: readonly (readonly [ClusterName, string, ClusterNodeSpec])[] = [
  ['east', 'n1', { ip: '172.18.1.11', podCIDRs: ['10.10.0.0/26'], roles: ['gateway'] }],
  ['east', 'n2', { ip: '172.18.1.12', podCIDRs: ['10.10.0.64/26'] }],
  ['west', 'n1', { ip: '172.18.2.21', podCIDRs: ['10.20.0.0/26'], roles: ['gateway'] }],
  ['west', 'n2', { ip: '172.18.2.22', podCIDRs: ['10.20.0.64/26'] }],
];

/** Two clusters of two nodes, known devices included. */
export function goldenInput(change: GoldenChange): PlanInput {
  const names = ['east', 'west'] as const;
  return {
    clusters: names.map((name) =>
      linkCluster(name, { ...change.both, ...change.options?.[name] }, { ...FOUND[name], ...change.found?.[name] }),
    ),
    clusterNodes: NODES.map(([cluster, node, spec]) =>
      linkNode(cluster, node, { ...spec, ...change.nodes?.[`${cluster}-${node}` as NodeKey] }),
    ),
    nodeConfigs: NODES.map(([cluster, node]) =>
      previousConfig(`${cluster}-${node}`, `02:0${cluster === 'east' ? 1 : 2}:0${node.slice(1)}:00:00`),
    ),
  };
}

/** The change that makes the golden inputs dual-stack. */
export const DUAL_STACK: GoldenChange = {
  both: { ipFamily: 'all' },
  found: {
    east: { podCIDRs: ['10.10.0.0/16', 'fd11:10::/64'], serviceCIDRs: ['10.11.0.0/16', 'fd11:11::/108'] },
    west: { podCIDRs: ['10.20.0.0/16', 'fd11:20::/64'], serviceCIDRs: ['10.21.0.0/16', 'fd11:21::/108'] },
  },
  nodes: {
    'east-n1': { ip6: 'fd00:18::1:11' },
    'east-n2': { ip6: 'fd00:18::1:12' },
    'west-n1': { ip6: 'fd00:18::2:21' },
    'west-n2': { ip6: 'fd00:18::2:22' },
  },
};

export function listedPlan({ configs }: Plan): Readonly<Record<string, Listed>> {
  return Object.fromEntries([...configs].map(([name, spec]) => [name, listed(spec)]));
}

export function goldenPlan(change: GoldenChange): Readonly<Record<string, Listed>> {
  return listedPlan(planNetwork(goldenInput(change)));
}
