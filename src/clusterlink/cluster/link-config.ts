import type { Cluster, ClusterLinkOptions } from '../../apis/kosmos/v1alpha1/cluster.js';
import { DATASTORE_ANNOTATION, ETCD_DATASTORE, LINK_FINALIZER } from '../../apis/names.js';
import { ClusterInvalidError, compileKubeconfig, type KubeconfigSource } from '../../clustertree/cluster/options.js';
import { isRoot } from '../../clustertree/cluster/registry.js';

/** What of a Cluster says how its network is reached; a connection is made anew when it changes. */
export interface LinkConfig {
  readonly name: string;
  /** The host's own entry: its API server is the host's. */
  readonly root: boolean;
  /** Undefined for the host's own entry without one. */
  readonly kubeconfig: KubeconfigSource | undefined;
  /** In lower case; `calico` when the Cluster doesn't say. */
  readonly cni: string;
  /** The Cluster says that its Calico keeps its data in etcd. */
  readonly calicoInEtcd: boolean;
  /** The Cluster is being deleted, or ClusterLink was switched off in it: what we made there is taken away. */
  readonly leaving: boolean;
}

/** Whether the network of the cluster is to be linked with others. */
export function isLinkWanted({ metadata, spec }: Cluster): boolean {
  const options: ClusterLinkOptions | undefined = spec.clusterLinkOptions;
  return metadata?.deletionTimestamp === undefined && options !== undefined && options.enable !== false;
}

/** Whether the Cluster takes part in ClusterLink, or did and is not cleaned up yet. */
export function isLinkRegistered({ metadata }: Cluster): boolean {
  return metadata?.finalizers?.includes(LINK_FINALIZER) === true;
}

/**
 * What ClusterLink needs of a Cluster to connect to it. Mistakes in its ranges are the planner's to report: they keep
 * nobody from collecting.
 *
 * @throws ClusterInvalidError when there is no usable kubeconfig.
 */
export function compileLink(cluster: Cluster): LinkConfig {
  const problems: string[] = [];
  const root = isRoot(cluster);
  const kubeconfig = compileKubeconfig(cluster.spec, !root, problems);
  if (problems.length > 0) throw new ClusterInvalidError(problems);
  return {
    name: cluster.metadata?.name ?? '',
    root,
    kubeconfig,
    cni: (cluster.spec.clusterLinkOptions?.cni ?? 'calico').toLowerCase(),
    calicoInEtcd: cluster.metadata?.annotations?.[DATASTORE_ANNOTATION] === ETCD_DATASTORE,
    leaving: !isLinkWanted(cluster),
  };
}
