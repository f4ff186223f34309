import type { KubeObject, Namespace, Node, Pod } from '../../src/apis/core.js';
import type { Cluster } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import {
  HOST_UID_ANNOTATION,
  NODE_CLUSTER_ANNOTATION,
  NODE_LABEL,
  NODE_MANAGED_ANNOTATION,
  OWNER_LABEL,
  POD_LABEL,
} from '../../src/apis/names.js';
import type { Member } from '../../src/clustertree/cluster/member.js';
import { MemberNamespaces, trimNamespace } from '../../src/clustertree/cluster/namespaces.js';
import { compileCluster, type ClusterConfig } from '../../src/clustertree/cluster/options.js';
import { ownershipLabels, ownershipOf, type Ownership } from '../../src/clustertree/cluster/ownership.js';
import type { Probe, ProbeResult } from '../../src/clustertree/cluster/probe.js';
import { ApiError } from '../../src/kube/api-error.js';
import { createInformerFactory, type InformerFactory } from '../../src/kube/informer-factory.js';
import type { Informer, InformerOptions } from '../../src/kube/informer.js';
import { namespaces, nodes, pods } from '../../src/kube/resource.js';
import type { LogFields, Logger } from '../../src/lib/logger.js';
import { createControllerFactory, type ControllerFactory } from '../../src/runtime/controller-factory.js';
import type { EventSink } from '../../src/runtime/event-sink.js';
import { FakeClock, settle } from './fake-clock.js';
import { FakeKubeClient } from './fake-kube-client.js';
import { FakeStreams } from './fake-streams.js';

export const CLUSTER = 'member1';
export const HOST_UID = 'host-cluster-uid';
export const OWNERSHIP: Ownership = ownershipOf(HOST_UID, CLUSTER);

/** A Cluster object; parts replace whole fields. */
export function clusterObject(
  parts: { metadata?: Cluster['metadata']; spec?: Partial<Cluster['spec']> } = {},
): Cluster {
  const kubeconfig = Buffer.from('kubeconfig of member1').toString('base64');
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: CLUSTER, uid: 'cluster-uid', generation: 1, ...parts.metadata },
    spec: { kubeconfig, ...parts.spec },
  };
}

export function clusterConfig(parts: Parameters<typeof clusterObject>[0] = {}): ClusterConfig {
  return compileCluster(clusterObject(parts));
}

/** A virtual node as the host has it. */
export function virtualNode(name: string, cluster = CLUSTER, more: Partial<Node> = {}): Node {
  return {
    ...more,
    metadata: {
      name,
      labels: { [NODE_LABEL]: 'true' },
      annotations: { [NODE_CLUSTER_ANNOTATION]: cluster, [NODE_MANAGED_ANNOTATION]: '{}' },
      ...more.metadata,
    },
  };
}

/** A namespace in the member that the Cluster made for a host namespace. */
export function ownNamespace(name: string, more: Namespace['metadata'] = {}): Namespace {
  return {
    metadata: { name, labels: ownershipLabels(OWNERSHIP), annotations: { [HOST_UID_ANNOTATION]: 'ns-uid' }, ...more },
  };
}

/** A pod in the member that the Cluster made for a host pod. */
export function ownPod(key: string, hostUid: string, more: Partial<Pod> = {}): Pod {
  const [namespace = '', name = ''] = key.split('/');
  return {
    spec: { nodeName: 'n1', containers: [{ name: 'app', image: 'app:1' }] },
    ...more,
    metadata: {
      ...{ namespace, name, generation: 1 },
      labels: { ...ownershipLabels(OWNERSHIP), [POD_LABEL]: 'true' },
      annotations: { [HOST_UID_ANNOTATION]: hostUid },
      ...more.metadata,
    },
  };
}

export function apiError(code: number, reason: string, message = reason): ApiError {
  return new ApiError({ code, reason, message });
}

/** A probe that finds what the test says. */
export class FakeProbe {
  result: ProbeResult | undefined = { reachable: true, version: 'v1.36.3' };
  readonly #listeners = new Set<(result: ProbeResult) => void>();
  readonly #returnListeners = new Set<() => void>();

