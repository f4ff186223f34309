import type { KubeObject, Pod } from '../../apis/core.js';
import { isOwned, type Ownership } from '../cluster/ownership.js';

/** All that is known of the tokens of one host pod in one member. */
export interface TokenState {
  readonly ownership: Ownership;
  /** The caches of both sides are complete and connected. */
  readonly current: boolean;
  /** The host pod that the Secret is for, bound to one of the member's virtual nodes; absent when its UID has another. */
  readonly hostPod?: Pod | undefined;
  /** Its pod in the member. */
  readonly memberPod?: Pod | undefined;
  /** The Secret in the member with our labels. */
  readonly secret?: KubeObject | undefined;
  /** It was read from the host's API server in this very reconcile that no such pod is there. */
  readonly unusedLive?: boolean;
}

/** What to do next about a pod's tokens. */
export type TokenAction =
  | { readonly kind: 'nothing' }
  /** Unknown is not absent. */
  | { readonly kind: 'wait' }
  /** Issue what is missing or due. */
  | { readonly kind: 'issue' }
  /** Read the host's pods, and judge again with `unusedLive`. */
  | { readonly kind: 'confirm-unused' }
  | { readonly kind: 'remove'; readonly uid: string };

/**
 * Decides one step. A pod's tokens are first made when it is about to be (see `PodNeeds`), come back when somebody
 * deletes them while it runs, and go with it.
 */
export function decideToken(state: TokenState): TokenAction {
  if (!state.current) return { kind: 'wait' };
  return state.secret === undefined ? decideAbsent(state) : decidePresent(state.secret, state);
}

function decideAbsent({ hostPod, memberPod }: TokenState): TokenAction {
  const isRunning = hostPod !== undefined && memberPod !== undefined && !hasEnded(hostPod, memberPod);
  return { kind: isRunning ? 'issue' : 'nothing' };
}

function decidePresent(secret: KubeObject, state: TokenState): TokenAction {
  const { hostPod, memberPod } = state;
  if (!isOwned(secret, state.ownership) || secret.metadata?.deletionTimestamp !== undefined) return { kind: 'nothing' };
  if (hostPod !== undefined) return hasEnded(hostPod, memberPod) ? remove(secret) : { kind: 'issue' };
  return state.unusedLive === true ? remove(secret) : { kind: 'confirm-unused' };
}

/** No container of it will start again. */
function hasEnded(hostPod: Pod, memberPod: Pod | undefined): boolean {
  if (memberPod !== undefined) return isTerminal(memberPod);
  return isTerminal(hostPod) || hostPod.metadata?.deletionTimestamp !== undefined;
}

function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function remove(secret: KubeObject): TokenAction {
  return { kind: 'remove', uid: secret.metadata?.uid ?? '' };
}
