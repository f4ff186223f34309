import type { Claim, PersistentVolume } from '../../apis/core.js';
import { RECLAIM_POLICY_ANNOTATION } from '../../apis/names.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import { isOwned } from '../cluster/ownership.js';
import { foreign, isForeign, report, wait, type ClaimAction } from './claim-action.js';
import { boundVolume, wantedPolicy } from './claim-status.js';
import { copyOf, ownClaim, placementOf, type ClaimState } from './claim-state.js';
import { annotationOf, boundUidOf, isDeleting, nameOf, policyOf, uidOf } from './fields.js';
import { claimKeyOf, memberVolumeName, siteOf } from './host-volume.js';
import { isCopy } from './one-way.js';
import { decideOneWay } from './one-way-verdict.js';
import { isImmediate } from './served-class.js';

const NOTHING: ClaimAction = { kind: 'nothing' };

/**
 * Decides one step for a claim, see docs/storage.md. Data is never deleted on the word of a cache that may be stale, a
 * claim that lost its volume never silently gets an empty one, and foreign objects are never touched.
 */
export function decideClaim(state: ClaimState): ClaimAction {
  if (!state.hostSynced) return wait('HostNotSynced');
  if (!state.memberSynced) return wait('MemberNotSynced');
  const { hostClaim } = state;
  const ours = ownClaim(state);
  if (hostClaim === undefined || (ours && !copyOf(state, hostClaim))) return removeOrphan(state, ours);
  const placement = placementOf(state, hostClaim);
  switch (placement.kind) {
    case 'unknown':
      return NOTHING;
    case 'unbound':
    case 'elsewhere':
      return removeOrphan(state, ours);
    case 'one-way':
      return decideOneWay(state, hostClaim, placement.volume);
    case 'chosen':
      return decideChosen(state, hostClaim, placement.node);
    case 'here':
      return decideHere(state, hostClaim, placement.volume);
  }
}

/** The claim is not, or no longer, what the member is to have: what we made for it goes. */
function removeOrphan(state: ClaimState, ours: Claim | undefined): ClaimAction {
  if (ours === undefined) return removeCopy(state);
  if (isDeleting(ours)) return wait('MemberDeleting');
  if (state.hostLive !== true) return { kind: 'confirm-host' };
  const volume = boundVolume(ours, state.memberVolume);
  const policy = isCopy(ours) ? undefined : lastPolicy(state, ours, volume);
  if (volume !== undefined && policy !== undefined && policyOf(volume) !== policy) {
    return { kind: 'set-policy', volume, policy };
  }
  return { kind: 'delete-member-claim', uid: uidOf(ours) };
}

/** The host volume's policy, while there is that volume; else the last that was on record. */
function lastPolicy(state: ClaimState, ours: Claim, volume: PersistentVolume | undefined): string | undefined {
  const { lastVolume } = state;
  const isBehind = lastVolume !== undefined && siteOf(lastVolume, undefined).kind === 'member';
  return isBehind ? wantedPolicy(lastVolume, volume) : annotationOf(ours, RECLAIM_POLICY_ANNOTATION);
}

/** The claim is gone; its one-way volume may not be yet, and others may wait for the storage. */
function removeCopy(state: ClaimState): ClaimAction {
  const { memberVolume, memberClaim, ownership, hostLive, heldVolume } = state;
  if (memberClaim !== undefined) return NOTHING;
  const copy = memberVolume && isOwned(memberVolume, ownership) && isCopy(memberVolume) ? memberVolume : undefined;
  if (copy === undefined && heldVolume === undefined) return NOTHING;
  if (isDeleting(copy)) return wait('MemberDeleting');
  if (hostLive !== true) return { kind: 'confirm-host' };
  if (copy !== undefined) return { kind: 'delete-copy-volume', name: nameOf(copy), uid: uidOf(copy) };
  return heldVolume === undefined ? NOTHING : { kind: 'set-owner', hostVolume: heldVolume, uses: false };
}

function decideChosen(state: ClaimState, hostClaim: Claim, node: string): ClaimAction {
  if (isDeleting(hostClaim)) return NOTHING;
  const { service, memberClass } = state;
  if (service.kind === 'contested') return report('ProvisioningFailed', service.message);
  if (service.kind === 'other') return NOTHING;
  if (state.madeVolume !== undefined) return wait('HostBinding');
  const problem = sourceProblem(state, hostClaim);
  if (problem !== undefined) return report('ProvisioningFailed', problem);
  if (memberClass === undefined) return { kind: 'reject', ...classMissing(state) };
  if (isForeign(state)) return foreign(state, hostClaim);
  return isImmediate(memberClass) ? provisionFirst(state, node) : { kind: 'create-host-volume', node };
}

