import type { ClusterNode } from '../apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../apis/kosmos/v1alpha1/node-config.js';
import { LinkConnection } from '../clusterlink/cluster/connection.js';
import { LinkConnections, LinkRegistry } from '../clusterlink/cluster/link-registry.js';
import type { LinkConfig } from '../clusterlink/cluster/link-config.js';
import type { LinkFeature, LinkMember } from '../clusterlink/cluster/link-member.js';
import { reportsFrom } from '../clusterlink/cluster/reports-on.js';
import { LinkController } from '../clusterlink/collector/link-controller.js';
import { createNodeCollector } from '../clusterlink/collector/node-collector.js';
import { createPoolCollector } from '../clusterlink/collector/pool-collector.js';
import { createDelivery } from '../clusterlink/delivery/delivery.js';
import { NetworkManager } from '../clusterlink/delivery/network-manager.js';
import { type FormerConfig, watchFormerConfigs } from '../clusterlink/delivery/planner-feed.js';
import { createElector } from '../clusterlink/elector/elector.js';
import type { PlannerSettings } from '../clusterlink/planner/settings.js';
import { CredentialRenewal } from '../clustertree/cluster/credential-renewal.js';
import { readKubeconfig } from '../clustertree/cluster/kubeconfig-source.js';
import { ownershipOf } from '../clustertree/cluster/ownership.js';
import type { KubeClient } from '../kube/client.js';
import { createKubeClient } from '../kube/http-client.js';
import type { InformerFactory } from '../kube/informer-factory.js';
import type { Informer } from '../kube/informer.js';
import { clusterNodes, clusters } from '../kube/kosmos-resources.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import type { RequestObserver } from '../kube/request-observer.js';
import { objectKey } from '../kube/resource.js';
import { replaceableAccess } from '../kube/replaceable-credential.js';
import { createTransport } from '../kube/transport.js';
import type { WriteGate } from '../kube/write-gate.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { ControllerFactory } from '../runtime/controller-factory.js';
import type { EventRecorder } from '../runtime/event-recorder.js';
import { createEventSink } from '../runtime/event-sink.js';
import type { LinkMetrics } from '../runtime/metrics.js';

export interface ClusterLinkOptions {
  /** UID of the host's kube-system namespace. */
  readonly hostClusterUid: string;
  /** Writes only while this process leads, as all clients made here. */
  readonly host: KubeClient;
  readonly clusters: Informer<Cluster>;
  readonly gate: WriteGate;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly recorder: EventRecorder;
  readonly observeRequest: RequestObserver;
  /** A Cluster is gone, and so is its connection. */
  readonly onClusterGone: (cluster: string) => void;
  readonly metrics: LinkMetrics;
  /** Whether the token for the cluster is renewed here, because ClusterTree, which else does it, has nothing to do there. */
  readonly renewsToken: (cluster: Cluster) => boolean;
  /** Told when that token expires, by this machine's clock; undefined when it isn't one that is renewed. */
  readonly onMemberTokenExpiry: (cluster: string, expiresAtMs: number | undefined) => void;
  readonly settings: PlannerSettings;
  readonly allowExecCredentials: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

const REGISTRY_CONCURRENCY = 8;
/** ClusterLink's traffic is light, and has connections of its own: it never waits behind a burst of pods. */
const MEMBER_CONNECTIONS = 8;
const MEMBER_QPS = 50;
const MEMBER_BURST = 200;
/** For what changes in bursts: nodes of a cluster that starts, reports of their agents. */
const GATHER_MS = 500;

/** Put together: the host side of ClusterLink. */
export class ClusterLink {
  readonly #options: ClusterLinkOptions;
  readonly #clusterNodes: Informer<ClusterNode>;
  readonly #formerConfigs: Informer<NodeConfig, FormerConfig>;
  readonly #registry: LinkRegistry;
  readonly #network: NetworkManager;

