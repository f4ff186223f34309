import type { Claim, KubeObject, Namespace, PersistentVolume } from '../../apis/core.js';
import { FIELD_MANAGER, SELECTED_NODE_ANNOTATION } from '../../apis/names.js';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { claims, keyOf, objectKey, splitKey, volumes, type ObjectRef, type ResourceType } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import { FederationError } from '../../lib/errors.js';
import type { Member } from '../cluster/member.js';
import type { ClaimAction } from './claim-action.js';
import type { LiveClaim } from './claim-reader.js';
import type { ClaimState } from './claim-state.js';
import { boundVolume, hostStatusPatch, hostVolumePatch, policyPatch, wantedPolicy } from './claim-status.js';
import { annotationOf, nameOf, policyOf } from './fields.js';
import type { HostStorage } from './host-storage.js';
import { desiredHostVolume, nodeOf } from './host-volume.js';
import { desiredMemberClaim, memberClaimPatch } from './member-claim.js';
import type { MemberStorage } from './member-storage.js';
import { copyVolumePatch, COPY_MARK, desiredCopyVolume, isCopy, ownersPatch } from './one-way.js';

export interface ClaimWriterOptions {
  readonly client: KubeClient;
  readonly host: HostStorage;
  readonly hostNamespaces: Store<Namespace>;
  readonly member: Member;
  readonly memberStorage: MemberStorage;
}

/** Where an object is patched, and the cache that learns of it. */
interface Target<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly cache: Pick<Informer<T>, 'assume'>;
  readonly subresource?: string;
}

type Writing = Exclude<ClaimAction['kind'], 'nothing' | 'wait' | 'report' | 'confirm-host' | 'confirm-volume'>;
export type WriteAction = Extract<ClaimAction, { kind: Writing }>;

/** Does what was decided about a claim. Every write states the UID that it means; the caches learn of its result. */
export class ClaimWriter {
  readonly #options: ClaimWriterOptions;

  constructor(options: ClaimWriterOptions) {
    this.#options = options;
  }

  /** What was learned about objects that stood in the way. Throws what is worth another try, and what was refused. */
  async write(state: ClaimState, action: WriteAction, signal: AbortSignal): Promise<LiveClaim> {
    switch (action.kind) {
      case 'create-host-volume':
        await this.#createHostVolume(state, action, signal);
        return {};
      case 'create-member-claim':
        return this.#createMemberClaim(state, action, signal);
      case 'create-copy-volume':
        return this.#createCopyVolume(action.hostVolume, signal);
      case 'sync':
        await this.#sync(state, signal);
        return {};
      case 'release-volume':
        await this.#patch(this.#memberVolumes, action.volume, releasePatch(action.volume, state.hostClaim), signal);
        return {};
      case 'set-policy':
        await this.#patch(this.#memberVolumes, action.volume, policyPatch(action.volume, action.policy), signal);
        return {};
      case 'set-owner': {
        const patch = ownersPatch(action.hostVolume, state.ownership.clusterName, action.uses);
        await this.#patch(this.#hostVolumes, action.hostVolume, patch, signal);
        return {};
      }
      case 'reject':
        await this.#reject(state.hostClaim, signal);
        return {};
      case 'delete-member-claim':
        await this.#delete(claims, refOf(state.memberClaim), action.uid, signal);
        return {};
      case 'delete-copy-volume':
        await this.#delete(volumes, { name: action.name }, action.uid, signal);
        return {};
    }
  }

  get #memberClaims(): Target<Claim> {
    return { client: this.#options.member.client, type: claims, cache: this.#options.memberStorage.claims };
  }

  get #memberVolumes(): Target<PersistentVolume> {
    return { client: this.#options.member.client, type: volumes, cache: this.#options.memberStorage.volumes };
  }

  get #hostVolumes(): Target<PersistentVolume> {
    return { client: this.#options.client, type: volumes, cache: this.#options.host.volumes };
  }

