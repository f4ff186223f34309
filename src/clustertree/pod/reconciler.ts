import type { Namespace, Node, Pod, Service } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isInvalid, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { pods, splitKey, type ObjectKey } from '../../kube/resource.js';
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
import { decidePod, type Action, type PodState } from './verdict.js';

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
  readonly namespacePolicy: NamespacePolicy;
  readonly events: EventSink<Pod>;
  readonly clock: Clock;
}

/** When a refused pod is looked at again although nothing seems to have changed. */
const REFUSED_RETRY_MS = 60_000;
const UNKNOWN_RETRY_MS = 1_000;
/** A step may lead to another (confirm, then act); more than this in one go is a mistake. */
const MAX_STEPS = 4;

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
    const { member } = this.#options;
    switch (action.kind) {
      case 'nothing':
        return { result: {} };
      case 'wait':
        return { result: action.reason === 'NodeUnknown' ? { requeueAfterMs: UNKNOWN_RETRY_MS } : {} };
      case 'create': {
        const existing = await this.#create(state, signal);
        return existing === undefined ? { result: {} } : { state: { ...state, ...existing } };
      }
      case 'update':
        return { result: await this.#update(state, true, signal) };
      case 'status':
        return { result: await this.#update(state, false, signal) };
      case 'delete-member':
        return { result: await this.#delete(member.client, key, action, signal) };
      case 'delete-host':
        return { result: await this.#delete(this.#options.host, key, { ...action, gracePeriodSeconds: 0 }, signal) };
      case 'confirm-orphan':
        return { state: await this.#readHost(key, state, signal) };
      case 'confirm-lost':
        return { state: { ...state, memberPod: await this.#get(member.client, key, signal), memberLive: true } };
      case 'fail-host':
        return { result: await this.#fail(state, action, signal) };
      case 'foreign':
      case 'refuse':
        this.#warn(state, action.reason, action.message);
        return { result: { requeueAfterMs: REFUSED_RETRY_MS } };
    }
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

  async #update(state: PodState, withSpec: boolean, signal: AbortSignal): Promise<Result> {
    const { hostPod, memberPod } = state;
    if (hostPod === undefined || memberPod === undefined) return {};
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

  /** A pod that is gone, or another of its name, is no error: the cache is about to say so. */
  async #writeStatus(hostPod: Pod, patch: object | undefined, signal: AbortSignal): Promise<void> {
    if (patch === undefined) return;
    const { host, caches } = this.#options;
    const ref = { namespace: hostPod.metadata?.namespace, name: hostPod.metadata?.name ?? '' };
    const options = { type: 'strategic', subresource: 'status', fieldManager: FIELD_MANAGER, signal } as const;
    try {
      caches.pods.assume(await host.patch(pods, ref, patch, options));
    } catch (error) {
      const stale = isNotFound(error) || isConflict(error);
      if (stale) return;
      if (!isInvalid(error)) throw error;
      const live = await this.#get(host, `${ref.namespace ?? ''}/${ref.name}`, signal);
      if (live?.metadata?.uid === hostPod.metadata?.uid) throw error;
    }
  }

  async #delete(
    client: KubeClient,
    key: ObjectKey,
    action: { readonly uid: string; readonly gracePeriodSeconds?: number },
    signal: AbortSignal,
  ): Promise<Result> {
    const { uid, gracePeriodSeconds } = action;
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
