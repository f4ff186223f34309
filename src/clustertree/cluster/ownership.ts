import { createHash } from 'node:crypto';
import type { KubeObject } from '../../apis/core.js';
import { CLUSTER_LABEL, HOST_CLUSTER_LABEL, HOST_UID_ANNOTATION, OWNER_LABEL } from '../../apis/names.js';

/** Who we are towards one member: the host cluster and the Cluster object through which it joined. */
export interface Ownership {
  /** UID of the host's kube-system namespace. */
  readonly hostClusterUid: string;
  readonly clusterName: string;
  /** Value of the label `kosmos.io/owner`: 16 hexadecimal digits. */
  readonly owner: string;
}

export function ownershipOf(hostClusterUid: string, clusterName: string): Ownership {
  const owner = createHash('sha256').update(`${hostClusterUid}/${clusterName}`).digest('hex').slice(0, 16);
  return { hostClusterUid, clusterName, owner };
}

/** The labels of every object that we make in the member. */
export function ownershipLabels(ownership: Ownership): Record<string, string> {
  return {
    [HOST_CLUSTER_LABEL]: ownership.hostClusterUid,
    [CLUSTER_LABEL]: ownership.clusterName,
    [OWNER_LABEL]: ownership.owner,
  };
}

/** Selects what we made in the member. */
export function ownedSelector(ownership: Ownership): string {
  return `${HOST_CLUSTER_LABEL}=${ownership.hostClusterUid},${CLUSTER_LABEL}=${ownership.clusterName}`;
}

/** Selects what others made in the member. */
export function foreignSelector(ownership: Ownership): string {
  return `${OWNER_LABEL}!=${ownership.owner}`;
}

/** Whether the member object is ours; all others are foreign and never touched. */
export function isOwned(object: KubeObject, ownership: Ownership): boolean {
  return isLabelled(object, ownership) && hostUidOf(object) !== undefined;
}

/** Whether the object carries the labels of this host and Cluster. */
export function isLabelled(
  { metadata }: KubeObject,
  { hostClusterUid, clusterName }: Pick<Ownership, 'hostClusterUid' | 'clusterName'>,
): boolean {
  const labels = metadata?.labels;
  return labels?.[HOST_CLUSTER_LABEL] === hostClusterUid && labels[CLUSTER_LABEL] === clusterName;
}

/** UID of the host object that a member object copies. */
export function hostUidOf(object: KubeObject): string | undefined {
  return object.metadata?.annotations?.[HOST_UID_ANNOTATION];
}
