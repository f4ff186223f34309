import type { Node } from '../../apis/core.js';
import { NODE_CLUSTER_ANNOTATION, NODE_LABEL } from '../../apis/names.js';

/** The Cluster that a node of the host stands for; undefined for every node that is not a virtual node. */
export function clusterOfNode(node: Node | undefined): string | undefined {
  if (node?.metadata?.labels?.[NODE_LABEL] !== 'true') return undefined;
  return node.metadata.annotations?.[NODE_CLUSTER_ANNOTATION];
}
