import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import type { ResourceType } from './resource.js';

/** Kinds of the group kosmos.io. */
export const clusters: ResourceType<Cluster> = {
  apiVersion: 'kosmos.io/v1alpha1',
  kind: 'Cluster',
  plural: 'clusters',
  namespaced: false,
};
