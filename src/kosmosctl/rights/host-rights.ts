import { HOST_TREE_RIGHTS } from './host-tree-rights.js';
import { CNIS, cniRights, LINK_CONTROL_PLANE_RIGHTS, LINK_RIGHTS } from './link-rights.js';
import { under, type PathRight, type Right } from './right.js';

const TREE = 'clusterTree.enabled';
const LINK = 'clusterLink.enabled';

/** What all parts of the manager need. */
const ALWAYS: readonly Right[] = [
  {
    apiGroups: ['kosmos.io'],
    resources: ['clusters'],
    verbs: ['list', 'watch', 'patch'],
    why: 'members join and leave',
  },
  { apiGroups: ['kosmos.io'], resources: ['clusters/status'], verbs: ['patch'], why: 'says how members are' },
  { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'], why: 'knows the nodes of the host' },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'], why: 'knows the host by the UID of kube-system' },
  {
    apiGroups: [''],
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'writes Events, and brings back those of pods',
  },
];

/** What is known of all clusters is kept in the host. */
const CLUSTER_NODES: Right = {
  apiGroups: ['kosmos.io'],
  resources: ['clusternodes'],
  verbs: ['list', 'watch', 'create', 'patch', 'delete'],
  why: 'keeps what is known of the nodes of linked clusters',
};

/** What the manager may do in the whole host cluster. */
export const HOST_RIGHTS: readonly (Right | PathRight)[] = [
  ...ALWAYS,
  ...under(TREE, HOST_TREE_RIGHTS),
  ...under(LINK, [CLUSTER_NODES, ...LINK_RIGHTS]),
  ...CNIS.flatMap((cni) => under(`${LINK} && clusterLink.options.cni=${cni}`, cniRights(cni))),
];

/** What the manager may do in one namespace of the host; undefined stands for its own. */
export const HOST_NAMESPACE_RIGHTS: readonly {
  readonly namespace: string | undefined;
  readonly rights: readonly Right[];
}[] = [
  {
    namespace: undefined,
    rights: [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'], why: 'elects a leader' },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['kosmos-manager'],
        verbs: ['get', 'update'],
        why: 'elects a leader',
      },
      {
        apiGroups: [''],
        resources: ['secrets'],
        verbs: ['get', 'create', 'update'],
        why: 'keeps serving certificates, and the tokens for members, which it renews',
      },
    ],
  },
  {
    namespace: 'kube-node-lease',
    rights: under(TREE, [
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        verbs: ['create', 'patch'],
        why: 'heartbeats of virtual nodes',
      },
    ]),
  },
  { namespace: 'kube-system', rights: under(LINK, LINK_CONTROL_PLANE_RIGHTS) },
];
