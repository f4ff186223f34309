import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig, NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import { Planner } from './planner.js';
import type { PlanProblem } from './problems.js';
import type { PlannerSettings } from './settings.js';

export interface PlanInput {
  readonly clusters: readonly Cluster[];
  readonly clusterNodes: readonly ClusterNode[];
  /** Those that there are, for the MACs of their devices. */
  readonly nodeConfigs?: readonly NodeConfig[] | undefined;
  readonly settings?: PlannerSettings | undefined;
}

export interface Plan {
  /** By name; a NodeConfig that is not in it is not wanted. */
  readonly configs: ReadonlyMap<string, NodeConfigSpec>;
  readonly problems: readonly PlanProblem[];
}

/** Everything at once: what a {@link Planner} with these inputs says. */
export function planNetwork({ clusters, clusterNodes, nodeConfigs = [], settings }: PlanInput): Plan {
  const planner = new Planner(settings);
  for (const cluster of clusters) planner.setCluster(cluster);
  for (const node of clusterNodes) planner.setNode(node);
  for (const { metadata, spec } of nodeConfigs) planner.setPreviousDevices(metadata?.name ?? '', spec.devices ?? []);
  const { problems } = planner.plan();
  const configs = new Map<string, NodeConfigSpec>();
  for (const name of [...planner.names()].sort()) {
    const config = planner.config(name);
    if (config !== undefined) configs.set(name, config);
  }
  return { configs, problems };
}
