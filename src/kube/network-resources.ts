import type { BlockAffinity, CiliumNode, IpPool, ServiceCidr } from '../apis/cluster-network.js';
import type { ResourceType } from './resource.js';

/** Kinds that say which addresses a cluster uses. Few clusters serve all of them. */
export const serviceCidrs: ResourceType<ServiceCidr> = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
};
export const ipPools: ResourceType<IpPool> = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'IPPool',
  plural: 'ippools',
  namespaced: false,
};
export const blockAffinities: ResourceType<BlockAffinity> = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'BlockAffinity',
  plural: 'blockaffinities',
  namespaced: false,
};
export const ciliumNodes: ResourceType<CiliumNode> = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNode',
  plural: 'ciliumnodes',
  namespaced: false,
};
