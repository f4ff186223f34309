import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { GATEWAY_LABEL } from '../../apis/names.js';
import type { LinkNode } from '../cluster/link-node.js';
import type { Candidate } from './choose.js';

export interface CandidatesState {
  readonly cluster: Cluster;
  readonly clusterNodes: readonly ClusterNode[];
  readonly nodes: ReadonlyMap<string, LinkNode>;
  readonly healthOf: (node: LinkNode) => Candidate['health'];
}

/** Nodes that can be the gateway of a cluster: those whose agent has found the addresses that the cluster needs. */
export function gatewayCandidates(state: CandidatesState): readonly Candidate[] {
  return state.clusterNodes.flatMap(({ spec }) => {
    const node = state.nodes.get(spec.nodeName ?? '');
    if (node === undefined || !isReachable(spec, state.cluster.spec.clusterLinkOptions?.ipFamily)) return [];
    const { name: nodeName } = node.metadata;
    const preferred = isPreferred(node);
    return [{ nodeName, preferred, cordoned: node.unschedulable, health: state.healthOf(node) }];
  });
}

/** The label's presence counts, as with Kubernetes' own role labels, unless it says no. */
function isPreferred({ labels }: LinkNode): boolean {
  const value = labels[GATEWAY_LABEL];
  return value !== undefined && value !== 'false';
}

function isReachable({ interfaceName, ip, ip6 }: ClusterNode['spec'], family = 'all'): boolean {
  if (!interfaceName) return false;
  const needs4 = family !== 'ipv6';
  const needs6 = family !== 'ipv4';
  return (!needs4 || Boolean(ip)) && (!needs6 || Boolean(ip6));
}
