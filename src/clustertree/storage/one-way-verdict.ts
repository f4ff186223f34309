import type { Claim, PersistentVolume } from '../../apis/core.js';
import { hostUidOf, isOwned } from '../cluster/ownership.js';
import { foreign, isForeign, report, wait, type ClaimAction } from './claim-action.js';
import { ownClaim, type ClaimState } from './claim-state.js';
import { boundUidOf, isDeleting, nameOf, uidOf } from './fields.js';
import { isCopy, otherUsers } from './one-way.js';
import { ownersOf } from './host-volume.js';

/**
 * Decides one step for a claim whose storage is in the host and can be reached from the member: volume and claim are
 * copied while pods there use them, by one member at a time unless the volume is shared.
 */
export function decideOneWay(state: ClaimState, hostClaim: Claim, hostVolume: PersistentVolume): ClaimAction {
  if (!state.used) return collect(state, hostVolume);
  const { clusterName } = state.ownership;
  const others = otherUsers(hostVolume, clusterName);
  if (others.length > 0) return inUse(hostClaim, hostVolume, others);
  if (!ownersOf(hostVolume).includes(clusterName)) return { kind: 'set-owner', hostVolume, uses: true };
  if (isForeign(state)) return foreign(state, hostClaim);
  return provide(state, hostVolume);
}

/** Volume first, then claim. */
function provide(state: ClaimState, hostVolume: PersistentVolume): ClaimAction {
  const { memberVolume } = state;
  if (memberVolume === undefined) return { kind: 'create-copy-volume', hostVolume };
  if (!isCopyFor(state, memberVolume)) return foreignVolume(state, memberVolume);
  const ours = ownClaim(state);
  if (isDeleting(ours) || isDeleting(memberVolume)) return wait('MemberDeleting');
  if (ours !== undefined) return { kind: 'sync' };
  // A volume remembers its first claim for ever; this one holds no data, so another copy takes its place.
  if (boundUidOf(memberVolume) !== undefined) return removeVolume(memberVolume);
  const memberClass = hostVolume.spec?.storageClassName ?? '';
  return { kind: 'create-member-claim', memberClass, volumeName: nameOf(hostVolume) };
}

/** Nobody in the member uses it any more. */
function collect(state: ClaimState, hostVolume: PersistentVolume): ClaimAction {
  const { memberVolume } = state;
  const ours = ownClaim(state);
  if (isDeleting(ours)) return wait('MemberDeleting');
  if (ours !== undefined) return { kind: 'delete-member-claim', uid: uidOf(ours) };
  if (memberVolume !== undefined && isCopyFor(state, memberVolume)) {
    return isDeleting(memberVolume) ? wait('MemberDeleting') : removeVolume(memberVolume);
  }
  if (!ownersOf(hostVolume).includes(state.ownership.clusterName)) return { kind: 'nothing' };
  return { kind: 'set-owner', hostVolume, uses: false };
}

function isCopyFor({ ownership, hostVolume }: ClaimState, volume: PersistentVolume): boolean {
  return isOwned(volume, ownership) && isCopy(volume) && hostUidOf(volume) === uidOf(hostVolume);
}

function removeVolume(volume: PersistentVolume): ClaimAction {
  return { kind: 'delete-copy-volume', name: nameOf(volume), uid: uidOf(volume) };
}

function inUse(hostClaim: Claim, hostVolume: PersistentVolume, others: readonly string[]): ClaimAction {
  const message =
    `Volume ${nameOf(hostVolume)} of claim ${nameOf(hostClaim)} is in use in member cluster ` +
    `${others.join(', ')}. Run all its pods there; or, if several clusters may use the storage at the same time, ` +
    'annotate the volume with kosmos.io/shared-volume=true.';
  return report('VolumeInUse', message);
}

function foreignVolume({ ownership }: ClaimState, volume: PersistentVolume): ClaimAction {
  const message =
    `Member cluster ${ownership.clusterName} has a volume ${nameOf(volume)} that belongs to somebody else. It is ` +
    'left alone; remove or rename one of the two.';
  return report('ForeignVolume', message);
}
