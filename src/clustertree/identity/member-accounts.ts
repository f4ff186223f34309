import type { KubeObject, ServiceAccount } from '../../apis/core.js';
import { FIELD_MANAGER, HOST_UID_ANNOTATION } from '../../apis/names.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { metadataOf, serviceAccounts, splitKey, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import type { Member } from '../cluster/member.js';
import { ownershipLabels, type Ownership } from '../cluster/ownership.js';

export interface MemberAccountsOptions {
  readonly host: Pick<KubeClient, 'get'>;
  readonly member: Member;
  /** Our service accounts in the member. */
  readonly accountObjects: Pick<Informer<KubeObject>, 'store' | 'assume'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** For how long an account of somebody else is taken to be there; we don't watch those. */
const FOREIGN_MS = 60_000;
/** The member's own controllers make it in every namespace. */
const AUTOMATIC = 'default';
const METADATA = metadataOf(serviceAccounts);

/** An account that gives its pods a name, and nothing else. */
export function bareAccount(key: ObjectKey, hostUid: string, ownership: Ownership): ServiceAccount {
  const { namespace, name } = splitKey(key);
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      namespace,
      name,
      labels: ownershipLabels(ownership),
      annotations: { [HOST_UID_ANNOTATION]: hostUid },
    },
    automountServiceAccountToken: false,
  };
}

/**
 * The service accounts that the admission of one member wants to see before it takes a pod. One of somebody else is used
 * as it is: the pod gets no token of it. Of each account one task is under way at a time. All callers have to give the
 * signal of the same term.
 */
export class MemberAccounts {
  readonly #options: MemberAccountsOptions;
  readonly #tasks = new Map<ObjectKey, Promise<boolean>>();
  readonly #foreign = new Map<ObjectKey, number>();

  constructor(options: MemberAccountsOptions) {
    this.#options = options;
  }

  /** Resolves when the member has an account of that name; false when the host hasn't. */
  async ensure(key: ObjectKey, signal: AbortSignal): Promise<boolean> {
    const { accountObjects, clock } = this.#options;
    if (splitKey(key).name === AUTOMATIC || accountObjects.store.get(key) !== undefined) return true;
    const seenAt = this.#foreign.get(key);
    if (seenAt !== undefined && clock.monotonic() - seenAt < FOREIGN_MS) return true;
    const task = this.#tasks.get(key) ?? this.#make(key, signal).finally(() => this.#tasks.delete(key));
    this.#tasks.set(key, task);
    return task;
  }

  /** Deletes our account with that UID. */
  async remove(key: ObjectKey, uid: string, signal: AbortSignal): Promise<void> {
    await Promise.allSettled([this.#tasks.get(key)]);
    try {
      await this.#options.member.client.delete(serviceAccounts, splitKey(key), { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #make(key: ObjectKey, signal: AbortSignal): Promise<boolean> {
    const { host, member, accountObjects, clock } = this.#options;
    this.#foreign.delete(key);
    let hostAccount: KubeObject;
    try {
      hostAccount = await host.get(METADATA, splitKey(key), { signal });
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    const wanted = bareAccount(key, hostAccount.metadata?.uid ?? '', member.ownership);
    try {
      accountObjects.assume(await member.client.create(METADATA, wanted, { fieldManager: FIELD_MANAGER, signal }));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // Somebody else's, or our own that the cache doesn't show yet: either will do.
      this.#foreign.set(key, clock.monotonic());
    }
    return true;
  }
}
