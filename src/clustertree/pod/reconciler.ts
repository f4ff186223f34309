import type { Pod } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isInvalid, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { keyOf, pods, splitKey, type ObjectKey } from '../../kube/resource.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import { DisconnectionWriter } from './disconnection-writer.js';
import { failedStatus, type Failure } from './failed-status.js';
import { MemberPodWriter } from './member-pod-writer.js';
import { mergeStatus } from './status.js';
import { statusPatch } from './status-patch.js';
import { decidePod, type Action, type PodState, type WaitReason } from './verdict.js';
import type { PodReconcilerOptions } from './reconciler-options.js';

/** When a refused pod is looked at again although nothing seems to have changed. */
const REFUSED_RETRY_MS = 60_000;
/** When one that waits for what it needs is, in case that came without being heard of; caches answer most of it. */
const WAITING_RETRY_MS = 10_000;
const UNKNOWN_RETRY_MS = 1_000;
/** A host pod whose node is gone; each look costs a read, and the node's return is heard of. */
const NODE_UNKNOWN_RETRY_MS = 5_000;
const NODE_LEAVING = 'NodeLeaving';
/** A step may lead to another (confirm, then act); more than this in one go is a mistake. */
const MAX_STEPS = 4;

type Deletion = Extract<Action, { kind: 'delete-member' | 'delete-host' }>;
/** A look at one of the API servers, because its cache alone is not trusted. */
type Look = Extract<Action, { kind: 'confirm-orphan' | 'confirm-lost' }>;
/** The end of a reconcile, or what is known now. */
type Step = { readonly result: Result } | { readonly state: PodState };

function isLook(action: Action): action is Look {
  return action.kind === 'confirm-orphan' || action.kind === 'confirm-lost';
}

/** Brings one pod name in one member in step with the host: each reconcile reads the caches, decides, and acts once. */
export class PodReconciler implements Reconciler {
  readonly #options: PodReconcilerOptions;
  readonly #writer: MemberPodWriter;
  readonly #disconnection: DisconnectionWriter;

  constructor(options: PodReconcilerOptions) {
    this.#options = options;
    this.#writer = new MemberPodWriter(options);
    this.#disconnection = new DisconnectionWriter(options);
  }

  async reconcile(key: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    let state = await this.#disconnection.obey(this.#read(key), context.signal);
    if (state.hostPod === undefined) this.#disconnection.forget(key);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const action = decidePod(state);
      const next = isLook(action)
        ? { state: await this.#look(key, state, action, context.signal) }
        : await this.#act(key, state, action, context.signal);
      if ('result' in next) return next.result;
      state = next.state;
    }
    return { requeueAfterMs: UNKNOWN_RETRY_MS };
  }

