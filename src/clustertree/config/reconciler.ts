import type { KubeObject } from '../../apis/core.js';
import { isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { metadataOf, splitKey, type ObjectKey } from '../../kube/resource.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { Member } from '../cluster/member.js';
import type { CopiedKind } from './kinds.js';
import type { MemberCopies } from './member-copies.js';
import { decideCopy, type CopyState } from '../cluster/copy-verdict.js';

export interface CopyReconcilerOptions {
  readonly kind: CopiedKind;
  readonly host: Pick<KubeClient, 'get'>;
  readonly member: Member;
  /** Metadata of all objects of the kind in the host. */
  readonly hostObjects: Pick<Informer<KubeObject>, 'store'>;
  /** Metadata of our copies in the member. */
  readonly copyObjects: Pick<Informer<KubeObject>, 'store'>;
  readonly copies: MemberCopies;
  /** Host pods on the member's virtual nodes that refer to the object. */
  readonly usersOf: (key: ObjectKey) => ReadonlySet<ObjectKey>;
  /** The same, read from the host's API server: whether there is any. */
  readonly isUsedLive: (key: ObjectKey, signal: AbortSignal) => Promise<boolean>;
  readonly isCurrent: () => { readonly host: boolean; readonly member: boolean };
  /** Called with a key that can't be judged before that changes. */
  readonly onWaiting: (key: ObjectKey) => void;
}

/** A member that refuses an object may take it later: quotas change. */
const REFUSED_RETRY_MS = 60_000;
const UNKNOWN_RETRY_MS = 1_000;
const MAX_STEPS = 4;

/** Keeps the copy of one host object in one member in step, and removes it with its last user. */
export class CopyReconciler implements Reconciler {
  readonly #options: CopyReconcilerOptions;

  constructor(options: CopyReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: ObjectKey, { signal }: { readonly signal: AbortSignal }): Promise<Result> {
    let state = this.#read(key);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const action = decideCopy(state);
      switch (action.kind) {
        case 'wait':
          this.#options.onWaiting(key);
          return {};
        case 'nothing':
          if (!state.isUsed) this.#options.copies.forget(key);
          return {};
        case 'sync':
          return this.#sync(key, signal);
        case 'remove':
          await this.#options.copies.remove(key, action.uid, signal);
          return {};
        case 'confirm-host':
          state = { ...state, host: await this.#readHost(key, signal), hostLive: true };
          break;
        case 'confirm-unused': {
          // If there is a pod, the cache is about to show it.
          if (await this.#options.isUsedLive(key, signal)) return { requeueAfterMs: UNKNOWN_RETRY_MS };
          state = { ...this.#read(key), unusedLive: true };
          break;
        }
      }
    }
    return { requeueAfterMs: UNKNOWN_RETRY_MS };
  }

  #read(key: ObjectKey): CopyState {
    const { member, hostObjects, copyObjects, copies, usersOf, isCurrent } = this.#options;
    const current = isCurrent();
    const users = usersOf(key);
    return {
      ownership: member.ownership,
      hostCurrent: current.host,
      memberCurrent: current.member,
      host: hostObjects.store.get(key),
      copy: copyObjects.store.get(copies.memberKey(key)),
      isUsed: users.size > 0,
      isWanted: [...users].some((pod) => member.pods.store.get(pod) !== undefined),
    };
  }

  async #sync(key: ObjectKey, signal: AbortSignal): Promise<Result> {
    const outcome = await this.#options.copies.sync(key, signal);
    // That the host has lost it, the cache is about to say.
    return outcome.kind === 'refused' || outcome.kind === 'foreign' ? { requeueAfterMs: REFUSED_RETRY_MS } : {};
  }

  async #readHost(key: ObjectKey, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { host, kind } = this.#options;
    try {
      return await host.get(metadataOf(kind.type), splitKey(key), { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
