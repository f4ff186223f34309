import type { Namespace, Node, Pod, Service } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isInvalid, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { keyOf, pods, splitKey, type ObjectKey } from '../../kube/resource.js';
import type { Store } from '../../kube/store.js';
import type { Clock } from '../../lib/clock.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member } from '../cluster/member.js';
import { DisconnectionWriter } from './disconnection-writer.js';
import { failedStatus, type Failure } from './failed-status.js';
import { MemberPodWriter } from './member-pod-writer.js';
import type { NamespacePolicy } from './namespace-policy.js';
import { mergeStatus } from './status.js';
import { statusPatch } from './status-patch.js';
import { decidePod, type Action, type PodState, type WaitReason } from './verdict.js';

/** What pods need to know of the host beside themselves. */
export interface HostCaches {
  readonly pods: HostPods;
  readonly nodes: Store<Node>;
  readonly namespaces: Store<Namespace>;
  /** Services of a namespace, for the environment of its pods. */
  readonly servicesIn: (namespace: string) => readonly Service[];
}

export interface PodReconcilerOptions {
  readonly host: KubeClient;
  readonly caches: HostCaches;
  readonly member: Member;
  /** Whether the caches of both sides can be acted on. */
  readonly isCurrent: () => { readonly host: boolean; readonly member: boolean };
  /** Called with a key that can't be judged before that changes; it is to be queued again then. */
  readonly onWaiting: (key: ObjectKey) => void;
  readonly namespacePolicy: NamespacePolicy;
  readonly events: EventSink<Pod>;
  readonly clock: Clock;
}

/** When a refused pod is looked at again although nothing seems to have changed. */
const REFUSED_RETRY_MS = 60_000;
const UNKNOWN_RETRY_MS = 1_000;
/** A host pod whose node is gone; each look costs a read, and the node's return is heard of. */
const NODE_UNKNOWN_RETRY_MS = 5_000;
/** A step may lead to another (confirm, then act); more than this in one go is a mistake. */
const MAX_STEPS = 4;

type Deletion = Extract<Action, { kind: 'delete-member' | 'delete-host' }>;

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
      const next = await this.#act(key, state, decidePod(state), context.signal);
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
      namespaceAllowed: this.#isNamespaceAllowed(splitKey(key).namespace ?? ''),
    };
  }

  #isNamespaceAllowed(name: string): boolean {
    const { caches, namespacePolicy, member } = this.#options;
    return !member.leaving && namespacePolicy.allows(caches.namespaces.get(name), name);
  }

  async #act(
    key: ObjectKey,
    state: PodState,
    action: Action,
    signal: AbortSignal,
  ): Promise<{ readonly result: Result } | { readonly state: PodState }> {
    switch (action.kind) {
      case 'nothing':
        return { result: {} };
      case 'wait':
        return { result: this.#wait(key, action.reason) };
      case 'create': {
        const existing = await this.#create(state, signal);
        return existing === undefined ? { result: {} } : { state: { ...state, ...existing } };
      }
      case 'update':
      case 'status':
        return { result: await this.#update(state, action.kind === 'update', signal) };
      case 'delete-member':
      case 'delete-host':
        return { result: await this.#delete(key, action, signal) };
      case 'confirm-orphan':
        return { state: await this.#readHost(key, state, signal) };
      case 'confirm-lost':
        return { state: await this.#readMember(key, state, signal) };
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
    const { caches, member } = this.#options;
    // A pod may be heard of before the namespace that was made for it; that one's arrival queues the pod again.
    if (caches.namespaces.get(splitKey(key).namespace ?? '') === undefined) return { requeueAfterMs: UNKNOWN_RETRY_MS };
    if (member.leaving)
      this.#warn(state, 'ClusterLeaving', `Member cluster ${member.config.name} takes no new pods: it is leaving.`);
    else this.#warn(state, action.reason, action.message);
    return { requeueAfterMs: REFUSED_RETRY_MS };
  }

  /** Undefined when the pod was made or can't be; else what already has its name in the member. */
  async #create(state: PodState, signal: AbortSignal): Promise<Partial<PodState> | undefined> {
    const hostPod = state.hostPod;
    if (hostPod === undefined) return undefined;
    const outcome = await this.#writer.create(hostPod, signal);
    switch (outcome.kind) {
      case 'created':
      case 'refused':
        return undefined;
      case 'exists':
        return { memberPod: outcome.pod, memberLive: true };
      case 'daemonset':
        await this.#fail(state, { ...outcome, disruption: false }, signal);
        return undefined;
    }
  }

  async #update(state: PodState, wantsSpec: boolean, signal: AbortSignal): Promise<Result> {
    const { hostPod, memberPod } = state;
    if (hostPod === undefined || memberPod === undefined) return {};
    // A cluster that leaves has no settings any more to translate by.
    const withSpec = wantsSpec && !this.#options.member.leaving;
    const { inStep, current } = withSpec
      ? await this.#writer.update(hostPod, memberPod, signal)
      : { inStep: false, current: memberPod };
    const wanted = mergeStatus(hostPod, current, { inStep });
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

  async #readHost(key: ObjectKey, state: PodState, signal: AbortSignal): Promise<PodState> {
    const { host, caches, member } = this.#options;
    const hostPod = await this.#get(host, key, signal);
    const onOurNode = caches.pods.hasNode(member.config.name, hostPod?.spec?.nodeName ?? '');
    return { ...state, hostPod, onOurNode, hostLive: true };
  }

  async #readMember(key: ObjectKey, state: PodState, signal: AbortSignal): Promise<PodState> {
    return { ...state, memberPod: await this.#get(this.#options.member.client, key, signal), memberLive: true };
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
