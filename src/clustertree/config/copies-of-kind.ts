import type { KubeObject } from '../../apis/core.js';
import { HOST_UID_ANNOTATION, TOKEN_LABEL } from '../../apis/names.js';
import type { Informer } from '../../kube/informer.js';
import { keyOf, metadataOf, objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Controller } from '../../runtime/controller.js';
import { LiveUsers } from '../cluster/live-users.js';
import type { Member } from '../cluster/member.js';
import { ownedSelector } from '../cluster/ownership.js';
import { PodIndex } from '../cluster/pod-index.js';
import type { PodRequirements, UnmetNeed } from '../cluster/pod-needs.js';
import { podReferences, type ReferencedObject } from '../cluster/pod-references.js';
import { runSteadily } from '../cluster/steady-controller.js';
import { foreignObject, missingObject, refusedObject } from '../cluster/unmet-needs.js';
import { WaitingKeys } from '../cluster/waiting-keys.js';
import type { CopiedKind } from './kinds.js';
import { MemberCopies } from './member-copies.js';
import type { ConfigFeatureOptions } from './options.js';
import { CopyReconciler } from './reconciler.js';

export interface CopiesOfKindOptions extends Omit<ConfigFeatureOptions, 'hostConfigMaps' | 'hostSecrets'> {
  readonly member: Member;
  readonly kind: CopiedKind;
  /** Metadata of all objects of the kind in the host. */
  readonly hostObjects: Informer<KubeObject>;
}

const CONCURRENCY = 8;

/** The copies of one kind in one member: their caches, their controller, and what pods ask for. */
export class CopiesOfKind {
  /** Metadata of our copies in the member. */
  readonly copyObjects: Informer<KubeObject>;
  readonly #options: CopiesOfKindOptions;
  readonly #copies: MemberCopies;
  readonly #index: PodIndex;
  readonly #liveUsers: LiveUsers;
  readonly #listeners = new Set<(pod: ObjectKey) => void>();
  #controller: Controller | undefined;

  constructor(options: CopiesOfKindOptions) {
    const { kind, member, host, hostPods, hostObjects, contents, createInformer, clock } = options;
    this.#options = options;
    this.copyObjects = createInformer({
      cluster: member.config.name,
      client: member.client,
      type: metadataOf(kind.type),
      labelSelector: `${ownedSelector(member.ownership)},!${TOKEN_LABEL}`,
      transform: trimCopy,
    });
    this.#copies = new MemberCopies({ kind, member, hostObjects, contents, clock, copies: this.copyObjects });
    const clusterName = member.config.name;
    const keysOf = (pod: Parameters<typeof podReferences>[0]): readonly ObjectKey[] =>
      kind.referencesOf(podReferences(pod)).map(({ name }) => keyOf({ namespace: pod.metadata?.namespace, name }));
    this.#index = new PodIndex({ clusterName, hostPods, keysOf, onChange: (key) => this.#controller?.enqueue(key) });
    this.#liveUsers = new LiveUsers({ clusterName, host, hostPods, keysOf });
  }

