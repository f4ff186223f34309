import type { Claim, PersistentVolume, StorageClass } from '../../src/apis/core.js';
import {
  CLUSTER_LABEL,
  HOST_UID_ANNOTATION,
  MEMBER_CSI_DRIVER,
  MEMBER_PROVISIONER,
  MEMBER_VOLUME_ANNOTATION,
  ONE_WAY_ANNOTATION,
  SELECTED_NODE_ANNOTATION,
} from '../../src/apis/names.js';
import { ownershipLabels } from '../../src/clustertree/cluster/ownership.js';
import type { ClaimState } from '../../src/clustertree/storage/claim-state.js';
import { CLUSTER, OWNERSHIP } from './member-harness.js';
import { deepFreeze } from './pods.js';
import { NODE } from './pod-harness.js';

/** Key of all claims here. */
export const DATA = { namespace: 'shop', name: 'data' } as const;
export const CLAIM_UID = 'claim-uid';
export const COPY_UID = 'copy-uid';
export const HOST_VOLUME = `pvc-${CLAIM_UID}`;
export const MEMBER_VOLUME = 'pv-of-member';

/** Parts of an object; each replaces the whole field, but for metadata. */
type Parts<T> = { readonly [Key in keyof T]?: T[Key] };

/** A claim of the host as it is before anybody has done anything. */
export function hostClaim(more: Parts<Claim> = {}): Claim {
  return {
    status: { phase: 'Pending' },
    ...more,
    metadata: { ...DATA, uid: CLAIM_UID, resourceVersion: '7', ...more.metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '1Gi' } },
      volumeMode: 'Filesystem',
      ...more.spec,
    },
  };
}

/** The scheduler has chosen the virtual node for it. */
export function chosenClaim(more: Parts<Claim> = {}, node = NODE): Claim {
  return hostClaim({ ...more, metadata: { annotations: { [SELECTED_NODE_ANNOTATION]: node }, ...more.metadata } });
}

/** Bound to the volume that stands for the member's. */
export function boundClaim(more: Parts<Claim> = {}): Claim {
  const status = { phase: 'Bound', capacity: { storage: '1Gi' }, ...more.status };
  return hostClaim({ ...more, status, spec: { volumeName: HOST_VOLUME, ...more.spec } });
}

/** The host's volume that stands for one in the member. */
export function hostVolume(more: Parts<PersistentVolume> = {}): PersistentVolume {
  return {
    status: { phase: 'Bound' },
    ...more,
    metadata: {
      name: HOST_VOLUME,
      uid: 'host-volume-uid',
      resourceVersion: '8',
      labels: { [CLUSTER_LABEL]: CLUSTER },
      ...more.metadata,
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { ...DATA, uid: CLAIM_UID },
      csi: { driver: MEMBER_CSI_DRIVER, volumeHandle: `${CLUSTER}/${CLAIM_UID}` },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'fast',
      ...more.spec,
    },
  };
}

/** The same, after the member's volume has become known. */
export function namedVolume(more: Parts<PersistentVolume> = {}): PersistentVolume {
  return hostVolume({
    ...more,
    metadata: { annotations: { [MEMBER_VOLUME_ANNOTATION]: MEMBER_VOLUME }, ...more.metadata },
  });
}

/** A volume whose data is in the host. */
export function plainVolume(more: Parts<PersistentVolume> = {}): PersistentVolume {
  const { csi: _csi, ...spec } = hostVolume().spec ?? {};
  return {
    status: { phase: 'Bound' },
    ...more,
    metadata: { name: HOST_VOLUME, uid: 'host-volume-uid', resourceVersion: '8', ...more.metadata },
    spec: { ...spec, nfs: { server: 'files', path: '/data' }, ...more.spec },
  };
}

/** One that says itself that members can reach it. */
export function reachableVolume(more: Parts<PersistentVolume> = {}): PersistentVolume {
  return plainVolume({ ...more, metadata: { annotations: { [ONE_WAY_ANNOTATION]: 'true' }, ...more.metadata } });
}

/** Our claim in the member for {@link hostClaim}. */
export function memberClaim(more: Parts<Claim> = {}): Claim {
  return {
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    ...more,
    metadata: {
      ...DATA,
      uid: COPY_UID,
      labels: ownershipLabels(OWNERSHIP),
      annotations: { [HOST_UID_ANNOTATION]: CLAIM_UID, ...more.metadata?.annotations },
      ...without(more.metadata, 'annotations'),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '1Gi' } },
      volumeName: MEMBER_VOLUME,
      ...more.spec,
    },
  };
}

/** The volume that the member made for it. */
export function memberVolume(more: Parts<PersistentVolume> = {}): PersistentVolume {
  return {
    status: { phase: 'Bound' },
    ...more,
    metadata: { name: MEMBER_VOLUME, uid: 'member-volume-uid', resourceVersion: '9', ...more.metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { ...DATA, uid: COPY_UID },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'fast',
      ...more.spec,
    },
  };
}

/** The one-way copy in the member of {@link reachableVolume}. */
export function copyVolume(more: Parts<PersistentVolume> = {}): PersistentVolume {
  const annotations = { [ONE_WAY_ANNOTATION]: 'true', [HOST_UID_ANNOTATION]: 'host-volume-uid' };
  const metadata = { name: HOST_VOLUME, labels: ownershipLabels(OWNERSHIP), annotations, ...more.metadata };
  return memberVolume({ ...more, metadata });
}

/** A class of the host that our provisioner serves. */
export function storageClass(name = 'fast', more: Parts<StorageClass> = {}): StorageClass {
  return { provisioner: MEMBER_PROVISIONER, ...more, metadata: { name, ...more.metadata } };
}

/** A claim of which nothing is known, with both sides synced and a member whose class waits for pods. */
export function claimState(more: Partial<ClaimState> = {}): ClaimState {
  return deepFreeze({
    ownership: OWNERSHIP,
    hostClass: storageClass(),
    service: { kind: 'member' },
    memberClassName: 'fast',
    memberClass: { volumeBindingMode: 'WaitForFirstConsumer' },
    hostSynced: true,
    memberSynced: true,
    isOurNode: (node: string) => node === NODE,
    leaving: false,
    used: false,
    ...more,
  });
}

function without<T extends object, Key extends keyof T>(object: T | undefined, key: Key): Partial<Omit<T, Key>> {
  const { [key]: _dropped, ...rest } = object ?? ({} as T);
  return rest;
}