  async #createHostVolume(
    { hostClaim, hostClass, ownership }: ClaimState,
    { node, memberVolume }: Extract<WriteAction, { kind: 'create-host-volume' }>,
    signal: AbortSignal,
  ): Promise<void> {
    if (hostClaim === undefined || hostClass === undefined) return;
    const wanted = desiredHostVolume({ hostClaim, hostClass, cluster: ownership.clusterName, node, memberVolume });
    try {
      const options = { fieldManager: FIELD_MANAGER, signal } as const;
      this.#options.host.volumes.assume(await this.#options.client.create(volumes, wanted, options));
    } catch (error) {
      // Made for this very claim, by an earlier try or for another member that was chosen before; the cache will tell.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #createMemberClaim(
    state: ClaimState,
    { memberClass, volumeName }: Extract<WriteAction, { kind: 'create-member-claim' }>,
    signal: AbortSignal,
  ): Promise<LiveClaim> {
    const { member, memberStorage } = this.#options;
    const { hostClaim, hostVolume, ownership } = state;
    if (hostClaim === undefined) return {};
    await this.#ensureNamespace(hostClaim, signal);
    const isOneWay = volumeName !== undefined && volumeName === nameOf(hostVolume);
    const wanted = desiredMemberClaim({
      ...{ hostClaim, ownership, memberClass, volumeName },
      policy: isOneWay ? undefined : policyOf(hostVolume),
      memberNode: this.#memberNode(state),
      annotations: isOneWay ? COPY_MARK : undefined,
    });
    try {
      const options = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', signal } as const;
      memberStorage.claims.assume(await member.client.create(claims, wanted, options));
      return {};
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return { memberClaim: await this.#read(this.#memberClaims, refOf(hostClaim), signal) };
    }
  }

  async #ensureNamespace(hostClaim: Claim, signal: AbortSignal): Promise<void> {
    const { member, hostNamespaces } = this.#options;
    const { namespace = '' } = hostClaim.metadata ?? {};
    const hostNamespace = hostNamespaces.get(namespace);
    if (hostNamespace === undefined) throw new FederationError('API_ERROR', `namespace ${namespace} is not known yet`);
    await member.namespaceMaker.ensure(hostNamespace, signal);
  }

  /** In node mode pods go past the member's scheduler, which would choose the node for the claim. */
  #memberNode({ hostClaim, hostVolume }: ClaimState): string | undefined {
    const node = (hostVolume && nodeOf(hostVolume)) ?? annotationOf(hostClaim, SELECTED_NODE_ANNOTATION);
    const spec = this.#options.member.config.virtualNodes.find(({ nodeName }) => nodeName === node);
    return spec?.mode === 'node' ? spec.memberNodeName : undefined;
  }

  async #createCopyVolume(hostVolume: PersistentVolume, signal: AbortSignal): Promise<LiveClaim> {
    const { member, memberStorage } = this.#options;
    const wanted = desiredCopyVolume(hostVolume, member.ownership);
    try {
      const options = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', signal } as const;
      memberStorage.volumes.assume(await member.client.create(volumes, wanted, options));
      return {};
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return { memberVolume: await this.#read(this.#memberVolumes, refOf(hostVolume), signal) };
    }
  }

  async #sync(state: ClaimState, signal: AbortSignal): Promise<void> {
    const { hostClaim, hostVolume, memberClaim, memberVolume } = state;
    if (hostClaim === undefined || hostVolume === undefined || memberClaim === undefined) return;
    if (isCopy(memberClaim)) {
      const patch = memberVolume && copyVolumePatch(hostVolume, memberVolume);
      if (memberVolume !== undefined) await this.#patch(this.#memberVolumes, memberVolume, patch, signal);
      return;
    }
    const volume = boundVolume(memberClaim, memberVolume);
    const policy = wantedPolicy(hostVolume, volume);
    if (volume !== undefined) {
      await this.#patch(this.#hostVolumes, hostVolume, hostVolumePatch(hostVolume, volume), signal);
      await this.#patch(this.#memberVolumes, volume, policyPatch(volume, policy), signal);
    }
    const ofStatus = { ...this.#hostClaims, subresource: 'status' };
    await this.#patch(ofStatus, hostClaim, hostStatusPatch(hostClaim, memberClaim), signal);
    await this.#patch(this.#memberClaims, memberClaim, memberClaimPatch(hostClaim, memberClaim, policy), signal);
  }

  get #hostClaims(): Target<Claim> {
    return { client: this.#options.client, type: claims, cache: this.#options.host.claims };
  }

  /** As Kubernetes' provisioners tell the scheduler that a node won't do. */
  async #reject(hostClaim: Claim | undefined, signal: AbortSignal): Promise<void> {
    if (hostClaim === undefined) return;
    const { uid, resourceVersion } = hostClaim.metadata ?? {};
    const patch = { metadata: { uid, resourceVersion, annotations: { [SELECTED_NODE_ANNOTATION]: null } } };
    try {
      await this.#patch(this.#hostClaims, hostClaim, patch, signal);
    } catch (error) {
      // It has changed, so it will be looked at again.
      if (!isConflict(error)) throw error;
    }
  }

  /** Merge patch with the UID in it. An object that is gone, or another of its name by now, is left to the next look. */
  async #patch<T extends KubeObject>(
    { client, type, cache, subresource }: Target<T>,
    object: T,
    patch: object | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (patch === undefined) return;
    const options = { type: 'merge', fieldManager: FIELD_MANAGER, subresource, signal } as const;
    try {
      cache.assume(await client.patch(type, refOf(object), patch, options));
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isInvalid(error)) throw error;
      const live = await this.#read({ client, type }, refOf(object), signal);
      if (live?.metadata?.uid === object.metadata?.uid) throw error;
    }
  }

  async #delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    uid: string,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#options.member.client.delete(type, ref, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #read<T extends KubeObject>(
    { client, type }: Pick<Target<T>, 'client' | 'type'>,
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<T | null> {
    try {
      return await client.get(type, ref, { signal });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }
}

/** Makes a volume free for the claim: as an administrator does by hand. */
function releasePatch({ metadata }: PersistentVolume, hostClaim: Claim | undefined): object {
  const { namespace, name } = splitKey(hostClaim === undefined ? keyOf({ name: '' }) : objectKey(hostClaim));
  const { uid, resourceVersion } = metadata ?? {};
  const claimRef = { namespace, name, uid: null, resourceVersion: null };
  return { metadata: { uid, resourceVersion }, spec: { claimRef } };
}

function refOf(object: KubeObject | undefined): ObjectRef {
  return { namespace: object?.metadata?.namespace, name: object?.metadata?.name ?? '' };
}