/** The member's class makes volumes for claims without pods, so the volume in the host can be true from the start. */
function provisionFirst(state: ClaimState, node: string): ClaimAction {
  const ours = ownClaim(state);
  if (ours === undefined) return { kind: 'create-member-claim', memberClass: state.memberClassName };
  if (isDeleting(ours)) return wait('MemberDeleting');
  const volume = boundVolume(ours, state.memberVolume);
  return volume === undefined ? wait('MemberPending') : { kind: 'create-host-volume', node, memberVolume: volume };
}

function decideHere(state: ClaimState, hostClaim: Claim, hostVolume: PersistentVolume): ClaimAction {
  const ours = ownClaim(state);
  const name = memberVolumeName(hostVolume);
  if (ours !== undefined) {
    if (isDeleting(ours)) return wait('MemberDeleting');
    return ours.status?.phase === 'Lost' ? volumeLost(state, name ?? '') : { kind: 'sync' };
  }
  if (isDeleting(hostClaim) || state.leaving) return NOTHING;
  if (isForeign(state)) return foreign(state, hostClaim);
  return name === undefined ? createFresh(state) : bindAgain(state, hostClaim, name);
}

/** The first time: the member is to make a volume. */
function createFresh(state: ClaimState): ClaimAction {
  if (state.memberClass === undefined) return { kind: 'report', ...classMissing(state) };
  return { kind: 'create-member-claim', memberClass: state.memberClassName };
}

/** There was a volume in the member, so only that one will do. */
function bindAgain(state: ClaimState, hostClaim: Claim, name: string): ClaimAction {
  const { memberVolume } = state;
  if (memberVolume === undefined || nameOf(memberVolume) !== name) {
    return state.memberLive === true ? volumeLost(state, name) : { kind: 'confirm-volume', name };
  }
  const memberClass = memberVolume.spec?.storageClassName ?? '';
  switch (availability(memberVolume, objectKey(hostClaim))) {
    case 'free':
      return { kind: 'create-member-claim', memberClass, volumeName: name };
    case 'going':
      return wait('MemberDeleting');
    case 'released':
      return { kind: 'release-volume', volume: memberVolume };
    case 'taken': {
      const { clusterName } = state.ownership;
      return report('VolumeTaken', `Volume ${name} of member cluster ${clusterName} is bound to another claim there.`);
    }
  }
}

/** Whether a volume of the member can be bound to a new claim of this key. */
function availability(volume: PersistentVolume, key: ObjectKey): 'free' | 'going' | 'released' | 'taken' {
  if (volume.spec?.claimRef === undefined) return 'free';
  const isOurs = claimKeyOf(volume) === key;
  if (isOurs && boundUidOf(volume) === undefined) return 'free';
  if (!isOurs && volume.status?.phase !== 'Released') return 'taken';
  // Its claim was deleted there, so whoever made it deletes it, now or in a moment.
  return policyOf(volume) === 'Delete' ? 'going' : 'released';
}

/** Why the member can't fill a new volume with what the claim asks for. */
function sourceProblem({ sourceVolume, ownership }: ClaimState, hostClaim: Claim): string | undefined {
  const { dataSource, dataSourceRef, selector } = hostClaim.spec ?? {};
  if (selector) return 'A volume that is made for the claim has no labels to select. Remove the selector.';
  const source = dataSourceRef ?? dataSource;
  if (source === undefined) return undefined;
  const { clusterName } = ownership;
  if (source.kind !== 'PersistentVolumeClaim' || dataSourceRef?.namespace) {
    return (
      `${source.kind} ${source.name} is an object of the host, which member cluster ${clusterName} does not have. ` +
      'Make the claim without a data source, or on nodes of the host.'
    );
  }
  const site = sourceVolume && siteOf(sourceVolume, undefined);
  if (site?.kind === 'member' && site.cluster === clusterName) return undefined;
  return `Claim ${source.name}, which is to be cloned, is not stored in member cluster ${clusterName}. Run the pod where it is.`;
}

function volumeLost({ ownership }: ClaimState, name: string): ClaimAction {
  const message =
    `Volume ${name} was deleted in member cluster ${ownership.clusterName}, and its data with it. No other volume ` +
    'takes its place by itself: delete the claim and make it again to begin with an empty one.';
  return report('VolumeLost', message);
}

function classMissing(state: ClaimState): { readonly reason: string; readonly message: string } {
  const message =
    `Member cluster ${state.ownership.clusterName} has no StorageClass ${state.memberClassName}. Create it there, or ` +
    "name another one in the Cluster's clusterTreeOptions.storageClassMap.";
  return { reason: 'ProvisioningFailed', message };
}
