import type { KubeObject, Pod } from '../../apis/core.js';
import { TOKEN_LABEL } from '../../apis/names.js';
import { ApiError } from '../../kube/api-error.js';
import type { Informer } from '../../kube/informer.js';
import { metadataOf, objectKey, secrets, type ObjectKey } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import type { Controller } from '../../runtime/controller.js';
import { LiveUsers } from '../cluster/live-users.js';
import type { Member } from '../cluster/member.js';
import { ownedSelector } from '../cluster/ownership.js';
import { PodIndex } from '../cluster/pod-index.js';
import type { PodRequirements, UnmetNeed } from '../cluster/pod-needs.js';
import { podReferences } from '../cluster/pod-references.js';
import { runSteadily } from '../cluster/steady-controller.js';
import { complaint } from '../cluster/unmet-needs.js';
import { WaitingKeys } from '../cluster/waiting-keys.js';
import { firstExpiry } from './lifetimes.js';
import { ForeignSecretError, MemberTokens, secretKeyOf } from './member-tokens.js';
import type { IdentityFeatureOptions } from './options.js';
import { TokenReconciler } from './token-reconciler.js';
import { trimTokenSecret, type TokenSecret } from './token-secret.js';

export interface TokensOptions extends IdentityFeatureOptions {
  readonly member: Member;
}

/** Most of a reconcile's time is waiting for API servers, and pods go by the hundred. */
const CONCURRENCY = 32;
const EXPIRY_REPORT_MS = 15_000;
/** HTTP codes by which the host says that the pod can't have the token: no account, no pod, no rights, a bad audience. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 409, 422]);

/** The tokens of host pods in one member: their cache, their controller, and what pods ask for. */
export class Tokens {
  readonly secretObjects: Informer<KubeObject, TokenSecret>;
  readonly #options: TokensOptions;
  readonly #tokens: MemberTokens;
  readonly #index: PodIndex;
  readonly #liveUsers: LiveUsers;
  #controller: Controller | undefined;

  constructor(options: TokensOptions) {
    const { member, host, hostPods, createInformer } = options;
    this.#options = options;
    const clusterName = member.config.name;
    this.secretObjects = createInformer<KubeObject, TokenSecret>({
      cluster: clusterName,
      client: member.client,
      type: metadataOf(secrets),
      labelSelector: `${ownedSelector(member.ownership)},${TOKEN_LABEL}`,
      transform: trimTokenSecret,
    });
    this.#tokens = new MemberTokens({ ...options, secretObjects: this.secretObjects });
    this.#index = new PodIndex({ clusterName, hostPods, keysOf, onChange: (key) => this.#controller?.enqueue(key) });
    this.#liveUsers = new LiveUsers({ clusterName, host, hostPods, keysOf });
  }

  /** Keeps the caches warm, on every replica. */
  async run(signal: AbortSignal): Promise<void> {
    const stops = [this.#index.start(), this.#options.member.probe.onReturn(() => this.secretObjects.reconnect())];
    try {
      await this.secretObjects.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { member, hostPods, createController, clock, random } = this.#options;
    const waiting = new WaitingKeys();
    const isCurrent = (): boolean => this.#isCurrent();
    const reconciler = new TokenReconciler({
      ...{ member, hostPods, isCurrent, secretObjects: this.secretObjects, tokens: this.#tokens },
      podsOf: (key) => this.#index.podsOf(key),
      isUsedLive: (key, term) => this.#liveUsers.has(key, term),
      onWaiting: (key) => waiting.add(key),
    });
    const settings = { name: 'token', cluster: member.config.name, reconciler, concurrency: CONCURRENCY };
    const controller = createController(settings);
    this.#controller = controller;
    const stops = this.#watch(controller);
    try {
      await Promise.all([
        runSteadily({ controller, waiting, isCurrent, clock, random, keys: () => this.#keys() }, signal),
        this.#reportExpiry(signal),
      ]);
    } finally {
      this.#controller = undefined;
      for (const stop of stops) stop();
    }
  }

  /** Issues the pod's tokens, or says as a kubelet would why it can't have them. */
  async ensure(hostPod: Pod, requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]> {
    const [first] = requirements.tokens;
    if (first === undefined) return [];
    try {
      await this.#tokens.ensure(hostPod, signal);
      return [];
    } catch (error) {
      const isRefused = error instanceof ApiError && REFUSALS.has(error.statusCode);
      if (!isRefused && !(error instanceof ForeignSecretError)) throw error;
      return [complaint({ volume: first.volume }, `failed to fetch token: ${errorMessage(error)}`)];
    }
  }

  #isCurrent(): boolean {
    const { hostPods, member } = this.#options;
    const { pods, probe, config } = member;
    const isComplete = [this.secretObjects, pods].every(({ hasSynced, connected }) => hasSynced && connected);
    return hostPods.isCurrent(config.name) && isComplete && probe.reachable;
  }

  #watch(controller: Controller): readonly (() => void)[] {
    const { member, signingKeys } = this.#options;
    const onSecret = (secret: TokenSecret): void => controller.enqueue(objectKey(secret));
    const onPod = (pod: Pod): void => {
      for (const key of this.#index.usedBy(objectKey(pod))) controller.enqueue(key);
    };
    return [
      this.secretObjects.addHandler({
        onAdd: onSecret,
        onUpdate: (_old, secret) => onSecret(secret),
        onDelete: onSecret,
      }),
      member.pods.addHandler({
        onAdd: onPod,
        onUpdate: (old, pod) => {
          if (old.status?.phase !== pod.status?.phase) onPod(pod);
        },
        onDelete: onPod,
      }),
      signingKeys.onChange(() => {
        for (const key of this.#keys()) controller.enqueue(key, { priority: 'low' });
      }),
    ];
  }

  #keys(): readonly ObjectKey[] {
    this.#index.refreshAll();
    return [...this.#index.keys(), ...this.secretObjects.store.keys()];
  }

  /** How long the token that is nearest to its end is still good for. */
  async #reportExpiry(signal: AbortSignal): Promise<void> {
    const { clock, hostClock, onExpiry, member } = this.#options;
    while (!signal.aborted) {
      const ends = this.secretObjects.store.list().flatMap(({ lifetimes }) => firstExpiry(lifetimes) ?? []);
      const now = hostClock.estimate();
      const isKnown = now !== undefined && ends.length > 0;
      onExpiry(member.config.name, isKnown ? Math.min(...ends) - now / 1000 : undefined);
      await clock.sleep(EXPIRY_REPORT_MS, signal).catch(() => undefined);
    }
    onExpiry(member.config.name, undefined);
  }
}

function keysOf(hostPod: Pod): readonly ObjectKey[] {
  return podReferences(hostPod).tokens.length > 0 ? [secretKeyOf(hostPod)] : [];
}
