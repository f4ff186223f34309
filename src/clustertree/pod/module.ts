import type { Namespace, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Clock, Random } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Controller } from '../../runtime/controller.js';
import type { EventSink } from '../../runtime/event-sink.js';
import type { HostApiAddress } from '../cluster/host-api.js';
import type { Member, MemberFeature, MemberModule } from '../cluster/member.js';
import { watchMemberEvents } from '../cluster/member-events.js';
import { onCurrent } from '../cluster/on-current.js';
import { WaitingKeys } from '../cluster/waiting-keys.js';
import { EventMirror } from './event-mirror.js';
import { NamespacePolicy } from './namespace-policy.js';
import { PodReconciler } from './reconciler.js';
import type { HostCaches } from './reconciler-options.js';

export interface PodFeatureOptions {
  readonly host: KubeClient;
  /** For mirrored Events, so that they never delay pods. */
  readonly lowPriorityHost: KubeClient;
  readonly caches: HostCaches;
  readonly hostNamespaces: Informer<Namespace>;
  readonly createController: ControllerFactory;
  readonly events: EventSink<Pod>;
  readonly reservedNamespaces: readonly string[];
  /** Where pods of all members reach the host's API server; a Cluster may say otherwise. */
  readonly hostApi?: HostApiAddress | undefined;
  readonly onEventDropped: (cluster: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Reconciles of one member at the same time; nearly all of their time is waiting for API servers. */
const CONCURRENCY = 32;
/** Mirrored Events have a pace; this many at once lets them keep it when the host answers slowly. */
const EVENT_CONCURRENCY = 4;
/** How often every pod is compared again, whatever the watches said. */
const RESYNC_MS = 5 * 60_000;

/** Pods of the host in each member. */
export function createPodFeature(options: PodFeatureOptions): MemberFeature {
  return { name: 'pod', open: (member) => new PodModule(options, member) };
}

class PodModule implements MemberModule {
  /** All caches that it uses are the member connection's. */
  readonly synced = true;
  readonly #options: PodFeatureOptions;
  readonly #member: Member;

  constructor(options: PodFeatureOptions, member: Member) {
    this.#options = options;
    this.#member = member;
  }

  run(): Promise<void> {
    return Promise.resolve();
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { caches, hostNamespaces } = this.#options;
    const member = this.#member;
    const { name } = member.config;
    const waiting = new WaitingKeys();
    const controller = this.#createController(waiting);
    const stops = [
      caches.pods.addListener(name, (key, initial) => controller.enqueue(key, lowIf(initial))),
      member.pods.addHandler({
        onAdd: (pod, initial) => controller.enqueue(objectKey(pod), lowIf(initial)),
        onUpdate: (_old, pod) => controller.enqueue(objectKey(pod)),
        onDelete: (pod) => controller.enqueue(objectKey(pod)),
      }),
      ...member.needs.map((need) => need.onMet((key) => controller.enqueue(key))),
      onCurrent(
        this.#options.clock,
        () => this.#bothCurrent(),
        (became) => {
          for (const key of waiting.take()) controller.enqueue(key);
          if (became) this.#enqueueAll(controller);
        },
      ),
      hostNamespaces.addHandler({
        onAdd: (namespace, initial) => {
          if (!initial) this.#enqueueNamespace(controller, objectKey(namespace));
        },
        onUpdate: (old, namespace) => {
          if (settingsOf(old) !== settingsOf(namespace)) this.#enqueueNamespace(controller, objectKey(namespace));
        },
      }),
    ];
    try {
      await Promise.all([controller.run(signal), this.#mirrorEvents(signal), this.#resync(controller, signal)]);
    } finally {
      for (const stop of stops) stop();
    }
  }

  #createController(waiting: WaitingKeys): Controller {
    const { host, caches, createController, events, reservedNamespaces, hostApi, clock } = this.#options;
    const member = this.#member;
    const reconciler = new PodReconciler({
      ...{ host, caches, member, events, hostApi, clock },
      namespacePolicy: new NamespacePolicy(reservedNamespaces, member.config.namespaceSelector),
      isCurrent: () => this.#isCurrent(),
      onWaiting: (key) => waiting.add(key),
    });
    return createController({ name: 'pod', cluster: member.config.name, reconciler, concurrency: CONCURRENCY });
  }

  #isCurrent(): { host: boolean; member: boolean } {
    const { caches, hostNamespaces } = this.#options;
    const { config, pods, namespaces, probe } = this.#member;
    return {
      host: caches.pods.isCurrent(config.name) && hostNamespaces.hasSynced,
      member: pods.hasSynced && pods.connected && namespaces.hasSynced && probe.reachable,
    };
  }

  #bothCurrent(): boolean {
    const { host, member } = this.#isCurrent();
    return host && member;
  }

  #keys(): Set<ObjectKey> {
    const hostPods = this.#options.caches.pods.list(this.#member.config.name);
    return new Set([...hostPods.map(objectKey), ...this.#member.pods.store.keys()]);
  }

  #enqueueAll(controller: Controller): void {
    for (const key of this.#keys()) controller.enqueue(key, { priority: 'low' });
  }

  #enqueueNamespace(controller: Controller, namespace: string): void {
    for (const key of this.#keys()) {
      if (key.startsWith(`${namespace}/`)) controller.enqueue(key, { priority: 'low' });
    }
  }

  async #resync(controller: Controller, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(RESYNC_MS * (0.9 + 0.2 * random()), signal).catch(() => undefined);
      this.#enqueueAll(controller);
    }
  }

  async #mirrorEvents(signal: AbortSignal): Promise<void> {
    const { lowPriorityHost, caches, createController, onEventDropped } = this.#options;
    const { config, client, logger, pods, probe } = this.#member;
    const mirror = new EventMirror({
      host: lowPriorityHost,
      clusterName: config.name,
      hostPod: (key) => caches.pods.get(config.name, key),
      memberPod: (key) => pods.store.get(key),
      onDropped: () => onEventDropped(config.name),
      clock: this.#options.clock,
    });
    const settings = { name: 'event', cluster: config.name, reconciler: mirror };
    const controller = createController({ ...settings, concurrency: EVENT_CONCURRENCY });
    const watch = watchMemberEvents(
      {
        ...{ client, logger, clock: this.#options.clock, random: this.#options.random },
        about: 'Pod',
        onReturn: (listener) => probe.onReturn(listener),
        onEvent: (event) => {
          const key = mirror.offer(event);
          if (key !== undefined) controller.enqueue(key, lowIf(event.type !== 'Warning'));
        },
      },
      signal,
    );
    await Promise.all([watch, controller.run(signal)]);
  }
}

function lowIf(low: boolean): { priority: 'high' | 'low' } {
  return { priority: low ? 'low' : 'high' };
}

/** What of a namespace decides about pods. */
function settingsOf(namespace: Namespace): string {
  return JSON.stringify([namespace.metadata?.labels, namespace.metadata?.annotations]);
}
