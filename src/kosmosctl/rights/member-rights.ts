import { cniRights, LINK_CONTROL_PLANE_RIGHTS, LINK_RIGHTS } from './link-rights.js';
import type { Right } from './right.js';

const READ = ['get', 'list', 'watch'];

/** What of a member's settings decides about rights there. */
export interface MemberFeatures {
  /** Pods of the host run there. */
  readonly tree: boolean;
  /** Its network is linked, and was set up by this CNI. */
  readonly link: { readonly cni: string } | undefined;
  /** Figures come from the member's kubelets. */
  readonly kubeletStats: boolean;
  /** Remove namespaces that Kosmos made when nothing else is in them. */
  readonly removeNamespaces: boolean;
}

/** What the manager may do in a member. */
export function memberRights({ tree, link, kubeletStats, removeNamespaces }: MemberFeatures): readonly Right[] {
  return [
    NODES,
    ...(tree ? TREE : []),
    ...(tree && kubeletStats ? KUBELET_STATS : []),
    ...(tree && removeNamespaces ? REMOVE_NAMESPACES : []),
    ...(link === undefined ? [] : [...LINK_RIGHTS, ...cniRights(link.cni)]),
  ];
}

/** What it may do in the namespace kube-system beside that. */
export function controlPlaneRights({ tree, link }: Pick<MemberFeatures, 'tree' | 'link'>): readonly Right[] {
  return link === undefined || tree ? [] : LINK_CONTROL_PLANE_RIGHTS;
}

const NODES: Right = {
  ...{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] },
  why: 'virtual nodes show their capacity; agents run on them',
};

const TREE: readonly Right[] = [
  {
    ...{ apiGroups: [''], resources: ['namespaces'], verbs: [...READ, 'create', 'patch', 'delete'] },
    why: 'makes the namespaces of pods',
  },
  {
    ...{ apiGroups: [''], resources: ['pods'], verbs: [...READ, 'create', 'patch', 'delete'] },
    why: 'runs pods of the host',
  },
  {
    ...{ apiGroups: [''], resources: ['pods/resize', 'pods/ephemeralcontainers'], verbs: ['patch'] },
    why: 'resizes and debugs them in place',
  },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'], why: 'kubectl logs' },
  {
    ...{ apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['get', 'create'] },
    why: 'kubectl exec, attach, port-forward',
  },
  { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'], why: 'brings their Events to the host' },
  {
    ...{ apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: [...READ, 'create', 'update', 'delete'] },
    why: 'copies what pods refer to',
  },
  { apiGroups: [''], resources: ['secrets'], verbs: ['patch'], why: 'renews the tokens of pods' },
  {
    ...{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['list', 'watch', 'create', 'delete'] },
    why: 'copies service accounts of pods',
  },
  {
    apiGroups: [''],
    resources: ['persistentvolumeclaims', 'persistentvolumes'],
    verbs: [...READ, 'create', 'patch', 'delete'],
    why: 'volumes of pods',
  },
  {
    apiGroups: ['storage.k8s.io'],
    resources: ['storageclasses'],
    verbs: ['list', 'watch'],
    why: 'knows which volumes can be made',
  },
  {
    apiGroups: ['scheduling.k8s.io'],
    resources: ['priorityclasses'],
    verbs: ['list', 'watch'],
    why: 'knows which classes pods may name',
  },
  {
    apiGroups: ['node.k8s.io'],
    resources: ['runtimeclasses'],
    verbs: ['list', 'watch'],
    why: 'knows which classes pods may name',
  },
  { apiGroups: ['metrics.k8s.io'], resources: ['nodes', 'pods'], verbs: ['list'], why: 'kubectl top and autoscaling' },
];

const KUBELET_STATS: readonly Right[] = [
  {
    apiGroups: [''],
    resources: ['nodes/proxy'],
    verbs: ['get'],
    why: 'figures from kubelets; it also allows to run commands in all containers of the member',
  },
];

const REMOVE_NAMESPACES: readonly Right[] = [
  {
    apiGroups: ['*'],
    resources: ['*'],
    verbs: ['list'],
    why: 'knows that nothing of others is in a namespace before it removes it',
  },
];

/** In its own namespace of the member: a new token of the one account, before the old one ends. */
export function renewalRights(account: string): readonly Right[] {
  return [
    {
      apiGroups: [''],
      resources: ['serviceaccounts/token'],
      resourceNames: [account],
      verbs: ['create'],
      why: 'renews its own token',
    },
  ];
}
