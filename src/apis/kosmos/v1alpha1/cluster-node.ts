import type { ObjectMeta } from '../../core.js';

/**
 * `clusternodes.kosmos.io`: a node of a linked cluster, as the host knows it. The collector writes it, the elector its
 * roles; `crds/kosmos.io_clusternodes.yaml` is its schema.
 */
export interface ClusterNode {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata?: ObjectMeta | undefined;
  readonly spec: ClusterNodeSpec;
}

export interface ClusterNodeSpec {
  /** The Cluster that the node belongs to. */
  readonly clusterName?: string | undefined;
  /** The node's name in its cluster; two clusters may have the same. */
  readonly nodeName?: string | undefined;
  /** Blocks of pod addresses that live on the node. */
  readonly podCIDRs?: readonly string[] | undefined;
  /** Underlay address of the node, to which others send their tunnel packets. */
  readonly ip?: string | undefined;
  readonly ip6?: string | undefined;
  /** Network interface that has these addresses; absent until the node's agent has found it. */
  readonly interfaceName?: string | undefined;
  /** MTU of that interface in bytes; absent while unknown. */
  readonly mtu?: number | undefined;
  /** `gateway` is the only role there is; compared without regard to case. */
  readonly roles?: readonly string[] | undefined;
  /** Place among the standby gateways of the cluster, 1 is the first to take over; absent on nodes that are none. */
  readonly standbyOrder?: number | undefined;
}
