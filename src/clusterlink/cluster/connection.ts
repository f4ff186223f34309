import type { Node } from '../../apis/core.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { RegisteredConnection } from '../../clustertree/cluster/connection-registry.js';
import { informerProblem } from '../../clustertree/cluster/informer-problem.js';
import { ownedSelector, type Ownership } from '../../clustertree/cluster/ownership.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { nodeConfigs } from '../../kube/kosmos-resources.js';
import { nodes } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { AgentLeases } from './agent-leases.js';
import type { LinkConfig } from './link-config.js';
import type { LinkFeature, LinkMember, LinkModule } from './link-member.js';
import { trimLinkNode, type LinkNode } from './link-node.js';
import { REPORTS_ON_INDEX, reportsOn } from './reports-on.js';
import { NetworkSources, type NetworkFacts } from './network-sources.js';
import { Obstacles } from './obstacles.js';

export interface LinkConnectionOptions {
  readonly config: LinkConfig;
  readonly ownership: Ownership;
  readonly client: KubeClient;
  /** Takes over the credential of another kubeconfig for the same server; false when that would not be enough. */
  readonly adopt: (kubeconfig: string) => boolean;
  /** Ends the client's connections; absent when they are not ours alone. */
  readonly closeClient?: () => Promise<void>;
  readonly features: readonly LinkFeature[];
  readonly createInformer: InformerFactory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs what ClusterLink needs of one cluster: caches on every replica, and on the leader its features. */
export class LinkConnection implements RegisteredConnection, LinkMember {
  readonly config: LinkConfig;
  readonly ownership: Ownership;
  readonly client: KubeClient;
  readonly nodes: Informer<Node, LinkNode>;
  readonly nodeConfigs: Informer<NodeConfig>;
  readonly logger: Logger;
  /** Takes over the credential of another kubeconfig; false when only a new connection would do. */
  readonly adopt: (kubeconfig: string) => boolean;
  readonly agents: AgentLeases;
  readonly obstacles = new Obstacles(() => this.#changed());
  readonly #network: NetworkSources;
  readonly #modules: readonly LinkModule[];
  readonly #closeClient: (() => Promise<void>) | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(options: LinkConnectionOptions) {
    const { client, createInformer, config, ownership, clock } = options;
    const cluster = config.name;
    this.config = config;
    this.client = client;
    this.ownership = options.ownership;
    this.adopt = options.adopt;
    this.#closeClient = options.closeClient;
    this.logger = options.logger.child({ cluster });
    this.nodes = createInformer({ cluster, client, type: nodes, transform: trimLinkNode });
    this.nodeConfigs = createInformer({
      ...{ cluster, client, type: nodeConfigs, labelSelector: ownedSelector(options.ownership) },
      indexers: { [REPORTS_ON_INDEX]: reportsOn },
    });
    this.agents = new AgentLeases({ cluster, client, ownership, createInformer, clock });
    this.#network = new NetworkSources({ cluster, client, config, createInformer });
    this.#modules = options.features.map((feature) => feature.open(this));
  }

  get network(): { readonly facts: NetworkFacts } {
    return this.#network;
  }

  /** Whether its nodes and what was planned for them are known. */
  get synced(): boolean {
    return this.nodes.hasSynced && this.nodeConfigs.hasSynced;
  }

  /** Why they can't be known or kept up to date; undefined when they can. */
  get problem(): string | undefined {
    return informerProblem([this.nodes, this.nodeConfigs]);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    const { signal } = this.#stop;
    const changed = (): void => this.#changed();
    const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
    this.nodes.addHandler(handler);
    this.nodeConfigs.addHandler(handler);
    this.#network.onChange(changed);
    for (const cache of [this.nodes, this.nodeConfigs]) cache.onConnectionChange(changed);
    for (const part of [this.nodes, this.nodeConfigs, this.agents, this.#network])
      void this.#track(part.run(signal), signal);
  }

  async lead(leading: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([leading, this.#stop.signal]);
    await Promise.all(this.#modules.map((module) => this.#track(module.lead(signal), signal)));
    this.obstacles.clear();
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the connection to the cluster was closed'));
    await this.#closeClient?.();
    await Promise.all(this.#running);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
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
      if (!signal.aborted) this.logger.error('part of a linked cluster ended', { error: errorMessage(error) });
    }
  }
}
