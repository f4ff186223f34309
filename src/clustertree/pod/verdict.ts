import type { Pod } from '../../apis/core.js';
import { HOST_UID_ANNOTATION, MEMBER_UID_ANNOTATION } from '../../apis/names.js';
import { isLabelled } from '../cluster/ownership.js';

/** Who we are in the member: only objects that carry both are ours. */
export interface Identity {
  readonly hostClusterUid: string;
  readonly clusterName: string;
}

/** All that a reconcile of one pod name in one member knows. */
export interface PodState {
  readonly identity: Identity;
  readonly hostPod?: Pod | undefined;
  readonly memberPod?: Pod | undefined;
  /** The cache of that side is complete and its connection stands. */
  readonly hostSynced: boolean;
  readonly memberSynced: boolean;
  /** `hostPod` (or its absence) was read from the API server in this very reconcile. */
  readonly hostLive?: boolean;
  /** Likewise `memberPod`. */
  readonly memberLive?: boolean;
  /** A create was answered with success, but the member's cache does not show the pod yet. */
  readonly createPending?: boolean;
  /** The host pod is bound to a virtual node of this Cluster. */
  readonly onOurNode: boolean;
  /** Pods of the namespace may run in this member. */
  readonly namespaceAllowed: boolean;
}

/** What to do next. Each is one step; after it, the state is judged anew. */
export type Action =
  | { readonly kind: 'nothing' }
  /** Unknown is not absent: nothing is done until a cache or a running deletion catches up. */
  | { readonly kind: 'wait'; readonly reason: WaitReason }
  /** Translate the host pod and create the member pod. */
  | { readonly kind: 'create' }
  /** Bring the member pod in step with the host pod, and the host pod's status with the member pod's. */
  | { readonly kind: 'update' }
  /** Only the status. */
  | { readonly kind: 'status' }
  | { readonly kind: 'delete-member'; readonly uid: string; readonly gracePeriodSeconds?: number }
  /** With grace period 0. */
  | { readonly kind: 'delete-host'; readonly uid: string }
  /** Read the host pod from the API server and judge again with `hostLive`. */
  | { readonly kind: 'confirm-orphan' }
  /** Read the member pod from the API server and judge again with `memberLive`. */
  | { readonly kind: 'confirm-lost' }
  /** Write `failedStatus` to the host pod. */
  | { readonly kind: 'fail-host'; readonly reason: string; readonly message: string; readonly disruption: boolean }
  /** A pod of that name in the member isn't ours: an Event on the host pod, and nothing else. */
  | { readonly kind: 'foreign'; readonly reason: string; readonly message: string }
  /** An Event on the host pod; it stays Pending. */
  | { readonly kind: 'refuse'; readonly reason: string; readonly message: string };

export type WaitReason = 'HostNotSynced' | 'MemberNotSynced' | 'CreatePending' | 'MemberDeleting' | 'NodeUnknown';

/** Reason of a host pod that Failed because its member pod is gone. */
export const MEMBER_POD_LOST = 'MemberPodLost';
const NOTHING: Action = { kind: 'nothing' };

/**
 * Decides one step for a pod, see docs/pods.md. Foreign pods are never touched, a host UID never gets a second member
 * pod, and nothing is deleted on the word of a cache that may be stale.
 */
export function decidePod(state: PodState): Action {
  if (!state.hostSynced) return wait('HostNotSynced');
  if (!state.memberSynced) return wait('MemberNotSynced');
  const { hostPod, memberPod } = state;
  const ours = memberPod && isLabelled(memberPod, state.identity) ? memberPod : undefined;
  if (ours && !isCopyOf(ours, hostPod)) return removeOrphan(ours, state);
  if (!hostPod) return NOTHING;
  if (state.onOurNode) return decideBound(hostPod, ours, state);
  return ours ? wait('NodeUnknown') : NOTHING;
}

function decideBound(hostPod: Pod, memberPod: Pod | undefined, state: PodState): Action {
  if (hostPod.metadata?.deletionTimestamp) {
    return memberPod ? endMember(hostPod, memberPod) : endHost(hostPod, state);
  }
  if (isTerminal(hostPod)) return decideTerminal(hostPod, memberPod);
  return memberPod ? decideRunning(hostPod, memberPod) : decideAbsent(hostPod, state);
}

/** True when the member pod stands for this very host pod, not for an earlier one of its name. */
function isCopyOf(memberPod: Pod, hostPod: Pod | undefined): boolean {
  return hostPod !== undefined && memberPod.metadata?.annotations?.[HOST_UID_ANNOTATION] === hostPod.metadata?.uid;
}

