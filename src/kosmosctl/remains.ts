import type { KubeObject } from '../apis/core.js';
import {
  HOST_CLUSTER_LABEL,
  JOINED_HOST_LABEL,
  KUBELET_SERVING_LABEL,
  MEMBER_CREDENTIAL_LABEL,
  MEMBER_CSI_DRIVER,
  NODE_LABEL,
} from '../apis/names.js';
import { EXCLUSION_POLICY } from '../clustertree/daemonset/exclusion.js';
import type { KubeClient } from '../kube/client.js';
import { namespacedResources } from '../kube/discovery.js';
import { nodeConfigs } from '../kube/kosmos-resources.js';
import {
  certificateSigningRequests,
  csiDrivers,
  leases,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  namespaces,
  nodes,
  secrets,
  serviceAccounts,
  services,
  volumes,
  type ResourceType,
} from '../kube/resource.js';
import { identityName } from './join/identity.js';
import { MANAGER, PART_OF, PART_OF_LABEL } from './manifests/labels.js';
import {
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  daemonSets,
  deployments,
  disruptionBudgets,
  listIfServed,
  podMonitors,
  prometheusRules,
  roleBindings,
  roles,
} from './objects.js';

/** An object that is there, with its kind. */
export interface Remnant {
  readonly type: ResourceType<KubeObject>;
  readonly object: KubeObject;
}

/** Which objects of a kind are ours. */
interface Family {
  readonly type: ResourceType<KubeObject>;
  readonly labelSelector?: string;
  readonly names?: readonly string[];
  /** Only in the namespace of the installation. */
  readonly inNamespace?: boolean;
}

const INSTALLED = `${PART_OF_LABEL}=${PART_OF}`;

/** What an installation, and the managers that ran in it, leave in the host, in the order in which it is best removed. */
const HOST_FAMILIES: readonly Family[] = [
  ...[
    deployments,
    daemonSets,
    disruptionBudgets,
    services as ResourceType<KubeObject>,
    podMonitors,
    prometheusRules,
  ].map((type) => ({
    type,
    labelSelector: INSTALLED,
  })),
  { type: secrets, labelSelector: KUBELET_SERVING_LABEL, inNamespace: true },
  { type: secrets, labelSelector: MEMBER_CREDENTIAL_LABEL, inNamespace: true },
  { type: certificateSigningRequests, labelSelector: KUBELET_SERVING_LABEL },
  { type: leases, names: [MANAGER], inNamespace: true },
  { type: mutatingAdmissionPolicyBindings, names: [EXCLUSION_POLICY] },
  { type: mutatingAdmissionPolicies, names: [EXCLUSION_POLICY] },
  { type: csiDrivers, names: [MEMBER_CSI_DRIVER] },
  ...[roleBindings, roles, clusterRoleBindings, clusterRoles, serviceAccounts as ResourceType<KubeObject>].map(
    (type) => ({ type, labelSelector: INSTALLED }),
  ),
];

/** Everything of an installation that is still in the host, but CRDs and namespace. */
export async function installedObjects(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly Remnant[]> {
  const found: Remnant[] = [];
  for (const { type, labelSelector, names, inNamespace } of HOST_FAMILIES) {
    const objects = await listIfServed(client, type, {
      ...(labelSelector !== undefined && { labelSelector }),
      ...(inNamespace === true && { namespace }),
      signal,
    });
    const ours = objects.filter(({ metadata }) => names?.includes(metadata?.name ?? '') ?? true);
    found.push(...ours.map((object) => ({ type, object })));
  }
  return found;
}

/** Everything of ours in the host, for proving that nothing is left. */
export async function hostRemains(
  client: KubeClient,
  namespace: string,
  crds: readonly string[],
  signal: AbortSignal,
): Promise<readonly Remnant[]> {
  const list = async (type: ResourceType<KubeObject>, labelSelector: string): Promise<readonly Remnant[]> =>
    (await listIfServed(client, type, { labelSelector, signal })).map((object) => ({ type, object }));
  const named = async (type: ResourceType<KubeObject>, names: readonly string[]): Promise<readonly Remnant[]> =>
    (await listIfServed(client, type, { signal }))
      .filter(({ metadata }) => names.includes(metadata?.name ?? ''))
      .map((object) => ({ type, object }));
  const parts = await Promise.all([
    installedObjects(client, namespace, signal),
    list(nodes, `${NODE_LABEL}=true`),
    list(namespaces, INSTALLED),
    named(customResourceDefinitions, crds),
  ]);
  return parts.flat();
}

const CLUSTER_SCOPED: readonly ResourceType<KubeObject>[] = [
  ...([namespaces, volumes, nodeConfigs] as readonly ResourceType<KubeObject>[]),
  ...[clusterRoles, clusterRoleBindings],
];

/** Everything in a member that is from that host: copies of its objects, and the identity of its manager. */
export async function memberRemains(
  client: KubeClient,
  hostUid: string,
  cluster: string,
  signal: AbortSignal,
): Promise<readonly Remnant[]> {
  const types = [...CLUSTER_SCOPED, ...(await namespacedResources(client, { signal }))];
  const selectors = [
    `${HOST_CLUSTER_LABEL}=${hostUid},kosmos.io/cluster=${cluster}`,
    `${JOINED_HOST_LABEL}=${hostUid},kosmos.io/joined-cluster=${cluster}`,
  ];
  const found: Remnant[] = [];
  for (const type of types) {
    for (const labelSelector of selectors) {
      const objects = await listIfServed(client, type, { labelSelector, signal });
      found.push(...objects.map((object) => ({ type, object })));
    }
  }
  const owner = identityName({ cluster, hostUid });
  const crds = await listIfServed(client, customResourceDefinitions, { signal });
  const ours = crds.filter(({ metadata }) => metadata?.ownerReferences?.some(({ name }) => name === owner) === true);
  return [...found, ...ours.map((object) => ({ type: customResourceDefinitions, object }))];
}

/** `Kind namespace/name` of each, for people. */
export function remnantNames(remnants: readonly Remnant[]): readonly string[] {
  return remnants.map(({ type, object }) => {
    const { namespace, name = '' } = object.metadata ?? {};
    return `${type.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
  });
}
