import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { GATEWAY_ROLE } from '../../apis/names.js';
import type { ConnectionProblem } from '../../clustertree/cluster/connection-registry.js';
import type { LinkConnection } from '../cluster/connection.js';
import { hasApplied, linkCondition } from '../cluster/link-condition.js';
import { isLinked } from '../cluster/link-node.js';
import type { LinkReport } from '../cluster/link-status.js';
import { collectCidrs, type FoundCidrs } from './cluster-cidrs.js';
import { sourceOf } from '../cluster/source.js';

export interface LinkedState {
  readonly cluster: Cluster;
  readonly connection: Pick<LinkConnection, 'nodes' | 'nodeConfigs' | 'network' | 'synced' | 'problem'> | undefined;
  readonly invalid: ConnectionProblem | undefined;
  /** Those of the cluster. */
  readonly clusterNodes: readonly ClusterNode[];
  readonly planProblems: readonly string[];
}

/** What is to be said of a linked cluster. What is not known now leaves what was last known. */
export function reportOf({ cluster, connection, invalid, clusterNodes, planProblems }: LinkedState): LinkReport {
  const options = cluster.spec.clusterLinkOptions ?? {};
  const found = connection && collectCidrs(options, sourceOf(connection.nodes), connection.network.facts);
  const linked = (connection?.nodes.store.list() ?? []).filter(isLinked).map(({ metadata }) => metadata.name);
  const configs = new Map(
    (connection?.nodeConfigs.store.list() ?? []).map((config) => [config.spec.nodeName ?? '', config]),
  );
  const gateway = clusterNodes.find(({ spec }) => spec.roles?.includes(GATEWAY_ROLE))?.spec.nodeName;
  const synced = connection?.synced === true;
  return {
    podCIDRs: cidrsIn(found?.pods),
    serviceCIDRs: cidrsIn(found?.services),
    gateways: { gateway, standbys: standbysOf(clusterNodes) },
    ...(synced && {
      nodes: { ready: linked.filter((node) => hasApplied(configs.get(node))).length, total: linked.length },
    }),
    condition: linkCondition({
      ...{ invalid, synced, planProblems, configs, gateway },
      connected: connection !== undefined,
      problem: connection?.problem,
      missing: found === undefined ? [] : [found.pods, found.services].flatMap(messageOf),
      nodes: linked,
      planned: new Set([...configs].filter(([, { spec }]) => spec.devices !== undefined).map(([node]) => node)),
      needsGateway: options.networkType === 'gateway',
    }),
  };
}

function cidrsIn(found: FoundCidrs | undefined): readonly string[] | undefined {
  return found?.state === 'found' ? found.cidrs : undefined;
}

function messageOf(found: FoundCidrs): readonly string[] {
  return found.state === 'missing' ? [found.message] : [];
}

function standbysOf(clusterNodes: readonly ClusterNode[]): readonly string[] {
  const order = ({ spec }: ClusterNode): number => spec.standbyOrder ?? 0;
  return clusterNodes
    .filter(({ spec }) => spec.standbyOrder !== undefined)
    .sort((left, right) => order(left) - order(right))
    .map(({ spec }) => spec.nodeName ?? '');
}