  #read(key: ObjectKey): PodState {
    const { caches, member, isCurrent } = this.#options;
    const current = isCurrent();
    const hostPod = caches.pods.get(member.config.name, key);
    return {
      identity: member.ownership,
      hostPod,
      memberPod: member.pods.store.get(key),
      hostSynced: current.host,
      memberSynced: current.member,
      onOurNode: hostPod !== undefined,
      namespaceAllowed: this.#isNamespaceAllowed(splitKey(key).namespace ?? '') && this.#isWanted(hostPod),
    };
  }

  #isNamespaceAllowed(name: string): boolean {
    const { caches, namespacePolicy } = this.#options;
    return namespacePolicy.allows(caches.namespaces.get(name), name);
  }

  /** Whether the Cluster still asks for the pod's virtual node; else there are no settings any more to translate by. */
  #isWanted(hostPod: Pod | undefined): boolean {
    const { config, leaving } = this.#options.member;
    return !leaving && config.virtualNodes.some(({ nodeName }) => nodeName === hostPod?.spec?.nodeName);
  }

  async #act(key: ObjectKey, state: PodState, action: Exclude<Action, Look>, signal: AbortSignal): Promise<Step> {
    switch (action.kind) {
      case 'nothing':
        return { result: {} };
      case 'wait':
        return { result: this.#wait(key, action.reason) };
      case 'create':
        return this.#create(state, signal);
      case 'update':
      case 'status':
        return { result: await this.#update(state, action.kind === 'update', signal) };
      case 'delete-member':
      case 'delete-host':
        return { result: await this.#delete(key, action, signal) };
      case 'fail-host':
        return { result: await this.#fail(state, action, signal) };
      case 'foreign':
        this.#warn(state, action.reason, action.message);
        return { result: { requeueAfterMs: REFUSED_RETRY_MS } };
      case 'refuse':
        return { result: this.#refuse(key, state, action) };
    }
  }

  #wait(key: ObjectKey, reason: WaitReason): Result {
    if (reason === 'NodeUnknown') return { requeueAfterMs: NODE_UNKNOWN_RETRY_MS };
    if (reason === 'HostNotSynced' || reason === 'MemberNotSynced') this.#options.onWaiting(key);
    return {};
  }

  #refuse(key: ObjectKey, state: PodState, action: { readonly reason: string; readonly message: string }): Result {
    // A pod may be heard of before the namespace that was made for it; that one's arrival queues the pod again.
    const isKnown = this.#options.caches.namespaces.get(splitKey(key).namespace ?? '') !== undefined;
    if (!isKnown) return { requeueAfterMs: UNKNOWN_RETRY_MS };
    const node = state.hostPod?.spec?.nodeName ?? '';
    if (this.#isWanted(state.hostPod)) this.#warn(state, action.reason, action.message);
    else this.#warn(state, NODE_LEAVING, `Virtual node ${node} takes no new pods: it is about to go.`);
    return { requeueAfterMs: REFUSED_RETRY_MS };
  }

  async #create(state: PodState, signal: AbortSignal): Promise<Step> {
    const hostPod = state.hostPod;
    if (hostPod === undefined) return { result: {} };
    const outcome = await this.#writer.create(hostPod, signal);
    switch (outcome.kind) {
      case 'created':
      case 'refused':
        return { result: {} };
      case 'waiting':
        return { result: { requeueAfterMs: WAITING_RETRY_MS } };
      case 'exists':
        return { state: { ...state, memberPod: outcome.pod, memberLive: true } };
      case 'daemonset':
        return { result: await this.#fail(state, { ...outcome, disruption: false }, signal) };
    }
  }

  async #update(state: PodState, wantsSpec: boolean, signal: AbortSignal): Promise<Result> {
    const { hostPod, memberPod } = state;
    if (hostPod === undefined || memberPod === undefined) return {};
    const withSpec = wantsSpec && this.#isWanted(hostPod);
    const { inStep, current } = withSpec
      ? await this.#writer.update(hostPod, memberPod, signal)
      : { inStep: false, current: memberPod };
    const addresses = this.#options.caches.addressesOf?.(this.#options.member.config.name);
    const wanted = mergeStatus(hostPod, current, { inStep, addresses });
    if (statusPatch(hostPod, wanted) === undefined) return {};
    await this.#writeStatus(hostPod, statusPatch(hostPod, wanted, { memberUid: memberPod.metadata?.uid }), signal);
    return {};
  }

  async #fail(state: PodState, failure: Omit<Failure, 'now'>, signal: AbortSignal): Promise<Result> {
    const { hostPod } = state;
    if (hostPod === undefined) return {};
    this.#warn(state, failure.reason, failure.message);
    const wanted = failedStatus(hostPod, { ...failure, now: this.#options.clock.now() });
    await this.#writeStatus(hostPod, statusPatch(hostPod, wanted), signal);
    return {};
  }

  /** A pod that is gone, or another of its name, is no error: the cache is about to say so. Others are tried again. */
  async #writeStatus(hostPod: Pod, patch: object | undefined, signal: AbortSignal): Promise<void> {
    if (patch === undefined) return;
    const { host, caches } = this.#options;
    const ref = { namespace: hostPod.metadata?.namespace, name: hostPod.metadata?.name ?? '' };
    const options = { type: 'strategic', subresource: 'status', fieldManager: FIELD_MANAGER, signal } as const;
    try {
      caches.pods.assume(await host.patch(pods, ref, patch, options));
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isInvalid(error)) throw error;
      const live = await this.#get(host, keyOf(ref), signal);
      if (live?.metadata?.uid === hostPod.metadata?.uid) throw error;
    }
  }

  async #delete(key: ObjectKey, action: Deletion, signal: AbortSignal): Promise<Result> {
    const { host, member } = this.#options;
    const ofMember = action.kind === 'delete-member';
    const client = ofMember ? member.client : host;
    const gracePeriodSeconds = ofMember ? action.gracePeriodSeconds : 0;
    const { uid } = action;
    try {
      await client.delete(pods, splitKey(key), { preconditions: { uid }, gracePeriodSeconds, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return {};
  }

  async #look(key: ObjectKey, state: PodState, action: Look, signal: AbortSignal): Promise<PodState> {
    const { host, caches, member } = this.#options;
    if (action.kind === 'confirm-lost') {
      return { ...state, memberPod: await this.#get(member.client, key, signal), memberLive: true };
    }
    const hostPod = await this.#get(host, key, signal);
    const onOurNode = caches.pods.hasNode(member.config.name, hostPod?.spec?.nodeName ?? '');
    return { ...state, hostPod, onOurNode, hostLive: true };
  }

  async #get(client: KubeClient, key: ObjectKey, signal: AbortSignal): Promise<Pod | undefined> {
    try {
      return await client.get(pods, splitKey(key), { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #warn(state: PodState, reason: string, message: string): void {
    if (state.hostPod !== undefined) this.#options.events.warn(state.hostPod, reason, message);
  }
}
