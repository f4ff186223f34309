import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig, NodeConfigDevice } from '../../apis/kosmos/v1alpha1/node-config.js';
import { OWNER_LABEL } from '../../apis/names.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { nodeConfigs } from '../../kube/kosmos-resources.js';
import { isLinkWanted } from '../cluster/link-config.js';
import type { Planner } from '../planner/planner.js';

/** A NodeConfig that Kosmos' own network-manager wrote into the host, as far as it matters. */
export interface FormerConfig {
  readonly metadata: { readonly name: string };
  readonly devices: readonly NodeConfigDevice[];
}

/** What a plan is made from; all of it is in the host. */
export interface PlanSources {
  readonly clusters: Informer<Cluster>;
  readonly clusterNodes: Informer<ClusterNode>;
  /** For the MACs of devices that are there already. */
  readonly formerConfigs: Informer<NodeConfig, FormerConfig>;
}

/** Watches NodeConfigs of the host that the manager has not made, also those that it has taken over. */
export function watchFormerConfigs(
  client: KubeClient,
  createInformer: InformerFactory,
): Informer<NodeConfig, FormerConfig> {
  return createInformer({
    ...{ client, type: nodeConfigs, labelSelector: `!${OWNER_LABEL}` },
    transform: ({ metadata, spec }) => ({ metadata: { name: metadata?.name ?? '' }, devices: spec.devices ?? [] }),
  });
}

/** Tells a planner of all that there is and of each change, and calls back; the returned functions end that. */
export function feedPlanner(planner: Planner, sources: PlanSources, changed: () => void): readonly (() => void)[] {
  const setCluster = (cluster: Cluster): void => {
    if (isLinkWanted(cluster)) planner.setCluster(cluster);
    else planner.removeCluster(cluster.metadata?.name ?? '');
    changed();
  };
  const removeCluster = ({ metadata }: Cluster): void => {
    planner.removeCluster(metadata?.name ?? '');
    changed();
  };
  const setNode = (node: ClusterNode): void => {
    planner.setNode(node);
    changed();
  };
  const removeNode = ({ metadata }: ClusterNode): void => {
    planner.removeNode(metadata?.name ?? '');
    changed();
  };
  // When Kosmos' own is deleted, the devices are there all the same, so nothing is forgotten.
  const setFormer = ({ metadata, devices }: FormerConfig): void => {
    planner.setPreviousDevices(metadata.name, devices);
    changed();
  };
  const { clusters, clusterNodes, formerConfigs } = sources;
  return [
    formerConfigs.addHandler({ onAdd: setFormer, onUpdate: (_old, next) => setFormer(next) }),
    clusters.addHandler({ onAdd: setCluster, onUpdate: (_old, next) => setCluster(next), onDelete: removeCluster }),
    clusterNodes.addHandler({ onAdd: setNode, onUpdate: (_old, next) => setNode(next), onDelete: removeNode }),
  ];
}
