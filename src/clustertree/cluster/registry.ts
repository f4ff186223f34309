import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_FINALIZER, CLUSTER_ROLE_ANNOTATION, CLUSTER_ROLE_ROOT } from '../../apis/names.js';
import type { Informer } from '../../kube/informer.js';
import type { Logger } from '../../lib/logger.js';
import { ConnectionRegistry, type ConnectionSource, type PreparedConnection } from './connection-registry.js';
import type { MemberConnection } from './connection.js';
import type { HostPods } from './host-pods.js';
import { compileCluster, type ClusterConfig } from './options.js';
import { clusterOfNode } from './virtual-node.js';

export interface RegistryOptions {
  readonly clusters: Informer<Cluster>;
  /** Virtual nodes in the host. */
  readonly hostNodes: Informer<Node>;
  readonly hostPods: Pick<HostPods, 'setNodes'>;
  /** Reads the kubeconfig; throws when there is none. */
  readonly readKubeconfig: (config: ClusterConfig, signal: AbortSignal) => Promise<string>;
  /** Makes a connection, not yet started; throws when the kubeconfig is bad. */
  readonly connect: (config: ClusterConfig, kubeconfig: string, leaving: boolean) => MemberConnection;
  readonly logger: Logger;
}

/** Whether the Cluster is the host's own entry. */
export function isRoot(cluster: Cluster): boolean {
  return cluster.metadata?.annotations?.[CLUSTER_ROLE_ANNOTATION] === CLUSTER_ROLE_ROOT;
}

/** Whether virtual nodes and pods of the member are wanted. */
export function isWanted(cluster: Cluster): boolean {
  const { metadata, spec } = cluster;
  return !isRoot(cluster) && metadata?.deletionTimestamp === undefined && spec.clusterTreeOptions?.enable !== false;
}

/** Whether the Cluster takes part in ClusterTree, or did and is not cleaned up yet. */
export function isRegistered(cluster: Cluster): boolean {
  return cluster.metadata?.finalizers?.includes(CLUSTER_FINALIZER) === true;
}

/** The connections of ClusterTree: of all Clusters that take part in it, or did and are not cleaned up yet. */
export class MemberRegistry extends ConnectionRegistry<MemberConnection> {
  constructor(options: RegistryOptions) {
    const { clusters, logger } = options;
    super({ clusters, logger, source: new TreeConnections(options) });
  }
}

class TreeConnections implements ConnectionSource<MemberConnection> {
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  isWanted(cluster: Cluster): boolean {
    return isWanted(cluster) || isRegistered(cluster);
  }

  async prepare(cluster: Cluster, signal: AbortSignal): Promise<PreparedConnection<MemberConnection>> {
    const leaving = !isWanted(cluster);
    const config = compileCluster(leaving ? withoutTree(cluster) : cluster);
    const kubeconfig = await this.#options.readKubeconfig(config, signal);
    this.#options.hostPods.setNodes(config.name, this.#virtualNodes(config.name, config));
    return {
      fingerprint: JSON.stringify([config, leaving, addressMapOf(cluster)]),
      kubeconfig,
      connect: () => this.#options.connect(config, kubeconfig, leaving),
    };
  }

  onAbsent(name: string, wanted: boolean): void {
    this.#options.hostPods.setNodes(name, wanted ? this.#virtualNodes(name) : new Set());
  }

  /** The nodes that the Cluster asks for, and those it once asked for and that still exist. */
  #virtualNodes(name: string, config?: ClusterConfig): ReadonlySet<string> {
    const existing = this.#options.hostNodes.store.list().filter((node) => clusterOfNode(node) === name);
    const wanted = config?.virtualNodes.map(({ nodeName }) => nodeName) ?? [];
    return new Set([...wanted, ...existing.map((node) => node.metadata?.name ?? '')]);
  }
}

/** A mistake in what is no longer wanted must not keep us from cleaning up. */
function withoutTree(cluster: Cluster): Cluster {
  return { ...cluster, spec: { ...cluster.spec, clusterTreeOptions: { enable: false } } };
}

/** With it all pods get other addresses in the host. */
function addressMapOf({ spec: { clusterLinkOptions: options } }: Cluster): unknown {
  return options?.enable === false ? undefined : options?.globalCIDRsMap;
}
