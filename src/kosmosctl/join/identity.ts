import { createHash } from 'node:crypto';
import { JOINED_CLUSTER_LABEL, JOINED_HOST_LABEL } from '../../apis/names.js';
import type { Manifest } from '../manifests/installation.js';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../managed-by.js';
import { controlPlaneRights, memberRights, renewalRights, type MemberFeatures } from '../rights/member-rights.js';
import { ruleOf, type Right } from '../rights/right.js';

/** Who the manager of one host is in one member. */
export interface MemberIdentity {
  /** Name of the Cluster. */
  readonly cluster: string;
  /** UID of the host's kube-system namespace. */
  readonly hostUid: string;
  /** Namespace of the member with the service account. */
  readonly namespace: string;
}

const LONGEST_NAME = 63;
const DIGEST_LENGTH = 8;

/** Name of all objects of the identity; two hosts, or two Clusters, never share one. */
export function identityName({ cluster, hostUid }: Pick<MemberIdentity, 'cluster' | 'hostUid'>): string {
  const digest = createHash('sha256').update(`${hostUid}/${cluster}`).digest('hex').slice(0, DIGEST_LENGTH);
  const room = LONGEST_NAME - 'kosmos--'.length - DIGEST_LENGTH;
  return `kosmos-${cluster.slice(0, room)}-${digest}`;
}

export function identityLabels({ cluster, hostUid }: MemberIdentity): Readonly<Record<string, string>> {
  return { [JOINED_HOST_LABEL]: hostUid, [JOINED_CLUSTER_LABEL]: cluster, [MANAGED_BY_LABEL]: MANAGED_BY };
}

/** All rights of the identity, for showing them. */
export function identityRights(identity: MemberIdentity, features: MemberFeatures): readonly Right[] {
  const name = identityName(identity);
  const own = [...selfRights(name), ...renewalRights(name)];
  return [...memberRights(features), ...controlPlaneRights(features), ...own];
}

const RBAC = 'rbac.authorization.k8s.io';

/** Everything else of the identity belongs to its ClusterRole and goes with it. */
function selfRights(name: string): readonly Right[] {
  return [
    {
      apiGroups: [RBAC],
      resources: ['clusterroles'],
      resourceNames: [name],
      verbs: ['delete'],
      why: 'removes its own rights when the member leaves',
    },
  ];
}

/** The role, which is made first and owns all else. */
export function identityRole(identity: MemberIdentity, features: MemberFeatures): Manifest {
  const name = identityName(identity);
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: identityLabels(identity) },
    rules: [...memberRights(features), ...selfRights(name)].map(ruleOf),
  };
}

/** The namespace of the identity. It goes when no ClusterRole owns it any more. */
export function identityNamespace(identity: MemberIdentity, roleUid: string): Manifest {
  const labels = { [MANAGED_BY_LABEL]: MANAGED_BY };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: identity.namespace, labels, ownerReferences: [ownerOf(identity, roleUid)] },
  };
}

/** What belongs to the role: the service account and its bindings. */
export function identityManifests(
  identity: MemberIdentity,
  features: Pick<MemberFeatures, 'tree' | 'link'>,
  roleUid: string,
): readonly Manifest[] {
  const name = identityName(identity);
  const { namespace } = identity;
  const owned = { labels: identityLabels(identity), ownerReferences: [ownerOf(identity, roleUid)] };
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  const granted = (where: string, rights: readonly Right[]): readonly Manifest[] => {
    const metadata = { name, namespace: where, ...owned };
    const roleRef = { apiGroup: RBAC, kind: 'Role', name };
    return [
      { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules: rights.map(ruleOf) },
      { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects },
    ];
  };
  const controlPlane = controlPlaneRights(features);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, ...owned } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name, ...owned },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
      subjects,
    },
    ...granted(namespace, renewalRights(name)),
    ...(controlPlane.length === 0 ? [] : granted('kube-system', controlPlane)),
  ];
}

/** What makes an object go with the identity. */
export function ownerOf(
  identity: MemberIdentity,
  uid: string,
): { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string } {
  return { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', name: identityName(identity), uid };
}