/**
 * True when a member pod of this host pod has existed. It is recorded by the first status that we write, so a pod that
 * was made and lost between two instants of a crash leaves no trace; any later one does.
 */
export function hasRun(hostPod: Pod): boolean {
  const { phase = 'Pending', startTime, containerStatuses } = hostPod.status ?? {};
  const recorded = hostPod.metadata?.annotations?.[MEMBER_UID_ANNOTATION];
  return recorded !== undefined || startTime !== undefined || phase !== 'Pending' || !!containerStatuses?.length;
}

/** True for a pod that will never run again. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** A member pod that stands for no host pod: for one that is gone, or for an earlier one of the same name. */
function removeOrphan(memberPod: Pod, state: PodState): Action {
  if (memberPod.metadata?.deletionTimestamp) return state.hostPod ? wait('MemberDeleting') : NOTHING;
  return state.hostLive === true ? deleteMember(memberPod) : { kind: 'confirm-orphan' };
}

/** The host pod is being deleted: its copy gets the same time to end, and less when the host's time was shortened. */
function endMember(hostPod: Pod, memberPod: Pod): Action {
  const wanted = hostPod.metadata?.deletionGracePeriodSeconds;
  const given = memberPod.metadata?.deletionGracePeriodSeconds;
  const isShorter = wanted !== undefined && given !== undefined && wanted < given;
  return memberPod.metadata?.deletionTimestamp && !isShorter ? { kind: 'status' } : deleteMember(memberPod, wanted);
}

/** The host pod is being deleted and has no copy (any more). */
function endHost(hostPod: Pod, state: PodState): Action {
  if (state.createPending === true) return wait('CreatePending');
  if (hostPod.metadata?.finalizers?.length && !isTerminal(hostPod)) {
    // Whoever holds the finalizer (a Job) waits for the outcome, and no one else can tell it any more.
    return lost('The pod was deleted, and its copy in the member cluster ended without a known outcome.', false);
  }
  if (hostPod.metadata?.deletionGracePeriodSeconds === 0) return NOTHING;
  return { kind: 'delete-host', uid: hostPod.metadata?.uid ?? '' };
}

function decideTerminal(hostPod: Pod, memberPod: Pod | undefined): Action {
  if (!memberPod || memberPod.metadata?.deletionTimestamp) return NOTHING;
  if (!isTerminal(memberPod)) return deleteMember(memberPod);
  return memberPod.status?.phase === hostPod.status?.phase ? { kind: 'status' } : NOTHING;
}

function decideRunning(hostPod: Pod, memberPod: Pod): Action {
  const recorded = hostPod.metadata?.annotations?.[MEMBER_UID_ANNOTATION];
  if (recorded !== undefined && recorded !== memberPod.metadata?.uid) {
    return lost('Another pod has taken the place of its copy in the member cluster.', true);
  }
  return memberPod.metadata?.deletionTimestamp || isTerminal(memberPod) ? { kind: 'status' } : { kind: 'update' };
}

function decideAbsent(hostPod: Pod, state: PodState): Action {
  if (state.createPending === true) return wait('CreatePending');
  if (hasRun(hostPod)) {
    if (state.memberLive !== true) return { kind: 'confirm-lost' };
    return lost('Its copy in the member cluster was deleted or evicted there.', true);
  }
  if (state.memberPod) {
    const message =
      `Member cluster ${state.identity.clusterName} has a pod of this name that belongs to somebody else. ` +
      'It is left alone; remove or rename one of the two.';
    return { kind: 'foreign', reason: 'ForeignPod', message };
  }
  if (state.namespaceAllowed) return { kind: 'create' };
  const message =
    `Pods of this namespace may not run in member cluster ${state.identity.clusterName}. Choose other nodes, or change ` +
    "the Cluster's clusterTreeOptions.namespaceSelector.";
  return { kind: 'refuse', reason: 'NamespaceNotAllowed', message };
}

function wait(reason: WaitReason): Action {
  return { kind: 'wait', reason };
}

function lost(message: string, disruption: boolean): Action {
  return { kind: 'fail-host', reason: MEMBER_POD_LOST, message, disruption };
}

function deleteMember(memberPod: Pod, gracePeriodSeconds?: number): Action {
  const uid = memberPod.metadata?.uid ?? '';
  return { kind: 'delete-member', uid, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) };
}
