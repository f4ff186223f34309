import type { Claim, Namespace, PersistentVolume, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import { keyOf, objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Clock, Random } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Controller } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member, MemberFeature, MemberModule } from '../cluster/member.js';
import { watchMemberEvents } from '../cluster/member-events.js';
import { onCurrent } from '../cluster/on-current.js';
import { PodIndex } from '../cluster/pod-index.js';
import type { PodNeeds } from '../cluster/pod-needs.js';
import { podReferences } from '../cluster/pod-references.js';
import { ClaimEvents } from './claim-events.js';
import { ClaimNeeds } from './claim-needs.js';
import { ClaimReconciler } from './claim-reconciler.js';
import { Concerns } from './concerns.js';
import type { HostStorage } from './host-storage.js';
import { claimKeyOf } from './host-volume.js';
import { MemberStorage } from './member-storage.js';
import { VolumeReconciler } from './volume-reconciler.js';

export interface StorageFeatureOptions {
  readonly host: KubeClient;
  readonly hostStorage: HostStorage;
  readonly hostPods: HostPods;
  readonly hostNamespaces: Informer<Namespace>;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly claimEvents: EventSink<Claim>;
  readonly volumeEvents: EventSink<PersistentVolume>;
  readonly podEvents: EventSink<Pod>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const CONCURRENCY = 8;
/** How often everything is compared again, whatever the watches said. */
const RESYNC_MS = 5 * 60_000;

/** Claims and volumes of the host in each member. */
export function createStorageFeature(options: StorageFeatureOptions): MemberFeature {
  return { name: 'storage', open: (member) => new StorageModule(options, member) };
}

class StorageModule implements MemberModule {
  readonly needs: PodNeeds;
  readonly #options: StorageFeatureOptions;
  readonly #member: Member;
  readonly #storage: MemberStorage;
  readonly #users: PodIndex;
  readonly #concerns: Concerns;
  readonly #claims: ClaimReconciler;
  readonly #claimNeeds: ClaimNeeds;
  /** Keys that could not be judged because a cache was not current. */
  readonly #waiting = { claims: new Set<ObjectKey>(), volumes: new Set<ObjectKey>() };
  #enqueueClaim: (key: ObjectKey) => void = () => undefined;

