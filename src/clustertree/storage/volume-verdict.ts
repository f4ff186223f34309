import type { PersistentVolume } from '../../apis/core.js';
import { claimKeyOf, memberVolumeName, siteOf } from './host-volume.js';

/** All that is known of a volume of the host whose claim is gone. */
export interface VolumeState {
  readonly cluster: string;
  readonly hostVolume?: PersistentVolume | undefined;
  /** The member still has the claim that was made for the volume's claim. */
  readonly hasMemberClaim: boolean;
  /** The volume of the member that is on record. */
  readonly memberVolume?: PersistentVolume | undefined;
  /** The caches of both sides are complete and their connections stand. */
  readonly synced: boolean;
  /** `memberVolume` and `hasMemberClaim` were read from the API server in this very reconcile. */
  readonly live: boolean;
}

export type VolumeAction =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wait' }
  /** Read claim and volume of the member from its API server, and judge again with `live`. */
  | { readonly kind: 'confirm' }
  /** The member's volume was kept so far; now it is to go as well. */
  | { readonly kind: 'set-policy'; readonly volume: PersistentVolume; readonly policy: 'Delete' }
  | { readonly kind: 'delete-host-volume' }
  | { readonly kind: 'report'; readonly reason: string; readonly message: string };

/**
 * Decides one step for a volume of the host that stands for one in the member, after its claim is gone: what an external
 * provisioner does when it deletes. A volume to be retained stays until somebody deletes it.
 */
export function decideVolume(state: VolumeState): VolumeAction {
  const { hostVolume, memberVolume } = state;
  if (hostVolume === undefined || !isReleased(hostVolume, state.cluster)) return { kind: 'nothing' };
  if (hostVolume.spec?.persistentVolumeReclaimPolicy !== 'Delete') return { kind: 'nothing' };
  if (!state.synced) return { kind: 'wait' };
  if (state.hasMemberClaim) return { kind: 'nothing' };
  if (memberVolume !== undefined) return decideRemains(hostVolume, memberVolume);
  if (!state.live) return { kind: 'confirm' };
  return { kind: 'delete-host-volume' };
}

/** Whether the volume stands for one in that member and its claim is gone. */
export function isReleased(hostVolume: PersistentVolume, cluster: string): boolean {
  if (hostVolume.metadata?.deletionTimestamp) return false;
  const site = siteOf(hostVolume, undefined);
  const phase = hostVolume.status?.phase;
  return site.kind === 'member' && site.cluster === cluster && (phase === 'Released' || phase === 'Failed');
}

function decideRemains(hostVolume: PersistentVolume, memberVolume: PersistentVolume): VolumeAction {
  const { phase, message = '' } = memberVolume.status ?? {};
  const isOurs = claimKeyOf(memberVolume) === claimKeyOf(hostVolume);
  const name = memberVolumeName(hostVolume) ?? '';
  if (!isOurs || phase === 'Bound') {
    const taken = `Volume ${name} of the member is bound to another claim there by now, so it is left to that one.`;
    return { kind: 'report', reason: 'VolumeFailedDelete', message: taken };
  }
  if (phase === 'Failed') return { kind: 'report', reason: 'VolumeFailedDelete', message };
  if (memberVolume.spec?.persistentVolumeReclaimPolicy === 'Delete') return { kind: 'wait' };
  return { kind: 'set-policy', volume: memberVolume, policy: 'Delete' };
}
