import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import { GATEWAY_ROLE } from '../../apis/names.js';

/** Whether a ClusterNode has the role of the gateway. */
export function isGateway({ spec }: ClusterNode): boolean {
  return (spec.roles ?? []).some((role) => role.toLowerCase() === GATEWAY_ROLE);
}

/** Names of the nodes that stand by, in the order in which they take over. */
export function standbysOf(clusterNodes: readonly ClusterNode[]): readonly string[] {
  return clusterNodes
    .flatMap(({ spec: { nodeName = '', standbyOrder } }) =>
      standbyOrder === undefined ? [] : [{ nodeName, standbyOrder }],
    )
    .sort((left, right) => left.standbyOrder - right.standbyOrder)
    .map(({ nodeName }) => nodeName);
}
