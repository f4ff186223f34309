import type { Claim, PersistentVolume } from '../../apis/core.js';
import { nameOf } from './fields.js';
import { ownClaim, type ClaimState } from './claim-state.js';

/** What to do next for a claim. Each is one step; after it, the state is judged anew. */
export type ClaimAction =
  | { readonly kind: 'nothing' }
  /** Unknown is not absent. */
  | { readonly kind: 'wait'; readonly reason: ClaimWait }
  /** Read the host claim from the API server and judge again with `hostLive`. */
  | { readonly kind: 'confirm-host' }
  /** Read the member's volume of this name from the API server and judge again with `memberLive`. */
  | { readonly kind: 'confirm-volume'; readonly name: string }
  /** Make the volume that stands in the host for the member's, so that the host claim and its pod get bound. */
  | { readonly kind: 'create-host-volume'; readonly node: string; readonly memberVolume?: PersistentVolume | undefined }
  | { readonly kind: 'create-member-claim'; readonly memberClass: string; readonly volumeName?: string | undefined }
  /** Let the member's volume be bound anew: its claim is gone. */
  | { readonly kind: 'release-volume'; readonly volume: PersistentVolume }
  /** Bring sizes, policies and status of both sides in step. */
  | { readonly kind: 'sync' }
  /** Set the policy first: it decides what becomes of the data. */
  | { readonly kind: 'set-policy'; readonly volume: PersistentVolume; readonly policy: string }
  | { readonly kind: 'delete-member-claim'; readonly uid: string }
  /** Of a one-way copy. */
  | { readonly kind: 'create-copy-volume'; readonly hostVolume: PersistentVolume }
  | { readonly kind: 'delete-copy-volume'; readonly name: string; readonly uid: string }
  | { readonly kind: 'set-owner'; readonly hostVolume: PersistentVolume; readonly uses: boolean }
  /** Give the choice of a node back to the scheduler, with an Event. */
  | { readonly kind: 'reject'; readonly reason: string; readonly message: string }
  /** An Event on the claim and its pods; nothing else can be done. */
  | { readonly kind: 'report'; readonly reason: string; readonly message: string };

export type ClaimWait = 'HostNotSynced' | 'MemberNotSynced' | 'MemberDeleting' | 'MemberPending' | 'HostBinding';

/** An object of the claim's name in the member that isn't ours. */
export function isForeign(state: ClaimState): boolean {
  return state.memberClaim !== undefined && ownClaim(state) === undefined;
}

/** Says that somebody else's claim has the name. */
export function foreign({ ownership }: ClaimState, hostClaim: Claim): ClaimAction {
  const message =
    `Member cluster ${ownership.clusterName} has a claim ${nameOf(hostClaim)} that belongs to somebody ` +
    'else. It is left alone; remove or rename one of the two.';
  return report('ForeignClaim', message);
}

/** Nothing, until something that is under way has come to its end. */
export function wait(reason: ClaimWait): ClaimAction {
  return { kind: 'wait', reason };
}

/** An Event and nothing else. */
export function report(reason: string, message: string): ClaimAction {
  return { kind: 'report', reason, message };
}
