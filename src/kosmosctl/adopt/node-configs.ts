import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import { CLUSTER_LABEL, HOST_CLUSTER_LABEL } from '../../apis/names.js';
import { nodeConfigs } from '../../kube/kosmos-resources.js';
import { nameOf } from '../fields.js';
import { ADOPTED, found, stays, type Finding, type Judgement } from './judgement.js';

export interface LinkedHost {
  /** UID of the host's kube-system namespace. */
  readonly uid: string;
  /** Name of the host's own Cluster; empty when it has none. */
  readonly root: string;
  readonly clusterNodes: readonly ClusterNode[];
  readonly nodeConfigs: readonly NodeConfig[];
}

const MEMBERS = "its cluster gets another one in its own API server; this one tells its devices' MACs";

/**
 * What becomes of the NodeConfigs in the host, where Kosmos in Go keeps those of all clusters. The manager wants the names
 * of those of the host's own nodes for its own. They don't get the label `kosmos.io/owner`, so that they go on telling
 * which MACs devices have.
 */
export function judgeNodeConfigs({ uid, root, clusterNodes, nodeConfigs: all }: LinkedHost): readonly Finding[] {
  const clusterOf = new Map(clusterNodes.map((node) => [nameOf(node), node.spec.clusterName]));
  return all.map((config) => {
    const cluster = clusterOf.get(nameOf(config));
    const isHosts = root !== '' && cluster === root;
    return found('host', nodeConfigs, config, isHosts ? judgeOwn(config, uid, root) : stays(MEMBERS));
  });
}

function judgeOwn(config: NodeConfig, hostUid: string, root: string): Judgement {
  const { name = '', uid, labels } = config.metadata ?? {};
  if (labels?.[HOST_CLUSTER_LABEL] !== undefined) return ADOPTED;
  const body = { metadata: { uid, labels: { [HOST_CLUSTER_LABEL]: hostUid, [CLUSTER_LABEL]: root } } };
  return { kind: 'adopt', changes: [{ where: 'host', type: nodeConfigs, ref: { name }, how: 'merge', body }] };
}
