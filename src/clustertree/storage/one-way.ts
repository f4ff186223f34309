import type { Claim, PersistentVolume } from '../../apis/core.js';
import { CLUSTER_OWNERS_ANNOTATION, HOST_UID_ANNOTATION, ONE_WAY_ANNOTATION } from '../../apis/names.js';
import { ownershipLabels, type Ownership } from '../cluster/ownership.js';
import { isShared, ownersOf } from './host-volume.js';
import { sameQuantity } from './member-claim.js';

/** Marks volumes and claims of the member that are copies and hold no data of their own. */
export const COPY_MARK = { [ONE_WAY_ANNOTATION]: 'true' } as const;

/** Whether the object of the member is a one-way copy. */
export function isCopy(object: Claim | PersistentVolume): boolean {
  return object.metadata?.annotations?.[ONE_WAY_ANNOTATION] === 'true';
}

/**
 * The copy in the member of a host volume whose storage the member can reach. It is kept whatever happens to it there:
 * the storage is the host's to delete. Node affinity stays behind, for it names nodes of the host.
 */
export function desiredCopyVolume(hostVolume: PersistentVolume, ownership: Ownership): PersistentVolume {
  const { nodeAffinity: _nodeAffinity, claimRef, ...spec } = hostVolume.spec ?? {};
  const { name, uid = '' } = hostVolume.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name,
      labels: ownershipLabels(ownership),
      annotations: { ...COPY_MARK, [HOST_UID_ANNOTATION]: uid },
    },
    spec: {
      ...spec,
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: claimRef?.namespace,
        name: claimRef?.name,
      },
    },
  };
}

/** The merge patch that brings a copied volume up to date; undefined when it is. Its source never changes. */
export function copyVolumePatch(hostVolume: PersistentVolume, copy: PersistentVolume): object | undefined {
  const wanted = hostVolume.spec?.capacity?.['storage'];
  if (sameQuantity(wanted, copy.spec?.capacity?.['storage'])) return undefined;
  return { metadata: { uid: copy.metadata?.uid }, spec: { capacity: { storage: wanted } } };
}

/** The other Clusters that keep this one from using the volume now. */
export function otherUsers(hostVolume: PersistentVolume, cluster: string): readonly string[] {
  return isShared(hostVolume) ? [] : ownersOf(hostVolume).filter((owner) => owner !== cluster);
}

/**
 * The merge patch that puts a Cluster among those that use a volume, or takes it away; undefined when there is nothing
 * to do. It names the version, so that of two Clusters that want the volume at the same time one gets a conflict.
 */
export function ownersPatch(hostVolume: PersistentVolume, cluster: string, uses: boolean): object | undefined {
  const present = ownersOf(hostVolume);
  if (present.includes(cluster) === uses) return undefined;
  const owners = uses ? [...present, cluster] : present.filter((owner) => owner !== cluster);
  const { uid, resourceVersion } = hostVolume.metadata ?? {};
  const value = owners.length === 0 ? null : owners.join(',');
  return { metadata: { uid, resourceVersion, annotations: { [CLUSTER_OWNERS_ANNOTATION]: value } } };
}