  constructor(options: ClusterLinkOptions) {
    const { host, createInformer, clock, logger, metrics } = options;
    this.#options = options;
    this.#clusterNodes = createInformer({ client: host, type: clusterNodes });
    this.#formerConfigs = watchFormerConfigs(host, createInformer);
    this.#registry = new LinkRegistry({
      ...{ clusters: options.clusters, logger },
      source: new LinkConnections({
        readKubeconfig: (config, signal) => readKubeconfig(host, config, signal),
        connect: (config, kubeconfig) => this.#connect(config, kubeconfig),
      }),
    });
    this.#network = new NetworkManager({
      ...{ clusters: options.clusters, clusterNodes: this.#clusterNodes, formerConfigs: this.#formerConfigs },
      ...{ clock, logger, settings: options.settings },
      onPlanned: (seconds) => metrics.planned(seconds),
    });
  }

  /** Whether the caches of the host are complete. */
  get synced(): boolean {
    return this.#clusterNodes.hasSynced;
  }

  /** Reads the host again at once; for when it is back after an outage. */
  reconnect(): void {
    this.#clusterNodes.reconnect();
  }

  /** Keeps caches and connections, on every replica, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const controller = this.#options.createController({
      name: 'link-registry',
      reconciler: this.#registry,
      concurrency: REGISTRY_CONCURRENCY,
    });
    const running = Promise.all([this.#clusterNodes.run(signal), this.#formerConfigs.run(signal)]);
    try {
      await this.#options.clusters.synced(signal);
      this.#onClusters((cluster) => controller.enqueue(objectKey(cluster)));
      this.#registry.onChange((cluster) => this.#connectionChanged(cluster));
      await controller.run(signal);
    } finally {
      await this.#registry.close();
      await running;
    }
  }

  /** Writes, on the leader only, until aborted; may be called again. */
  async lead(signal: AbortSignal): Promise<void> {
    const { host, clock, createController, recorder, metrics, clusters: cache } = this.#options;
    const reconciler = new LinkController({
      ...{ host, clock, clusters: cache, clusterNodes: this.#clusterNodes, registry: this.#registry },
      planProblems: (cluster) => this.#network.problemsOf(cluster),
      onNodes: (cluster, nodes) => metrics.nodes(cluster, nodes),
      onCondition: (cluster, reason) => metrics.condition(cluster, reason),
      events: createEventSink(recorder, clusters),
    });
    const controller = createController({ name: 'link', reconciler, concurrency: REGISTRY_CONCURRENCY });
    const soon = (cluster: string): void => controller.enqueueAfter(cluster, GATHER_MS);
    const stops = [
      this.#onClusters((cluster) => controller.enqueue(objectKey(cluster))),
      this.#registry.onChange(soon),
      this.#network.onChange(soon),
      this.#onClusterNodes(soon),
    ];
    try {
      await Promise.all([this.#registry.lead(signal), this.#network.lead(signal), controller.run(signal)]);
    } finally {
      for (const stop of stops) stop();
    }
  }

  #connectionChanged(cluster: string): void {
    const { clusters: cache, onClusterGone } = this.#options;
    const isGone = cache.store.get(cluster) === undefined && this.#registry.connection(cluster) === undefined;
    if (isGone) onClusterGone(cluster);
  }

  #onClusters(listener: (cluster: Cluster) => void): () => void {
    return this.#options.clusters.addHandler({
      onAdd: listener,
      onUpdate: (_old, cluster) => listener(cluster),
      onDelete: listener,
    });
  }

  #onClusterNodes(listener: (cluster: string) => void): () => void {
    const tell = ({ spec }: ClusterNode): void => listener(spec.clusterName ?? '');
    return this.#clusterNodes.addHandler({ onAdd: tell, onUpdate: (_old, node) => tell(node), onDelete: tell });
  }

  #reportsOn(cluster: string): readonly NodeConfig[] {
    return reportsFrom(this.#registry.connections.values(), cluster);
  }

  #connect(config: LinkConfig, kubeconfig: string | undefined): LinkConnection {
    const { hostClusterUid, host, createInformer, clock, logger } = this.#options;
    const member = kubeconfig === undefined ? undefined : this.#member(config.name, kubeconfig);
    return new LinkConnection({
      ...{ config, createInformer, clock, logger, features: this.#features() },
      ownership: ownershipOf(hostClusterUid, config.name),
      client: member?.client ?? host,
      adopt: member?.adopt ?? (() => false),
      ...(member !== undefined && { closeClient: () => member.client.close() }),
    });
  }

  #member(cluster: string, kubeconfig: string): Pick<LinkConnection, 'client' | 'adopt'> {
    const { clock, gate, observeRequest: observer, allowExecCredentials: allowExec } = this.#options;
    const { access, adopt } = replaceableAccess((text) => parseKubeconfig(text, { allowExec, clock }), kubeconfig);
    const limits = { connections: MEMBER_CONNECTIONS, qps: MEMBER_QPS, burst: MEMBER_BURST };
    const shared = { gate, cluster, observer, clock };
    return { client: createKubeClient(createTransport({ access, ...limits, clock }), shared), adopt };
  }

  #features(): readonly LinkFeature[] {
    const { host, clock, createController, clusters: cache, metrics } = this.#options;
    const nodesOfHost = this.#clusterNodes;
    return [
      createNodeCollector({ host, createController, clusterNodes: nodesOfHost }),
      createPoolCollector({ createController, clusters: cache }),
      createElector({
        ...{ host, createController, clusters: cache, clusterNodes: nodesOfHost },
        reportsOn: (cluster) => this.#reportsOn(cluster),
        onElected: (cluster) => metrics.elected(cluster),
      }),
      createDelivery({ plan: this.#network, createController, clock }),
      { name: 'credential', open: (member) => this.#renewal(member) },
    ];
  }

  #renewal(member: LinkMember): CredentialRenewal {
    const { host, clock, clusters: cache, renewsToken, onMemberTokenExpiry: onExpiry } = this.#options;
    const isOurs = (name: string): boolean => {
      const cluster = cache.store.get(name);
      return cluster !== undefined && renewsToken(cluster);
    };
    return new CredentialRenewal({ host, clock, onExpiry, isOurs }, member);
  }
}
