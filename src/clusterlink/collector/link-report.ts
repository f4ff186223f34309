import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster, ClusterLinkOptions } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { ConnectionProblem } from '../../clustertree/cluster/connection-registry.js';
import type { LinkConnection } from '../cluster/connection.js';
import { hasApplied, linkCondition } from '../cluster/link-condition.js';
import { isGateway, standbysOf } from '../cluster/gateways.js';
import { isLinked } from '../cluster/link-node.js';
import type { LinkReport } from '../cluster/link-status.js';
import type { NetworkFacts } from '../cluster/network-sources.js';
import { collectCidrs, etcdProblem, type ClusterCidrs, type FoundCidrs } from './cluster-cidrs.js';
import { sourceOf } from '../cluster/source.js';

export interface LinkedState {
  readonly cluster: Cluster;
  readonly connection:
    | Pick<LinkConnection, 'nodes' | 'nodeConfigs' | 'agents' | 'network' | 'obstacles' | 'synced' | 'problem'>
    | undefined;
  readonly invalid: ConnectionProblem | undefined;
  /** Those of the cluster. */
  readonly clusterNodes: readonly ClusterNode[];
  readonly planProblems: readonly string[];
}

/** What is to be said of a linked cluster. What is not known now leaves what was last known. */
export function reportOf(state: LinkedState): LinkReport {
  const { cluster, connection, invalid, clusterNodes, planProblems } = state;
  const options = cluster.spec.clusterLinkOptions ?? {};
  const found = connection && collectCidrs(options, sourceOf(connection.nodes), connection.network.facts);
  const { nodes, configs } = contentsOf(connection);
  const gateway = clusterNodes.find(isGateway)?.spec.nodeName;
  const synced = connection?.synced === true;
  const silent = nodes.filter((node) => connection?.agents.isSilent(node));
  const ready = nodes.filter((node) => hasApplied(configs.get(node)) && !silent.includes(node)).length;
  return {
    podCIDRs: cidrsIn(found?.pods),
    serviceCIDRs: cidrsIn(found?.services),
    gateways: { gateway, standbys: standbysOf(clusterNodes) },
    ...(synced && { nodes: { ready, total: nodes.length } }),
    condition: linkCondition({
      ...{ invalid, synced, planProblems, nodes, configs, silent, gateway },
      connected: connection !== undefined,
      problem: connection?.problem,
      obstacles: connection?.obstacles.list() ?? [],
      missing: connection === undefined ? [] : missingIn(options, connection.network.facts, found),
      planned: new Set([...configs].filter(([, { spec }]) => spec.devices !== undefined).map(([node]) => node)),
      needsGateway: options.networkType === 'gateway',
    }),
  };
}

/** The nodes that take part, and the NodeConfigs that there are, by the names of their nodes. */
function contentsOf(connection: LinkedState['connection']): {
  readonly nodes: readonly string[];
  readonly configs: ReadonlyMap<string, NodeConfig>;
} {
  const nodes = connection?.nodes.store.list() ?? [];
  const configs = connection?.nodeConfigs.store.list() ?? [];
  return {
    nodes: nodes.filter(isLinked).map(({ metadata }) => metadata.name),
    configs: new Map(configs.map((config) => [config.spec.nodeName ?? '', config])),
  };
}

/** What somebody has to say of the cluster, since it doesn't itself. */
function missingIn(
  options: ClusterLinkOptions,
  facts: NetworkFacts,
  found: ClusterCidrs | undefined,
): readonly string[] {
  const problem = etcdProblem(options, facts);
  return [...[found?.pods, found?.services].flatMap(messageOf), ...(problem === undefined ? [] : [problem])];
}

function cidrsIn(found: FoundCidrs | undefined): readonly string[] | undefined {
  return found?.state === 'found' ? found.cidrs : undefined;
}

function messageOf(found: FoundCidrs | undefined): readonly string[] {
  return found?.state === 'missing' ? [found.message] : [];
}
