import type { KubeObject } from '../../apis/core.js';
import { isOwned, type Ownership } from './ownership.js';

/** All that is known of one host object and its copy in one member. */
export interface CopyState {
  readonly ownership: Ownership;
  /** The caches of that side are complete and connected. */
  readonly hostCurrent: boolean;
  readonly memberCurrent: boolean;
  /** Metadata of the host object. */
  readonly host?: KubeObject | undefined;
  /** Metadata of the member object with our labels. */
  readonly copy?: KubeObject | undefined;
  /** A host pod on one of the member's virtual nodes refers to it. */
  readonly isUsed: boolean;
  /** One that does has its pod in the member, so the copy has to be there. */
  readonly isWanted: boolean;
  /** `host` was read from the API server in this very reconcile. */
  readonly hostLive?: boolean;
  /** Likewise that no pod uses it. */
  readonly unusedLive?: boolean;
}

/** What to do next about a copy. */
export type CopyAction =
  | { readonly kind: 'nothing' }
  /** Unknown is not absent. */
  | { readonly kind: 'wait' }
  /** Make it, or make it what it should be. */
  | { readonly kind: 'sync' }
  /** Read the host object, and judge again with `hostLive`. */
  | { readonly kind: 'confirm-host' }
  /** Read the host's pods, and judge again with `unusedLive`. */
  | { readonly kind: 'confirm-unused' }
  | { readonly kind: 'remove'; readonly uid: string };

const NOTHING: CopyAction = { kind: 'nothing' };

/**
 * Decides one step for a copy. It is there for as long as the host has the object and a pod uses it; it is made for the
 * first time when a pod is about to be (see `PodNeeds`), never because a host pod merely exists.
 */
export function decideCopy(state: CopyState): CopyAction {
  if (!state.hostCurrent || !state.memberCurrent) return { kind: 'wait' };
  return state.copy === undefined ? decideAbsent(state) : decidePresent(state.copy, state);
}

function decideAbsent({ host, isUsed, isWanted }: CopyState): CopyAction {
  return isUsed && isWanted && host !== undefined ? { kind: 'sync' } : NOTHING;
}

function decidePresent(copy: KubeObject, state: CopyState): CopyAction {
  if (!isOwned(copy, state.ownership) || copy.metadata?.deletionTimestamp !== undefined) return NOTHING;
  if (!state.isUsed) return state.unusedLive === true ? remove(copy) : { kind: 'confirm-unused' };
  if (state.host === undefined) return state.hostLive === true ? remove(copy) : { kind: 'confirm-host' };
  return { kind: 'sync' };
}

function remove(copy: KubeObject): CopyAction {
  return { kind: 'remove', uid: copy.metadata?.uid ?? '' };
}
