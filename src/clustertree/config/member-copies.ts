import type { KubeObject } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import { keyOf, metadataOf, splitKey, type ObjectKey, type ObjectRef } from '../../kube/resource.js';
import { isNotNewer, parseResourceVersion } from '../../kube/resource-version.js';
import type { Clock } from '../../lib/clock.js';
import { FederationError } from '../../lib/errors.js';
import type { Member } from '../cluster/member.js';
import { rootCaName } from '../cluster/member-names.js';
import { isOwned } from '../cluster/ownership.js';
import { desiredCopy, diffCopy } from './copy.js';
import type { HostContents } from './host-contents.js';
import type { Content, CopiedKind } from './kinds.js';

export interface MemberCopiesOptions {
  readonly kind: CopiedKind;
  readonly member: Member;
  /** Metadata of all objects of the kind in the host. */
  readonly hostObjects: Pick<Informer<KubeObject>, 'store'>;
  /** Metadata of our copies in the member. */
  readonly copies: Pick<Informer<KubeObject>, 'store' | 'assume'>;
  readonly contents: HostContents;
  readonly clock: Clock;
}

/** What became of an attempt to bring a copy in step with the host. */
export type SyncOutcome =
  | { readonly kind: 'synced' }
  /** The host has no such object. */
  | { readonly kind: 'missing' }
  /** The member has an object of the name that isn't ours. */
  | { readonly kind: 'foreign' }
  /** The member doesn't take it; `why` doesn't quote the object. */
  | { readonly kind: 'refused'; readonly why: string };

/** The versions of both sides that were found to be, or made, the same. */
interface Match {
  readonly hostUid: string | undefined;
  readonly hostVersion: string | undefined;
  readonly copyUid: string | undefined;
  readonly copyVersion: string | undefined;
}

type Task =
  | { readonly kind: 'sync'; readonly promise: Promise<SyncOutcome> }
  | { readonly kind: 'remove'; readonly promise: Promise<void> };

/** HTTP codes that say that the member will not have this object. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 413, 422]);
/** For how long an object that was not found is not looked for again, unless it is heard of. */
const ABSENCE_MS = 30_000;

/**
 * The copies of one kind in one member. What was found to be in step stays so until a version changes, so that those who
 * share an object cause no calls. What is remembered here saves calls and decides nothing: lost, it is found out again.
 * Of each object one task is under way at a time. All callers have to give the signal of the same term.
 */
export class MemberCopies {
  readonly #options: MemberCopiesOptions;
  readonly #matches = new Map<ObjectKey, Match>();
  readonly #tasks = new Map<ObjectKey, Task>();
  /** When the host was found to lack an object, and the member a foreign one. */
  readonly #absentInHost = new Map<ObjectKey, number>();
  readonly #absentInMember = new Map<ObjectKey, number>();

  constructor(options: MemberCopiesOptions) {
    this.#options = options;
  }

  /** Key of the copy of a host object. */
  memberKey(key: ObjectKey): ObjectKey {
    const { namespace, name } = splitKey(key);
    const { kind, member } = this.#options;
    const rootCa = rootCaName(member.namespaces.store.get(namespace ?? ''), member.ownership);
    return keyOf({ namespace, name: kind.memberName(name, rootCa) });
  }