  /** Keeps the caches warm, on every replica. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#index.start();
    const { probe } = this.#options.member;
    const stopReturn = probe.onReturn(() => this.copyObjects.reconnect());
    try {
      await this.copyObjects.run(signal);
    } finally {
      stop();
      stopReturn();
    }
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { kind, member, hostObjects, createController, clock, random } = this.#options;
    const waiting = new WaitingKeys();
    const reconciler = new CopyReconciler({
      ...{ kind, member, hostObjects, host: this.#options.host },
      copyObjects: this.copyObjects,
      copies: this.#copies,
      usersOf: (key) => this.#index.podsOf(key),
      isUsedLive: (key, term) => this.#liveUsers.has(key, term),
      isCurrent: () => this.#isCurrent(),
      onWaiting: (key) => waiting.add(key),
    });
    const settings = { name: kind.word, cluster: member.config.name, reconciler, concurrency: CONCURRENCY };
    const controller = createController(settings);
    this.#controller = controller;
    const stops = this.#watch(controller);
    const isCurrent = (): boolean => this.#isCurrent().host && this.#isCurrent().member;
    try {
      await runSteadily({ controller, waiting, isCurrent, clock, random, keys: () => this.#keys() }, signal);
    } finally {
      this.#controller = undefined;
      for (const stop of stops) stop();
    }
  }

  /** What of this kind a pod needs and can't have. */
  async ensure(requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]> {
    const references = this.#options.kind.referencesOf(requirements);
    const unmet = references.map((reference) => this.#ensureOne(requirements.namespace, reference, signal));
    return (await Promise.all(unmet)).filter((need) => need !== undefined);
  }

  /** Hears of each host pod that refers to an object which has just appeared. */
  onMet(listener: (pod: ObjectKey) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #ensureOne(
    namespace: string,
    reference: ReferencedObject,
    signal: AbortSignal,
  ): Promise<UnmetNeed | undefined> {
    const { word } = this.#options.kind;
    const { name, optional } = reference;
    const outcome = await this.#copies.ensure(keyOf({ namespace, name }), optional, signal);
    switch (outcome.kind) {
      case 'synced':
        return undefined;
      case 'missing':
        return optional ? undefined : missingObject(word, reference);
      case 'foreign':
        return foreignObject(word, reference, this.#options.member.config.name);
      case 'refused':
        return refusedObject(word, reference, outcome.why);
    }
  }

  #isCurrent(): { host: boolean; member: boolean } {
    const { hostPods, hostObjects, member } = this.#options;
    const { pods, probe, config } = member;
    return {
      host: hostPods.isCurrent(config.name) && hostObjects.hasSynced && hostObjects.connected,
      member: isComplete(this.copyObjects) && isComplete(pods) && probe.reachable,
    };
  }

  #watch(controller: Controller): readonly (() => void)[] {
    const { hostObjects, member } = this.#options;
    const onHost = (object: KubeObject): void => {
      const key = objectKey(object);
      const isKnown = this.#index.podsOf(key).size > 0 || this.copyObjects.store.get(this.#copies.memberKey(key));
      if (isKnown) controller.enqueue(key);
    };
    const onCopy = (copy: KubeObject): void => controller.enqueue(this.#copies.hostKey(objectKey(copy)));
    return [
      hostObjects.addHandler({
        onAdd: (object, initial) => {
          onHost(object);
          if (!initial) this.#appeared(objectKey(object));
        },
        onUpdate: (_old, object) => onHost(object),
        onDelete: onHost,
      }),
      this.copyObjects.addHandler({ onAdd: onCopy, onUpdate: (_old, copy) => onCopy(copy), onDelete: onCopy }),
      // From here on a copy that is deleted in the member has to come back.
      member.pods.addHandler({
        onAdd: (pod) => {
          for (const key of this.#index.usedBy(objectKey(pod))) controller.enqueue(key);
        },
      }),
    ];
  }

  #appeared(key: ObjectKey): void {
    this.#copies.forget(key);
    for (const pod of this.#index.podsOf(key)) {
      if (this.#options.member.pods.store.get(pod) !== undefined) continue;
      for (const listener of this.#listeners) listener(pod);
    }
  }

  #keys(): readonly ObjectKey[] {
    this.#index.refreshAll();
    return [...this.#index.keys(), ...[...this.copyObjects.store.keys()].map((key) => this.#copies.hostKey(key))];
  }
}

function isComplete({ hasSynced, connected }: Pick<Informer<KubeObject>, 'hasSynced' | 'connected'>): boolean {
  return hasSynced && connected;
}

/** What {@link MemberCopies} and the verdict look at. */
function trimCopy({ metadata = {} }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion, deletionTimestamp, labels, annotations } = metadata;
  const hostUid = annotations?.[HOST_UID_ANNOTATION];
  const kept = hostUid === undefined ? undefined : { [HOST_UID_ANNOTATION]: hostUid };
  return { metadata: { namespace, name, uid, resourceVersion, deletionTimestamp, labels, annotations: kept } };
}
