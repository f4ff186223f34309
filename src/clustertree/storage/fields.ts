import type { Claim, KubeObject, PersistentVolume } from '../../apis/core.js';

/** Short questions to objects whose every field may be missing. */

export function nameOf(object: KubeObject | undefined): string {
  return object?.metadata?.name ?? '';
}

export function uidOf(object: KubeObject | undefined): string {
  return object?.metadata?.uid ?? '';
}

export function annotationOf(object: KubeObject | undefined, key: string): string | undefined {
  return object?.metadata?.annotations?.[key];
}

export function isDeleting(object: KubeObject | undefined): boolean {
  return object?.metadata?.deletionTimestamp !== undefined;
}

/** What a claim asks for, in bytes as a quantity. */
export function requestOf(claim: Claim | undefined): string | undefined {
  return claim?.spec?.resources?.requests?.['storage'];
}

/** The size of the volume that a claim has, as its status says. */
export function claimSizeOf(claim: Claim): string | undefined {
  return claim.status?.capacity?.['storage'];
}

export function sizeOf(volume: PersistentVolume | undefined): string | undefined {
  return volume?.spec?.capacity?.['storage'];
}

/** `Retain`, `Delete` or `Recycle`; the API server's default is that of volumes made by hand. */
export function policyOf(volume: PersistentVolume | undefined): string | undefined {
  return volume?.spec?.persistentVolumeReclaimPolicy;
}

/** UID of the claim that a volume is bound to. */
export function boundUidOf(volume: PersistentVolume | undefined): string | undefined {
  return volume?.spec?.claimRef?.uid;
}
