import type { Node } from '../../apis/core.js';
import { NODE_CLUSTER_ANNOTATION, NODE_LABEL } from '../../apis/names.js';
import { clusterOfNode } from '../../clustertree/cluster/virtual-node.js';
import { nodeConflict } from '../../clustertree/node/model.js';
import { nodes } from '../../kube/resource.js';
import { nameOf } from '../fields.js';
import { ADOPTED, found, problem, stays, type Finding, type Judgement } from './judgement.js';

/** A Cluster and the names of the virtual nodes that it asks for. */
export interface WantedNodes {
  readonly cluster: string;
  readonly names: readonly string[];
}

/**
 * What becomes of virtual nodes. The manager takes over those that name their Cluster; all others it would not touch, or
 * would take their pods out.
 */
export function judgeNodes(all: readonly Node[], wanted: readonly WantedNodes[]): readonly Finding[] {
  const owners = new Map(wanted.flatMap(({ cluster, names }) => names.map((name) => [name, cluster] as const)));
  const known = new Set(wanted.map(({ cluster }) => cluster));
  return all.flatMap((node) => {
    const cluster = owners.get(nameOf(node));
    if (cluster !== undefined) return [found(cluster, nodes, node, judgeWanted(node, cluster))];
    if (node.metadata?.labels?.[NODE_LABEL] !== 'true') return [];
    const former = clusterOfNode(node);
    return [found(former ?? 'host', nodes, node, judgeUnwanted(former, known))];
  });
}

function judgeWanted(node: Node, cluster: string): Judgement {
  const conflict = nodeConflict(node, cluster);
  if (conflict === undefined) return ADOPTED;
  const { name = '', uid, labels, annotations } = node.metadata ?? {};
  if (labels?.[NODE_LABEL] !== 'true' || annotations?.[NODE_CLUSTER_ANNOTATION] !== undefined) {
    return problem(
      `${conflict}: pods on it are not taken over; rename the member's node, or take it out of leafModels`,
    );
  }
  const body = { metadata: { uid, annotations: { [NODE_CLUSTER_ANNOTATION]: cluster } } };
  return { kind: 'adopt', changes: [{ where: 'host', type: nodes, ref: { name }, how: 'merge', body }] };
}

function judgeUnwanted(cluster: string | undefined, known: ReadonlySet<string>): Judgement {
  if (cluster === undefined || !known.has(cluster)) return stays('its Cluster is gone; delete it: kubectl delete node');
  return problem(
    `Cluster ${cluster} does not ask for it: the manager will delete its pods and it; add it to leafModels to keep them`,
  );
}
