import type { LabelSelector } from '../../../lib/label-selector.js';
import type { ObjectMeta, Taint } from '../../core.js';

/** `clusters.kosmos.io`: a cluster of the federation. `crds/kosmos.io_clusters.yaml` is its schema. */
export interface Cluster {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata?: ObjectMeta | undefined;
  readonly spec: ClusterSpec;
  readonly status?: ClusterStatus | undefined;
}

export interface ClusterSpec {
  /** Base64 of a kubeconfig of the member. */
  readonly kubeconfig?: string | undefined;
  /** A Secret of the host that holds the kubeconfig instead (key `kubeconfig`). */
  readonly kubeconfigSecretRef?: SecretReference | undefined;
  /** Where ClusterLink's components live in the member. */
  readonly namespace?: string | undefined;
  readonly imageRepository?: string | undefined;
  readonly clusterLinkOptions?: ClusterLinkOptions | undefined;
  readonly clusterTreeOptions?: ClusterTreeOptions | undefined;
}

export interface SecretReference {
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface ClusterLinkOptions {
  readonly enable?: boolean | undefined;
  readonly cni?: string | undefined;
  readonly networkType?: 'p2p' | 'gateway' | undefined;
  /** `all`, `ipv4` or `ipv6`. */
  readonly ipFamily?: string | undefined;
  readonly useIPPool?: boolean | undefined;
  readonly localCIDRs?: VxlanCidrs | undefined;
  readonly bridgeCIDRs?: VxlanCidrs | undefined;
  readonly nicNodeNames?: readonly NicNodeNames[] | undefined;
  readonly defaultNICName?: string | undefined;
  readonly globalCIDRsMap?: Readonly<Record<string, string>> | undefined;
  readonly autodetectionMethod?: string | undefined;
  /** Instead of what is found in the cluster. */
  readonly podCIDRs?: readonly string[] | undefined;
  readonly serviceCIDRs?: readonly string[] | undefined;
  /** Bytes that the network between nodes carries, where that is less than their interfaces say. */
  readonly mtu?: number | undefined;
}

export interface VxlanCidrs {
  readonly ip: string;
  readonly ip6: string;
}

export interface NicNodeNames {
  readonly interfaceName: string;
  readonly nodeName: readonly string[];
}

export interface ClusterTreeOptions {
  readonly enable?: boolean | undefined;
  readonly leafModels?: readonly LeafModel[] | undefined;
  /** Which namespaces of the host may run pods in the member; all of them when absent. */
  readonly namespaceSelector?: LabelSelector | undefined;
  /** The member's StorageClass for a StorageClass of the host; one of the same name where there is no entry. */
  readonly storageClassMap?: Readonly<Record<string, string>> | undefined;
  /** `MetricsAPI`, the default, or `Kubelets`. */
  readonly statsSource?: string | undefined;
  /** `host:port` at which the member's pods reach the host's API server; the manager's own setting when absent. */
  readonly hostAPIServer?: string | undefined;
}

/** Describes one virtual node. */
export interface LeafModel {
  readonly leafNodeName?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Instead of Kosmos' own taint; an empty list means no taint. */
  readonly taints?: readonly Taint[] | undefined;
  readonly nodeSelector?: LeafNodeSelector | undefined;
}

/** Which nodes of the member stand behind the virtual node. */
export interface LeafNodeSelector {
  readonly nodeName?: string | undefined;
  readonly labelSelector?: LabelSelector | undefined;
}

export interface ClusterStatus {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly ClusterCondition[] | undefined;
  /** As the member's `/version` says it. */
  readonly kubernetesVersion?: string | undefined;
  readonly mode?: LeafMode | undefined;
  readonly nodes?: ClusterNodeCount | undefined;
  readonly clusterLinkStatus?: ClusterLinkStatus | undefined;
  readonly clusterTreeStatus?: ClusterTreeStatus | undefined;
}

/** What a Cluster's virtual nodes stand for: the whole member, one node each, or the nodes that a selector selects. */
export type LeafMode = 'all' | 'node' | 'party';

/** A condition of meta/v1. */
export interface ClusterCondition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number | undefined;
}

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** How many nodes of the member are ready. */
export interface ClusterNodeCount {
  readonly ready: number;
  readonly total: number;
  /** `ready/total`, for the printer. */
  readonly summary: string;
}

export interface ClusterLinkStatus {
  readonly podCIDRs?: readonly string[] | undefined;
  readonly serviceCIDRs?: readonly string[] | undefined;
  /** Name of the node that is the gateway. */
  readonly gateway?: string | undefined;
  /** Names of the nodes that take over, in order. */
  readonly standbyGateways?: readonly string[] | undefined;
  /** Nodes that take part: those whose agent has applied the current config, and all of them. */
  readonly nodes?: ClusterNodeCount | undefined;
}

export interface ClusterTreeStatus {
  readonly leafNodeItems?: readonly LeafNodeItem[] | undefined;
}

export interface LeafNodeItem {
  /** Name of the virtual node in the host. */
  readonly leafNodeName: string;
}
