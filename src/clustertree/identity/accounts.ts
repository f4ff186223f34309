import type { KubeObject, Pod } from '../../apis/core.js';
import { HOST_UID_ANNOTATION } from '../../apis/names.js';
import type { Informer } from '../../kube/informer.js';
import { keyOf, metadataOf, objectKey, serviceAccounts, type ObjectKey } from '../../kube/resource.js';
import type { Controller, Result } from '../../runtime/controller.js';
import { decideCopy, type CopyState } from '../cluster/copy-verdict.js';
import { LiveUsers } from '../cluster/live-users.js';
import type { Member } from '../cluster/member.js';
import { ownedSelector } from '../cluster/ownership.js';
import { PodIndex } from '../cluster/pod-index.js';
import type { PodRequirements, UnmetNeed } from '../cluster/pod-needs.js';
import { podReferences } from '../cluster/pod-references.js';
import { runSteadily } from '../cluster/steady-controller.js';
import { WaitingKeys } from '../cluster/waiting-keys.js';
import { MemberAccounts } from './member-accounts.js';
import type { IdentityFeatureOptions } from './options.js';

export interface AccountsOptions extends IdentityFeatureOptions {
  readonly member: Member;
}

/** The account of a pod has no content, so the host's own is looked at only when it is made. */
const HOST_ACCOUNT: KubeObject = {};
const UNKNOWN_RETRY_MS = 1_000;

/** The service accounts that we made in one member: their cache, their controller, and what pods ask for. */
export class Accounts {
  readonly accountObjects: Informer<KubeObject>;
  readonly #options: AccountsOptions;
  readonly #accounts: MemberAccounts;
  readonly #index: PodIndex;
  readonly #liveUsers: LiveUsers;
  #controller: Controller | undefined;

  constructor(options: AccountsOptions) {
    const { member, host, hostPods, createInformer } = options;
    this.#options = options;
    const clusterName = member.config.name;
    this.accountObjects = createInformer({
      cluster: clusterName,
      client: member.client,
      type: metadataOf(serviceAccounts),
      labelSelector: ownedSelector(member.ownership),
      transform: trimAccount,
    });
    this.#accounts = new MemberAccounts({ ...options, accountObjects: this.accountObjects });
    this.#index = new PodIndex({ clusterName, hostPods, keysOf, onChange: (key) => this.#controller?.enqueue(key) });
    this.#liveUsers = new LiveUsers({ clusterName, host, hostPods, keysOf });
  }

  /** Keeps the caches warm, on every replica. */
  async run(signal: AbortSignal): Promise<void> {
    const stops = [this.#index.start(), this.#options.member.probe.onReturn(() => this.accountObjects.reconnect())];
    try {
      await this.accountObjects.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { member, createController, clock, random } = this.#options;
    const waiting = new WaitingKeys();
    const reconciler = {
      reconcile: (key: ObjectKey, { signal: term }: { readonly signal: AbortSignal }) =>
        this.#reconcile(key, waiting, term),
    };
    const controller = createController({ name: 'serviceaccount', cluster: member.config.name, reconciler });
    this.#controller = controller;
    const onAccount = (account: KubeObject): void => controller.enqueue(objectKey(account));
    const stop = this.accountObjects.addHandler({ onAdd: onAccount, onDelete: onAccount });
    const isCurrent = (): boolean => this.#isCurrent();
    try {
      await runSteadily({ controller, waiting, isCurrent, clock, random, keys: () => this.#keys() }, signal);
    } finally {
      this.#controller = undefined;
      stop();
    }
  }

  /** Makes the pod's account, or says as an API server would that there is none. */
  async ensure(requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]> {
    const { namespace, serviceAccountName: name } = requirements;
    if (await this.#accounts.ensure(keyOf({ namespace, name }), signal)) return [];
    const message = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
    return [{ reason: 'FailedCreate', message }];
  }

  async #reconcile(key: ObjectKey, waiting: WaitingKeys, signal: AbortSignal): Promise<Result> {
    let action = decideCopy(this.#state(key));
    if (action.kind === 'confirm-unused') {
      const isUsed = await this.#liveUsers.has(key, signal);
      // The cache is about to show the pod.
      if (isUsed) return { requeueAfterMs: UNKNOWN_RETRY_MS };
      action = decideCopy({ ...this.#state(key), unusedLive: true });
    }
    if (action.kind === 'wait') waiting.add(key);
    else if (action.kind === 'remove') await this.#accounts.remove(key, action.uid, signal);
    else if (action.kind === 'sync') await this.#accounts.ensure(key, signal);
    return {};
  }

  #state(key: ObjectKey): CopyState {
    const { member } = this.#options;
    const current = this.#isCurrent();
    const users = this.#index.podsOf(key);
    return {
      ownership: member.ownership,
      hostCurrent: current,
      memberCurrent: current,
      host: HOST_ACCOUNT,
      copy: this.accountObjects.store.get(key),
      isUsed: users.size > 0,
      isWanted: [...users].some((pod) => member.pods.store.get(pod) !== undefined),
    };
  }

  #isCurrent(): boolean {
    const { hostPods, member } = this.#options;
    const { pods, probe, config } = member;
    const isComplete = [this.accountObjects, pods].every(({ hasSynced, connected }) => hasSynced && connected);
    return hostPods.isCurrent(config.name) && isComplete && probe.reachable;
  }

  #keys(): readonly ObjectKey[] {
    this.#index.refreshAll();
    return [...this.#index.keys(), ...this.accountObjects.store.keys()];
  }
}

function keysOf(hostPod: Pod): readonly ObjectKey[] {
  const { serviceAccountName: name } = podReferences(hostPod);
  return [keyOf({ namespace: hostPod.metadata?.namespace, name })];
}

function trimAccount({ metadata = {} }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion, deletionTimestamp, labels, annotations } = metadata;
  const hostUid = annotations?.[HOST_UID_ANNOTATION];
  const kept = hostUid === undefined ? undefined : { [HOST_UID_ANNOTATION]: hostUid };
  return { metadata: { namespace, name, uid, resourceVersion, deletionTimestamp, labels, annotations: kept } };
}
