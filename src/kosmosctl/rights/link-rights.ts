import type { Right } from './right.js';

const CALICO = 'crd.projectcalico.org';

/** What the manager's ClusterLink may do in each linked cluster, of which the host may be one. */
export const LINK_RIGHTS: readonly Right[] = [
  {
    ...{ apiGroups: ['kosmos.io'], resources: ['nodeconfigs'] },
    ...{ verbs: ['list', 'watch', 'create', 'patch', 'delete'], why: 'says what the network of each node is to be' },
  },
  {
    ...{ apiGroups: ['networking.k8s.io'], resources: ['servicecidrs'], verbs: ['list', 'watch'] },
    why: 'knows the addresses of services',
  },
  {
    ...{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list', 'watch'] },
    why: 'notices when the agent of a node has died',
  },
];

/** The same in the namespace kube-system. */
export const LINK_CONTROL_PLANE_RIGHTS: readonly Right[] = [
  {
    ...{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    why: 'reads address ranges from the flags of the control plane',
  },
];

/** Ways to hand out addresses of pods that the manager asks itself. */
export const CNIS = ['calico', 'flannel', 'cilium'] as const;

const BY_CNI: Readonly<Record<string, readonly Right[]>> = {
  calico: [
    {
      ...{ apiGroups: [CALICO], resources: ['ippools'], verbs: ['list', 'watch', 'create', 'delete'] },
      why: 'knows the addresses of pods, and tells Calico of those in other clusters',
    },
    {
      ...{ apiGroups: [CALICO], resources: ['blockaffinities'], verbs: ['list', 'watch'] },
      why: 'knows which node has which addresses',
    },
    {
      ...{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['calico-config'], verbs: ['list', 'watch'] },
      why: 'notices that Calico keeps its data in etcd',
    },
  ],
  flannel: [
    {
      ...{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['kube-flannel-cfg'], verbs: ['list', 'watch'] },
      why: 'knows the addresses of pods',
    },
  ],
  cilium: [
    {
      ...{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['cilium-config'], verbs: ['list', 'watch'] },
      why: 'knows the addresses of pods',
    },
    {
      ...{ apiGroups: ['cilium.io'], resources: ['ciliumnodes'], verbs: ['list', 'watch'] },
      why: 'knows which node has which addresses',
    },
  ],
};

/** What it takes to ask a cluster's CNI; nothing for those that Kubernetes itself knows enough of. */
export function cniRights(cni: string): readonly Right[] {
  return BY_CNI[cni.toLowerCase()] ?? [];
}
