import type { KubeObject, PersistentVolume } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { claims, splitKey, volumes, type ObjectKey, type ObjectRef, type ResourceType } from '../../kube/resource.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { Member } from '../cluster/member.js';
import { hostUidOf } from '../cluster/ownership.js';
import { policyPatch } from './claim-status.js';
import { boundUidOf, nameOf, uidOf } from './fields.js';
import type { HostStorage } from './host-storage.js';
import { claimKeyOf, memberVolumeName } from './host-volume.js';
import type { MemberStorage } from './member-storage.js';
import { decideVolume, type VolumeAction, type VolumeState } from './volume-verdict.js';

export interface VolumeReconcilerOptions {
  readonly client: KubeClient;
  readonly host: HostStorage;
  readonly member: Member;
  readonly memberStorage: MemberStorage;
  /** Whether the caches of both sides can be acted on. */
  readonly isCurrent: () => boolean;
  readonly events: EventSink<PersistentVolume>;
  readonly onWaiting: (key: ObjectKey) => void;
}

const REPORTED_RETRY_MS = 60_000;

/** Removes volumes of the host, by name, after what they stood for is gone in the member. */
export class VolumeReconciler implements Reconciler {
  readonly #options: VolumeReconcilerOptions;

  constructor(options: VolumeReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(name: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const { host, isCurrent, onWaiting } = this.#options;
    const hostVolume = host.volumes.store.get(name);
    let state = this.#read(hostVolume);
    let action = decideVolume(state);
    if (action.kind === 'confirm' && hostVolume !== undefined) {
      state = { ...state, ...(await this.#look(hostVolume, context.signal)) };
      action = decideVolume(state);
    }
    if (action.kind === 'wait' && !isCurrent()) onWaiting(name);
    return hostVolume === undefined ? {} : this.#act(hostVolume, action, context.signal);
  }

  #read(hostVolume: PersistentVolume | undefined): VolumeState {
    const { member, memberStorage, isCurrent } = this.#options;
    const claim = hostVolume && memberStorage.claims.store.get(claimKeyOf(hostVolume));
    return {
      cluster: member.config.name,
      hostVolume,
      hasMemberClaim: claim !== undefined && hostUidOf(claim) === boundUidOf(hostVolume),
      memberVolume: memberStorage.volumes.store.get(memberVolumeName(hostVolume) ?? ''),
      synced: isCurrent(),
      live: false,
    };
  }

  async #look(
    hostVolume: PersistentVolume,
    signal: AbortSignal,
  ): Promise<Pick<VolumeState, 'hasMemberClaim' | 'memberVolume' | 'live'>> {
    const claim = await this.#find(claims, splitKey(claimKeyOf(hostVolume)), signal);
    const name = memberVolumeName(hostVolume);
    return {
      hasMemberClaim: claim !== undefined && hostUidOf(claim) === boundUidOf(hostVolume),
      memberVolume: name === undefined ? undefined : await this.#find(volumes, { name }, signal),
      live: true,
    };
  }

  async #act(hostVolume: PersistentVolume, action: VolumeAction, signal: AbortSignal): Promise<Result> {
    const { events } = this.#options;
    switch (action.kind) {
      case 'nothing':
      case 'wait':
      case 'confirm':
        return {};
      case 'report':
        events.warn(hostVolume, action.reason, action.message);
        return { requeueAfterMs: REPORTED_RETRY_MS };
      case 'set-policy':
        await this.#setPolicy(action.volume, action.policy, signal);
        return {};
      case 'delete-host-volume':
        await this.#delete(hostVolume, signal);
        return {};
    }
  }

  async #setPolicy(memberVolume: PersistentVolume, policy: string, signal: AbortSignal): Promise<void> {
    const { member, memberStorage } = this.#options;
    const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
    const patch = policyPatch(memberVolume, policy);
    memberStorage.volumes.assume(await member.client.patch(volumes, { name: nameOf(memberVolume) }, patch, options));
  }

  async #delete(hostVolume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const options = { preconditions: { uid: uidOf(hostVolume) }, signal };
    try {
      await this.#options.client.delete(volumes, { name: nameOf(hostVolume) }, options);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #find<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await this.#options.member.client.get(type, ref, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
