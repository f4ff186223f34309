import type { ClusterNode } from '../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';

/** Clusters and nodes to plan for: IPv4, one gateway and two standbys in each cluster. */
export interface Federation {
  readonly clusters: readonly Cluster[];
  readonly nodes: readonly ClusterNode[];
}

export function federation(clusters: number, nodes: number, networkType: 'p2p' | 'gateway'): Federation {
  const all = Array.from({ length: clusters }, (_, index) => index);
  return {
    clusters: all.map((index) => clusterAt(index, networkType)),
    nodes: all.flatMap((index) => Array.from({ length: nodes }, (_, node) => nodeAt(index, node))),
  };
}

/** Node `node` of the cluster at `index`. There is room for 254 clusters of 250 nodes. */
export function nodeAt(index: number, node: number): ClusterNode {
  return {
    metadata: { name: `cluster-${index}-node-${node}` },
    spec: {
      clusterName: `cluster-${index}`,
      nodeName: `node-${node}`,
      ip: `172.16.${index + 1}.${node + 1}`,
      interfaceName: 'eth0',
      mtu: 1500,
      podCIDRs: [`10.${index}.${node}.0/24`],
      roles: node === 0 ? ['gateway'] : [],
      standbyOrder: node === 1 || node === 2 ? node : undefined,
    },
  };
}

function clusterAt(index: number, networkType: 'p2p' | 'gateway'): Cluster {
  return {
    metadata: { name: `cluster-${index}` },
    spec: { clusterLinkOptions: { networkType, ipFamily: 'ipv4' } },
    status: { clusterLinkStatus: { podCIDRs: [`10.${index}.0.0/16`], serviceCIDRs: [`11.${index}.0.0/16`] } },
  };
}
