import type { BlockAffinity, IpPool } from '../../src/apis/cluster-network.js';
import type { ClusterNode, ClusterNodeSpec } from '../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster, ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig, NodeConfigSpec, NodeConfigStatus } from '../../src/apis/kosmos/v1alpha1/node-config.js';
import { CLUSTER_LABEL } from '../../src/apis/names.js';
import type { LinkNode } from '../../src/clusterlink/cluster/link-node.js';
import type { NetworkFacts } from '../../src/clusterlink/cluster/network-sources.js';
import { NO_SOURCE, type Source } from '../../src/clusterlink/cluster/source.js';

/** A node of a cluster, as ClusterLink keeps it. */
export function linkNode(name: string, more: Partial<LinkNode> = {}): LinkNode {
  return {
    metadata: { name, uid: `${name}-uid`, resourceVersion: '1' },
    ...{ labels: {}, podCIDRs: [], addresses: [], ready: 'True', unschedulable: false },
    ...more,
  };
}

/** A ClusterNode `<cluster>-<node>`. */
export function clusterNode(cluster: string, node: string, spec: Partial<ClusterNodeSpec> = {}): ClusterNode {
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'ClusterNode',
    metadata: { name: `${cluster}-${node}`, uid: `${cluster}-${node}-uid`, labels: { [CLUSTER_LABEL]: cluster } },
    spec: { clusterName: cluster, nodeName: node, ...spec },
  };
}

/** A NodeConfig `<cluster>-<node>` of generation 1. */
export function nodeConfig(
  cluster: string,
  node: string,
  spec: Partial<NodeConfigSpec> = {},
  status?: NodeConfigStatus,
): NodeConfig {
  return {
    metadata: { name: `${cluster}-${node}`, uid: `${cluster}-${node}-uid`, generation: 1 },
    spec: { clusterName: cluster, nodeName: node, ...spec },
    ...(status !== undefined && { status }),
  };
}

/** A Cluster whose network is linked. */
export function linkedCluster(
  name: string,
  options: ClusterLinkOptions = {},
  status: NonNullable<NonNullable<Cluster['status']>['clusterLinkStatus']> = {},
): Cluster {
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, uid: `${name}-uid`, generation: 1, resourceVersion: '7' },
    spec: { kubeconfig: Buffer.from('kubeconfig').toString('base64'), clusterLinkOptions: options },
    status: { clusterLinkStatus: status },
  };
}

export function known<T>(...objects: readonly T[]): Source<T> {
  return { state: 'known', objects };
}

export const UNKNOWN: Source<never> = { state: 'unknown', objects: [] };

/** A cluster that tells nothing of its ranges, but for what is given. */
export function networkFacts(more: Partial<NetworkFacts> = {}): NetworkFacts {
  return {
    ...{ serviceCidrs: NO_SOURCE, controlPlane: NO_SOURCE, ipPools: NO_SOURCE, blockAffinities: NO_SOURCE },
    calicoInEtcd: false,
    ...{ flannel: NO_SOURCE, cilium: NO_SOURCE, ciliumNodes: NO_SOURCE },
    ...more,
  };
}

export function ipPool(name: string, cidr: string, spec: IpPool['spec'] = {}): IpPool {
  return {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'IPPool',
    metadata: { name, uid: `${name}-uid` },
    spec: { cidr, ...spec },
  };
}

export function blockAffinity(node: string, cidr: string, spec: BlockAffinity['spec'] = {}): BlockAffinity {
  return {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'BlockAffinity',
    metadata: { name: `${node}-${cidr.replaceAll(/[./]/g, '-')}` },
    spec: { node, cidr, state: 'confirmed', ...spec },
  };
}
