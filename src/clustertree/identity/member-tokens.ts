import type { KubeObject, Pod, Secret } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { keyOf, metadataOf, secrets, type ObjectKey, type ObjectRef } from '../../kube/resource.js';
import { FederationError } from '../../lib/errors.js';
import type { Member } from '../cluster/member.js';
import { tokenSecretName } from '../cluster/member-names.js';
import { isOwned } from '../cluster/ownership.js';
import { podReferences, type TokenReference } from '../cluster/pod-references.js';
import type { HostClock } from './host-clock.js';
import { planRenewal } from './lifetimes.js';
import type { SigningKeys } from './signing-keys.js';
import { requestToken } from './token-requests.js';
import { isTampered, renewalPatch, tokenSecret, type IssuedToken, type TokenSecret } from './token-secret.js';

export interface MemberTokensOptions {
  readonly host: Pick<KubeClient, 'create'>;
  readonly member: Member;
  /** Our Secrets with tokens in the member, without their data. */
  readonly secretObjects: Pick<Informer<KubeObject, TokenSecret>, 'store' | 'assume'>;
  readonly hostClock: HostClock;
  readonly signingKeys: Pick<SigningKeys, 'digest'>;
  /** The part of its life after which a token is renewed, between 0 and 1. */
  readonly renewalFraction: number;
}

/** Something has the name of a pod's Secret in the member, and isn't ours. */
export class ForeignSecretError extends FederationError {
  constructor(key: ObjectKey) {
    super('FOREIGN_OBJECT', `secret ${key} in the member belongs to somebody else`);
  }
}

const SECRET_METADATA = metadataOf(secrets);

/**
 * The tokens of host pods in one member: one Secret for each pod, with an item for each token. Of each pod one task is
 * under way at a time. All callers have to give the signal of the same term.
 */
export class MemberTokens {
  readonly #options: MemberTokensOptions;
  readonly #tasks = new Map<ObjectKey, Promise<number | undefined>>();

  constructor(options: MemberTokensOptions) {
    this.#options = options;
  }

  /**
   * Issues the tokens of a pod that it lacks or that are due. Milliseconds until the next is due; undefined for a pod
   * without tokens. Throws what the host or the member says when they can't be had.
   */
  async ensure(hostPod: Pod, signal: AbortSignal): Promise<number | undefined> {
    const { tokens } = podReferences(hostPod);
    if (tokens.length === 0) return undefined;
    const key = secretKeyOf(hostPod);
    const running = this.#tasks.get(key);
    if (running !== undefined) return running;
    const task = this.#ensure(hostPod, tokens, signal).finally(() => this.#tasks.delete(key));
    this.#tasks.set(key, task);
    return task;
  }

  /** Deletes the Secret with that UID. */
  async remove(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<void> {
    await Promise.allSettled([this.#tasks.get(keyOf(ref))]);
    await this.#delete(ref, uid, signal);
  }

  async #ensure(hostPod: Pod, tokens: readonly TokenReference[], signal: AbortSignal): Promise<number> {
    const key = secretKeyOf(hostPod);
    const present = this.#options.secretObjects.store.get(key);
    if (present === undefined) {
      await this.#create(hostPod, tokens, signal);
    } else {
      if (present.metadata?.deletionTimestamp !== undefined) {
        throw new FederationError('API_ERROR', `secret ${key} is being deleted in the member`);
      }
      const names = tokens.map((token) => token.key);
      if (isTampered(present, names)) {
        await this.#delete(refOf(hostPod), present.metadata?.uid ?? '', signal);
        await this.#create(hostPod, tokens, signal);
      } else {
        const due = new Set((await this.#plan(hostPod, names, present, signal)).renew);
        const renewed = tokens.filter((token) => due.has(token.key));
        if (renewed.length > 0) await this.#renew(hostPod, present, renewed, signal);
      }
    }
    return this.#untilNext(hostPod, tokens, signal);
  }

  async #untilNext(hostPod: Pod, tokens: readonly TokenReference[], signal: AbortSignal): Promise<number> {
    const present = this.#options.secretObjects.store.get(secretKeyOf(hostPod));
    // The watch knows better than our own writes: the Secret is gone, and it is about to be heard of.
    if (present === undefined) return 0;
    const names = tokens.map(({ key }) => key);
    return Math.ceil(((await this.#plan(hostPod, names, present, signal)).nextSeconds ?? 0) * 1000);
  }

  async #plan(
    hostPod: Pod,
    names: readonly string[],
    present: TokenSecret,
    signal: AbortSignal,
  ): Promise<ReturnType<typeof planRenewal>> {
    const { hostClock, signingKeys, renewalFraction: fraction } = this.#options;
    const now = (await hostClock.now({ signal })) / 1000;
    const context = { now, fraction, keys: signingKeys.digest, podUid: hostPod.metadata?.uid ?? '' };
    return planRenewal(names, present.lifetimes, context);
  }

  async #create(hostPod: Pod, tokens: readonly TokenReference[], signal: AbortSignal): Promise<void> {
    const { member, secretObjects, signingKeys } = this.#options;
    const { namespace = '', uid: podUid = '' } = hostPod.metadata ?? {};
    const keys = signingKeys.digest;
    const wanted = tokenSecret(
      { namespace, podUid },
      member.ownership,
      await this.#issue(hostPod, tokens, signal),
      keys,
    );
    try {
      const created = await member.client.create(SECRET_METADATA, wanted, { fieldManager: FIELD_MANAGER, signal });
      secretObjects.assume(created);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.#replace(hostPod, wanted, signal);
    }
  }

  /** A Secret that the cache doesn't show yet: of this process before a crash, of another leader, or somebody else's. */
  async #replace(hostPod: Pod, wanted: Secret, signal: AbortSignal): Promise<void> {
    const { member, secretObjects } = this.#options;
    const ref = refOf(hostPod);
    const found = await member.client.get(SECRET_METADATA, ref, { signal });
    if (!isOwned(found, member.ownership)) throw new ForeignSecretError(keyOf(ref));
    await this.#delete(ref, found.metadata?.uid ?? '', signal);
    const created = await member.client.create(SECRET_METADATA, wanted, { fieldManager: FIELD_MANAGER, signal });
    secretObjects.assume(created);
  }

  async #renew(
    hostPod: Pod,
    present: TokenSecret,
    tokens: readonly TokenReference[],
    signal: AbortSignal,
  ): Promise<void> {
    const { member, secretObjects, signingKeys } = this.#options;
    const keys = signingKeys.digest;
    const patch = renewalPatch(present, await this.#issue(hostPod, tokens, signal), keys);
    const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
    try {
      secretObjects.assume(await member.client.patch(SECRET_METADATA, refOf(hostPod), patch, options));
    } catch (error) {
      // Gone, or another one: the watch is about to say so, and then they are issued for that.
      if (!isNotFound(error) && !isInvalid(error)) throw error;
    }
  }

  async #issue(hostPod: Pod, tokens: readonly TokenReference[], signal: AbortSignal): Promise<readonly IssuedToken[]> {
    return Promise.all(tokens.map((token) => requestToken(this.#options.host, hostPod, token, signal)));
  }

  async #delete(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.member.client.delete(secrets, ref, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** Key of the Secret with a host pod's tokens. */
export function secretKeyOf(hostPod: Pod): ObjectKey {
  return keyOf(refOf(hostPod));
}

function refOf(hostPod: Pod): ObjectRef {
  return { namespace: hostPod.metadata?.namespace, name: tokenSecretName(hostPod.metadata?.uid ?? '') };
}