  get reachable(): boolean {
    return this.result?.reachable === true;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onReturn(listener: () => void): () => void {
    this.#returnListeners.add(listener);
    return () => this.#returnListeners.delete(listener);
  }

  onResult(listener: (result: ProbeResult) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  found(reachable: boolean): void {
    const failure = { reachable: false, version: undefined, reason: 'ConnectionFailed', message: 'refused' } as const;
    const isBack = reachable && !this.reachable;
    this.result = reachable ? { reachable, version: 'v1.36.3' } : failure;
    if (isBack) for (const listener of [...this.#returnListeners]) listener();
    for (const listener of [...this.#listeners]) listener(this.result);
  }
}

/** A host and a member in memory, a clock that stands still, and what ClusterTree's parts need of both. */
export class MemberHarness {
  readonly clock = new FakeClock();
  readonly host = new FakeKubeClient({ clock: this.clock });
  /** The member's API server. */
  readonly client = new FakeKubeClient({ clock: this.clock });
  readonly probe = new FakeProbe();
  readonly streams = new FakeStreams();
  readonly stop = new AbortController();
  /** `name Reason: message` of each Event. */
  readonly warnings: string[] = [];
  readonly logs: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  /** Calls of `member.changed`. */
  changes = 0;
  readonly logger: Logger;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly events: EventSink<KubeObject> = {
    warn: (object, reason, message) => this.warnings.push(`${object.metadata?.name ?? ''} ${reason}: ${message}`),
  };
  readonly #running: Promise<unknown>[] = [];

  constructor() {
    const write =
      (level: string) =>
      (message: string, fields: LogFields = {}) =>
        void this.logs.push({ level, message, fields });
    this.logger = {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: () => this.logger,
    };
    const { clock, logger } = this;
    this.createInformer = createInformerFactory({ clock, logger, random: () => 0.5 });
    this.createController = createControllerFactory({ clock, logger });
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  get context(): { readonly signal: AbortSignal; readonly attempt: number } {
    return { signal: this.signal, attempt: 1 };
  }

  /** Runs something until the end of the test. */
  track(work: Promise<unknown>): void {
    this.#running.push(work);
  }

  /** An informer that runs until the end of the test. */
  watch<T extends KubeObject>(
    client: FakeKubeClient,
    type: InformerOptions<T, T>['type'],
    options: Partial<InformerOptions<T, T>> = {},
  ): Informer<T> {
    const informer = this.createInformer<T>({ client, type, ...options });
    this.track(informer.run(this.signal));
    return informer;
  }

  hostNodes(): Informer<Node> {
    return this.watch(this.host, nodes, { labelSelector: `${NODE_LABEL}=true` });
  }

  /** The member as features see it, its caches running. */
  member(more: Partial<Member> = {}): Member {
    const informer = this.watch(this.client, namespaces, { transform: trimNamespace });
    const { client, logger, streams } = this;
    return {
      ...{ client, logger, streams, ownership: OWNERSHIP, leaving: false, config: clusterConfig() },
      probe: this.probe as unknown as Probe,
      needs: [],
      pods: this.watch(client, pods, { labelSelector: `${OWNER_LABEL}=${OWNERSHIP.owner}` }),
      namespaces: informer,
      namespaceMaker: new MemberNamespaces({ client, informer, ownership: OWNERSHIP }),
      changed: () => {
        this.changes += 1;
      },
      ...more,
    };
  }

  /** Ends everything, and fails when something doesn't end or leaves a timer behind. */
  async end(): Promise<void> {
    this.stop.abort(new Error('the test has ended'));
    await this.clock.advance(0);
    await Promise.all(this.#running);
    if (this.clock.pendingTimers > 0) throw new Error(`${this.clock.pendingTimers} timers are left`);
  }

  async settle(times = 1): Promise<void> {
    for (let i = 0; i < times; i += 1) await settle();
  }
}