  /** Key of the host object that a member object is the copy of. */
  hostKey(memberKey: ObjectKey): ObjectKey {
    const { namespace, name } = splitKey(memberKey);
    return keyOf({ namespace, name: this.#options.kind.hostName(name) });
  }

  /** Whether the copy is known to be what the host has. */
  isInStep(key: ObjectKey): boolean {
    const match = this.#matches.get(key);
    const host = this.#options.hostObjects.store.get(key)?.metadata;
    const copy = this.#options.copies.store.get(this.memberKey(key))?.metadata;
    if (match === undefined || host === undefined || copy === undefined) return false;
    const hostVersion = parseResourceVersion(match.hostVersion);
    return (
      match.hostUid === host.uid &&
      isNotNewer(parseResourceVersion(host.resourceVersion), hostVersion) &&
      match.copyUid === copy.uid &&
      match.copyVersion === copy.resourceVersion &&
      copy.deletionTimestamp === undefined
    );
  }

  /**
   * Before a pod is made: the copy is there and in step, or why it can't be. `optional` asks in addition that the member
   * has no foreign object that the pod would see in place of a missing one.
   */
  async ensure(key: ObjectKey, optional: boolean, signal: AbortSignal): Promise<SyncOutcome> {
    if (this.#tasks.get(key)?.kind !== 'remove' && this.isInStep(key)) return { kind: 'synced' };
    const isKnownAbsent =
      this.#options.hostObjects.store.get(key) === undefined && this.#isRecent(this.#absentInHost.get(key));
    const outcome: SyncOutcome = isKnownAbsent ? { kind: 'missing' } : await this.sync(key, signal);
    if (outcome.kind !== 'missing' || !optional) return outcome;
    return (await this.#isForeignThere(key, signal)) ? { kind: 'foreign' } : outcome;
  }

  /** Makes the copy what it should be; shares what is under way. Throws what is worth another try. */
  async sync(key: ObjectKey, signal: AbortSignal): Promise<SyncOutcome> {
    for (;;) {
      const task = this.#tasks.get(key);
      if (task === undefined) break;
      if (task.kind === 'sync') {
        const outcome = await task.promise;
        // It may have begun before the change that we heard of.
        if (outcome.kind !== 'synced' || this.isInStep(key)) return outcome;
      } else {
        // Whoever asked for the removal hears of its failure.
        await task.promise.catch(() => undefined);
      }
    }
    if (this.isInStep(key)) return { kind: 'synced' };
    const promise = this.#bring(key, signal).finally(() => this.#tasks.delete(key));
    this.#tasks.set(key, { kind: 'sync', promise });
    return promise;
  }

  /** Deletes the copy with that UID, after what is under way for it. */
  async remove(key: ObjectKey, uid: string, signal: AbortSignal): Promise<void> {
    for (let task = this.#tasks.get(key); task !== undefined; task = this.#tasks.get(key)) {
      // Whoever asked for it hears of its failure.
      await Promise.allSettled([task.promise]);
    }
    const ref = splitKey(this.memberKey(key));
    const promise = this.#delete(ref, uid, signal).finally(() => this.#tasks.delete(key));
    this.#tasks.set(key, { kind: 'remove', promise });
    await promise;
    this.#matches.delete(key);
  }

  /** The host has been heard to have the object, or nobody asks for it any more. */
  forget(key: ObjectKey): void {
    this.#absentInHost.delete(key);
    this.#absentInMember.delete(key);
    if (this.#options.hostObjects.store.get(key) === undefined) this.#matches.delete(key);
  }

  async #bring(key: ObjectKey, signal: AbortSignal): Promise<SyncOutcome> {
    const { kind, member, hostObjects, contents, clock } = this.#options;
    const version = hostObjects.store.get(key)?.metadata?.resourceVersion;
    const host = await contents.get(kind, key, version, signal);
    if (host === undefined) {
      this.#absentInHost.set(key, clock.monotonic());
      return { kind: 'missing' };
    }
    let copy: KubeObject | undefined;
    try {
      copy = await this.#write(desiredCopy(kind, host, member.ownership, splitKey(this.memberKey(key)).name), signal);
    } catch (error) {
      if (error instanceof ApiError && REFUSALS.has(error.statusCode)) return { kind: 'refused', why: whyOf(error) };
      throw error;
    }
    if (copy === undefined) return { kind: 'foreign' };
    this.#matches.set(key, {
      hostUid: host.metadata?.uid,
      hostVersion: host.metadata?.resourceVersion,
      copyUid: copy.metadata?.uid,
      copyVersion: copy.metadata?.resourceVersion,
    });
    return { kind: 'synced' };
  }

  /** The metadata of what is in the member then; undefined when that is foreign. */
  async #write(wanted: Content, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { copies } = this.#options;
    const ref = refOf(wanted);
    if (copies.store.get(keyOf(ref)) === undefined) {
      const created = await this.#create(wanted, signal);
      if (created !== undefined) return created;
    }
    const actual = await this.#read(ref, signal);
    if (actual === undefined) return this.#createAnew(wanted, signal);
    if (!isOwned(actual, this.#options.member.ownership)) return undefined;
    return this.#change(wanted, actual, signal);
  }

  async #change(wanted: Content, actual: Content, signal: AbortSignal): Promise<KubeObject> {
    const { kind, member, copies } = this.#options;
    const ref = refOf(wanted);
    if (actual.metadata?.deletionTimestamp !== undefined) throw unstable(kind, ref);
    const change = diffCopy(wanted, actual);
    if (change === undefined) {
      copies.assume(actual);
      return actual;
    }
    if (change.kind === 'replace') {
      await this.#delete(ref, actual.metadata?.uid ?? '', signal);
      return this.#createAnew(wanted, signal);
    }
    const options = { fieldManager: FIELD_MANAGER, signal };
    const updated = await member.client.update(metadataOf(kind.type), change.object, options);
    copies.assume(updated);
    return updated;
  }

  async #createAnew(wanted: Content, signal: AbortSignal): Promise<KubeObject> {
    const created = await this.#create(wanted, signal);
    if (created === undefined) throw unstable(this.#options.kind, refOf(wanted));
    return created;
  }

  /** Undefined when there is something of that name. */
  async #create(wanted: Content, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { kind, member, copies } = this.#options;
    try {
      const options = { fieldManager: FIELD_MANAGER, signal };
      const created = await member.client.create(metadataOf(kind.type), wanted, options);
      copies.assume(created);
      return created;
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  async #read(ref: ObjectRef, signal: AbortSignal): Promise<Content | undefined> {
    const { kind, member } = this.#options;
    try {
      return await member.client.get(kind.type, ref, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #delete(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<void> {
    const { kind, member } = this.#options;
    try {
      await member.client.delete(kind.type, ref, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #isForeignThere(key: ObjectKey, signal: AbortSignal): Promise<boolean> {
    const { kind, member, clock } = this.#options;
    if (this.#isRecent(this.#absentInMember.get(key))) return false;
    try {
      const found = await member.client.get(metadataOf(kind.type), splitKey(this.memberKey(key)), { signal });
      return !isOwned(found, member.ownership);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#absentInMember.set(key, clock.monotonic());
      return false;
    }
  }

  #isRecent(at: number | undefined): boolean {
    return at !== undefined && this.#options.clock.monotonic() - at < ABSENCE_MS;
  }
}

function refOf(object: KubeObject): ObjectRef {
  return { namespace: object.metadata?.namespace, name: object.metadata?.name ?? '' };
}

/** Only what admission says is shown: validation may quote what is in the object. */
function whyOf(error: ApiError): string {
  return error.statusCode === 403 ? error.message : error.reason || `HTTP ${error.statusCode}`;
}

function unstable({ word }: CopiedKind, { namespace, name }: ObjectRef): FederationError {
  return new FederationError(
    'API_ERROR',
    `${word} ${namespace ?? ''}/${name} is being deleted or replaced in the member`,
  );
}
