import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import type { ClusterNode } from '../apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfig } from '../apis/kosmos/v1alpha1/node-config.js';
import type { ResourceType } from './resource.js';

/** Kinds of the group kosmos.io. */
export const clusters: ResourceType<Cluster> = {
  apiVersion: 'kosmos.io/v1alpha1',
  kind: 'Cluster',
  plural: 'clusters',
  namespaced: false,
};

export const clusterNodes: ResourceType<ClusterNode> = {
  apiVersion: 'kosmos.io/v1alpha1',
  kind: 'ClusterNode',
  plural: 'clusternodes',
  namespaced: false,
};

export const nodeConfigs: ResourceType<NodeConfig> = {
  apiVersion: 'kosmos.io/v1alpha1',
  kind: 'NodeConfig',
  plural: 'nodeconfigs',
  namespaced: false,
};