  constructor(options: StorageFeatureOptions, member: Member) {
    const { host, hostStorage, hostPods, hostNamespaces, createInformer, claimEvents } = options;
    this.#options = options;
    this.#member = member;
    this.#storage = new MemberStorage(member, createInformer);
    this.#users = new PodIndex({
      ...{ clusterName: member.config.name, hostPods },
      keysOf: claimKeysOf,
      onChange: (key) => this.#enqueueClaim(key),
    });
    const shared = { host: hostStorage, member, memberStorage: this.#storage, users: this.#users };
    this.#concerns = new Concerns(shared);
    this.#claims = new ClaimReconciler({
      ...shared,
      ...{ client: host, hostPods, hostNamespaces: hostNamespaces.store, events: claimEvents },
      onWaiting: (key) => this.#waiting.claims.add(key),
    });
    this.#claimNeeds = new ClaimNeeds({ hostClaims: hostStorage.claims.store, claims: this.#claims });
    this.needs = this.#claimNeeds;
  }

  get synced(): boolean {
    return this.#storage.synced;
  }

  get problem(): string | undefined {
    return this.#storage.problem;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#member.probe.onReturn(() => this.#storage.reconnect());
    try {
      await this.#storage.run(signal);
    } finally {
      stop();
    }
  }

  async lead(signal: AbortSignal): Promise<void> {
    const claimController = this.#createController('claim', this.#claims);
    const volumeController = this.#createController('volume', this.#volumeReconciler());
    this.#enqueueClaim = (key) => claimController.enqueue(key);
    const stops = [
      ...this.#watch(claimController, volumeController),
      this.#users.start(),
      onCurrent(
        this.#options.clock,
        () => this.#claims.isCurrent,
        (became) => {
          for (const key of take(this.#waiting.claims)) claimController.enqueue(key);
          for (const key of take(this.#waiting.volumes)) volumeController.enqueue(key);
          if (became) this.#enqueueAll(claimController, volumeController);
        },
      ),
    ];
    try {
      await Promise.all([
        claimController.run(signal),
        volumeController.run(signal),
        this.#mirrorEvents(signal),
        this.#resync(claimController, volumeController, signal),
      ]);
    } finally {
      this.#enqueueClaim = () => undefined;
      for (const stop of stops) stop();
    }
  }

  #createController(name: string, reconciler: ClaimReconciler | VolumeReconciler): Controller {
    const cluster = this.#member.config.name;
    return this.#options.createController({ name, cluster, reconciler, concurrency: CONCURRENCY });
  }

  #volumeReconciler(): VolumeReconciler {
    const { host, hostStorage, volumeEvents } = this.#options;
    return new VolumeReconciler({
      ...{ client: host, host: hostStorage, member: this.#member, memberStorage: this.#storage, events: volumeEvents },
      isCurrent: () => this.#claims.isCurrent,
      onWaiting: (key) => this.#waiting.volumes.add(key),
    });
  }

  /** Has everything looked at that a change may concern, and tells pods that wait. */
  #watch(claimController: Controller, volumeController: Controller): (() => void)[] {
    const { hostStorage } = this.#options;
    const { claims, volumes, classes } = this.#storage;
    const claimChanged = (key: ObjectKey): void => {
      claimController.enqueue(key);
      this.#claimNeeds.changed(key);
    };
    const hostClaimChanged = (claim: Claim): void => {
      if (this.#concerns.hasClaim(claim)) claimChanged(objectKey(claim));
    };
    const hostVolumeChanged = (volume: PersistentVolume): void => {
      if (!this.#concerns.hasVolume(volume)) return;
      volumeController.enqueue(objectKey(volume));
      if (volume.spec?.claimRef !== undefined) claimChanged(claimKeyOf(volume));
    };
    const memberClaimChanged = (claim: Claim): void => {
      claimChanged(objectKey(claim));
      for (const name of this.#concerns.volumesOf(claim)) volumeController.enqueue(name);
    };
    const memberVolumeChanged = (volume: PersistentVolume): void => {
      const key = this.#concerns.claimOf(volume);
      if (key !== undefined) claimChanged(key);
      for (const name of this.#concerns.volumesFor(volume)) volumeController.enqueue(name);
    };
    const classAdded = { onAdd: () => this.#enqueueClaims(claimController) };
    return [
      hostStorage.claims.addHandler(always(hostClaimChanged)),
      hostStorage.volumes.addHandler(always(hostVolumeChanged)),
      hostStorage.classes.addHandler(classAdded),
      claims.addHandler(always(memberClaimChanged)),
      volumes.addHandler(always(memberVolumeChanged)),
      classes.addHandler(classAdded),
    ];
  }

  #enqueueClaims(controller: Controller): void {
    for (const key of this.#concerns.claims()) controller.enqueue(key, { priority: 'low' });
  }

  #enqueueAll(claimController: Controller, volumeController: Controller): void {
    this.#users.refreshAll();
    this.#enqueueClaims(claimController);
    for (const name of this.#concerns.volumes()) volumeController.enqueue(name, { priority: 'low' });
  }

  async #resync(claimController: Controller, volumeController: Controller, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(RESYNC_MS * (0.9 + 0.2 * random()), signal).catch(() => undefined);
      this.#enqueueAll(claimController, volumeController);
    }
  }

  async #mirrorEvents(signal: AbortSignal): Promise<void> {
    const { hostStorage, hostPods, claimEvents, podEvents, clock, random } = this.#options;
    const { config, client, logger, probe } = this.#member;
    const mirror = new ClaimEvents({
      clusterName: config.name,
      memberClaims: this.#storage.claims.store,
      hostClaims: hostStorage.claims.store,
      podsOf: (key) => [...this.#users.podsOf(key)].flatMap((pod) => hostPods.get(config.name, pod) ?? []),
      claimSink: claimEvents,
      podSink: podEvents,
    });
    const watch = {
      ...{ client, logger, clock, random },
      about: 'PersistentVolumeClaim',
      onReturn: (listener: () => void) => probe.onReturn(listener),
      onEvent: mirror.offer.bind(mirror),
    } as const;
    await watchMemberEvents(watch, signal);
  }
}

/** A pod that has ended uses its claims no longer. */
function claimKeysOf(pod: Pod): readonly ObjectKey[] {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return [];
  const { namespace } = pod.metadata ?? {};
  return podReferences(pod).claims.map(({ claimName: name }) => keyOf({ namespace, name }));
}

function always<T>(changed: (object: T) => void): {
  onAdd: (object: T) => void;
  onUpdate: (old: T, object: T) => void;
  onDelete: (old: T) => void;
} {
  return { onAdd: changed, onUpdate: (_old, object) => changed(object), onDelete: changed };
}

function take(keys: Set<ObjectKey>): readonly ObjectKey[] {
  const taken = [...keys];
  keys.clear();
  return taken;
}
