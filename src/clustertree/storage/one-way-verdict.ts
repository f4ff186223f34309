import type { Claim, PersistentVolume } from '../../apis/core.js';
import { hostUidOf, isOwned } from '../cluster/ownership.js';
import { foreign, isForeign, report, wait, type ClaimAction } from './claim-action.js';
import { ownClaim, type ClaimState } from './claim-state.js';
import { isCopy, otherUsers } from './one-way.js';
import { ownersOf } from './host-volume.js';

const NOTHING: ClaimAction = { kind: 'nothing' };

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
  const { memberVolume } = state;
  if (memberVolume !== undefined && !isCopyFor(state, memberVolume)) return foreignVolume(state, memberVolume);
  if (isForeign(state)) return foreign(state, hostClaim);
  const ours = ownClaim(state);
  if (ours?.metadata?.deletionTimestamp || memberVolume?.metadata?.deletionTimestamp) return wait('MemberDeleting');
  if (memberVolume === undefined) return { kind: 'create-copy-volume', hostVolume };
  const boundTo = memberVolume.spec?.claimRef?.uid;
  // A volume remembers its first claim for ever; this one holds no data, so another copy takes its place.
  if (boundTo !== undefined && boundTo !== ours?.metadata?.uid && ours === undefined) return removeVolume(memberVolume);
  if (ours !== undefined) return { kind: 'sync' };
  const { storageClassName: memberClass = '' } = hostVolume.spec ?? {};
  return { kind: 'create-member-claim', memberClass, volumeName: hostVolume.metadata?.name };
}

/** Nobody in the member uses it any more. */
function collect(state: ClaimState, hostVolume: PersistentVolume): ClaimAction {
  const { memberVolume } = state;
  const ours = ownClaim(state);
  if (ours !== undefined) {
    if (ours.metadata?.deletionTimestamp) return wait('MemberDeleting');
    return { kind: 'delete-member-claim', uid: ours.metadata?.uid ?? '' };
  }
  if (memberVolume !== undefined && isCopyFor(state, memberVolume)) {
    return memberVolume.metadata?.deletionTimestamp ? wait('MemberDeleting') : removeVolume(memberVolume);
  }
  if (!ownersOf(hostVolume).includes(state.ownership.clusterName)) return NOTHING;
  return { kind: 'set-owner', hostVolume, uses: false };
}

function isCopyFor({ ownership, hostVolume }: ClaimState, volume: PersistentVolume): boolean {
  return isOwned(volume, ownership) && isCopy(volume) && hostUidOf(volume) === hostVolume?.metadata?.uid;
}

function removeVolume({ metadata }: PersistentVolume): ClaimAction {
  return { kind: 'delete-copy-volume', name: metadata?.name ?? '', uid: metadata?.uid ?? '' };
}

function inUse(hostClaim: Claim, hostVolume: PersistentVolume, others: readonly string[]): ClaimAction {
  const message =
    `Volume ${hostVolume.metadata?.name ?? ''} of claim ${hostClaim.metadata?.name ?? ''} is in use in member cluster ` +
    `${others.join(', ')}. Run all its pods there; or, if several clusters may use the storage at the same time, ` +
    'annotate the volume with kosmos.io/shared-volume=true.';
  return report('VolumeInUse', message);
}

function foreignVolume({ ownership }: ClaimState, { metadata }: PersistentVolume): ClaimAction {
  const message =
    `Member cluster ${ownership.clusterName} has a volume ${metadata?.name ?? ''} that belongs to somebody else. It is ` +
    'left alone; remove or rename one of the two.';
  return report('ForeignVolume', message);
}
