import type { Namespace, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { namespaces, pods } from '../../kube/resource.js';
import type { Clock, Random } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { informerProblem } from './informer-problem.js';
import type { Member, MemberFeature, MemberModule, MemberStreams, ModuleReport, NodeBehind } from './member.js';
import { MemberClasses, type ClassNames } from './member-classes.js';
import { MemberNamespaces, trimNamespace } from './namespaces.js';
import type { ClusterConfig } from './options.js';
import { ownedSelector, type Ownership } from './ownership.js';
import type { PodNeeds } from './pod-needs.js';
import { Probe } from './probe.js';

export interface ConnectionOptions {
  readonly config: ClusterConfig;
  readonly ownership: Ownership;
  readonly client: KubeClient;
  /** Of the same connection as the client. */
  readonly streams: MemberStreams;
  /** For probes alone, so that they never wait behind a burst of pods. */
  readonly probeClient: KubeClient;
  readonly leaving: boolean;
  /** Takes over the credential of another kubeconfig for the same server; false when that would not be enough. */
  readonly adopt: (kubeconfig: string) => boolean;
  readonly features: readonly MemberFeature[];
  /** Keeps of our pods in the member what the features need. */
  readonly trimPod: (pod: Pod) => Pod;
  readonly createInformer: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Runs everything that belongs to one member, from the first probe to the last closed connection. */
export class MemberConnection implements Member {
  readonly config: ClusterConfig;
  readonly ownership: Ownership;
  readonly client: KubeClient;
  readonly streams: MemberStreams;
  readonly probe: Probe;
  readonly pods: Informer<Pod>;
  readonly namespaces: Informer<Namespace>;
  readonly namespaceMaker: MemberNamespaces;
  readonly logger: Logger;
  readonly leaving: boolean;
  /** Takes over the credential of another kubeconfig; false when only a new connection would do. */
  readonly adopt: (kubeconfig: string) => boolean;
  readonly #classes: MemberClasses;
  readonly #listeners = new Set<() => void>();
  readonly #modules: readonly MemberModule[];
  readonly #probeClient: KubeClient;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(options: ConnectionOptions) {
    const { client, clock, random, createInformer, ownership } = options;
    this.config = options.config;
    this.leaving = options.leaving;
    this.adopt = options.adopt;
    this.ownership = ownership;
    this.client = client;
    this.streams = options.streams;
    this.#probeClient = options.probeClient;
    this.logger = options.logger.child({ cluster: options.config.name });
    this.probe = new Probe({ client: options.probeClient, clock, random });
    this.pods = createInformer({
      cluster: options.config.name,
      client,
      type: pods,
      labelSelector: ownedSelector(ownership),
      transform: options.trimPod,
    });
    this.namespaces = createInformer({
      cluster: options.config.name,
      client,
      type: namespaces,
      transform: trimNamespace,
    });
    this.namespaceMaker = new MemberNamespaces({ client, informer: this.namespaces, ownership });
    this.#classes = new MemberClasses(options.config.name, client, createInformer);
    this.#modules = options.features.map((feature) => feature.open(this));
  }

  /** Whether the caches of the member are complete. */
  get synced(): boolean {
    return this.pods.hasSynced && this.namespaces.hasSynced && this.#modules.every((module) => module.synced);
  }

  /** Why the caches can't be filled or kept up to date; undefined when they can. */
  get problem(): string | undefined {
    return informerProblem([this.pods, this.namespaces]) ?? this.#modules.find((module) => module.problem)?.problem;
  }

  get classNames(): ClassNames {
    return this.#classes.names;
  }

  get nodeLabelKeys(): ReadonlySet<string> | undefined {
    return this.#modules.find((module) => module.nodeLabelKeys !== undefined)?.nodeLabelKeys;
  }

  nodesBehind(virtualNode: string): readonly NodeBehind[] | undefined {
    return this.#modules.find((module) => module.nodesBehind !== undefined)?.nodesBehind?.(virtualNode);
  }

  get needs(): readonly PodNeeds[] {
    return this.#modules.flatMap((module) => module.needs ?? []);
  }

  /** What the modules report, put together. */
  get reports(): readonly ModuleReport[] {
    return this.#modules.flatMap((module) => module.report ?? []);
  }

  /** Hears of everything that may change the Cluster's status. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Starts probe, caches and modules; returns at once. */
  start(): void {
    const { signal } = this.#stop;
    this.probe.onResult(() => this.changed());
    this.probe.onReturn(() => {
      this.pods.reconnect();
      this.namespaces.reconnect();
      this.#classes.reconnect();
    });
    // A broken watch is the first sign of an outage; the probe finds out whether it is one.
    this.pods.onConnectionChange((connected) => {
      if (!connected) this.probe.check();
    });
    const work = [this.probe, this.pods, this.namespaces, this.#classes, ...this.#modules];
    for (const part of work) void this.#track(part.run(signal), signal);
  }

  /** Lets the modules write until `leading` is aborted or the connection closes. */
  async lead(leading: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([leading, this.#stop.signal]);
    await Promise.all(this.#modules.map((module) => this.#track(module.lead(signal), signal)));
  }

  /** Stops everything and waits for it. What doesn't hear the signal ends with its connection, however slow the member. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the connection to the member was closed'));
    await Promise.all([this.client.close(), this.#probeClient.close()]);
    await Promise.all(this.#running);
  }

  #track(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const running = this.#guard(work, signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  async #guard(work: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!signal.aborted) this.logger.error('part of a member connection ended', { error: errorMessage(error) });
    }
  }
}
