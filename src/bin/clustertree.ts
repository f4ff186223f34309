import type { DaemonSet, KubeObject, Namespace, Node, Pod, Service } from '../apis/core.js';
import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { NODE_CLUSTER_ANNOTATION, NODE_LABEL } from '../apis/names.js';
import { MemberConnection } from '../clustertree/cluster/connection.js';
import { ClusterController } from '../clustertree/cluster/controller.js';
import { HostPods, type HostPodScope } from '../clustertree/cluster/host-pods.js';
import { readKubeconfig } from '../clustertree/cluster/kubeconfig-source.js';
import type { HostApiAddress } from '../clustertree/cluster/host-api.js';
import type { MemberFeature } from '../clustertree/cluster/member.js';
import { createNamespaceFeature } from '../clustertree/cluster/namespace-feature.js';
import type { ClusterConfig } from '../clustertree/cluster/options.js';
import { ownershipOf } from '../clustertree/cluster/ownership.js';
import { MemberRegistry } from '../clustertree/cluster/registry.js';
import { HostContents } from '../clustertree/config/host-contents.js';
import { trimHostObject } from '../clustertree/config/kinds.js';
import { createConfigFeature } from '../clustertree/config/module.js';
import { ExistingDaemonSets, installExclusionPolicy } from '../clustertree/daemonset/controller.js';
import { HostClock } from '../clustertree/identity/host-clock.js';
import { createIdentityFeature } from '../clustertree/identity/module.js';
import { SigningKeys } from '../clustertree/identity/signing-keys.js';
import { createCredentialFeature } from '../clustertree/cluster/credential-renewal.js';
import { createNodeFeature } from '../clustertree/node/module.js';
import {
  KUBELET_PORT_INDEX,
  kubeletPortIndexer,
  KubeletPorts,
  type PortRange,
} from '../clustertree/cluster/kubelet-ports.js';
import { KubeletApi } from '../clustertree/kubelet/kubelet-api.js';
import type { KubeletObserver } from '../clustertree/kubelet/observer.js';
import type { ServingMode } from '../clustertree/kubelet/serving-secret.js';
import { StatsEndpoint } from '../clustertree/kubelet/stats/endpoint.js';
import type { StatsObserver } from '../clustertree/kubelet/stats/member-stats.js';
import { trimMemberPod } from '../clustertree/pod/member-pod-trim.js';
import { createPodFeature } from '../clustertree/pod/module.js';
import { addressRules } from '../clustertree/pod/published-address.js';
import { keepOwnedKeys } from '../clustertree/cluster/owned-keys.js';
import { installCsiDriver } from '../clustertree/storage/csi-driver.js';
import { HostStorage } from '../clustertree/storage/host-storage.js';
import { ImmediateClaims } from '../clustertree/storage/immediate-claims.js';
import { createStorageFeature } from '../clustertree/storage/module.js';
import type { KubeClient } from '../kube/client.js';
import type { ClusterAccess } from '../kube/cluster-access.js';
import { createKubeClient } from '../kube/http-client.js';
import type { Informer } from '../kube/informer.js';
import type { InformerFactory } from '../kube/informer-factory.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import { clusters } from '../kube/kosmos-resources.js';
import { replaceableAccess } from '../kube/replaceable-credential.js';
import type { RequestObserver } from '../kube/request-observer.js';
import {
  claims,
  configMaps,
  daemonSets,
  metadataOf,
  namespaces,
  nodes,
  objectKey,
  pods,
  secrets,
  services,
  volumes,
} from '../kube/resource.js';
import { withoutManagedFields } from '../kube/transform.js';
import { createTransport } from '../kube/transport.js';
import type { WriteGate } from '../kube/write-gate.js';
import type { Clock, Random } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import { StringPool } from '../lib/string-pool.js';
import type { ControllerFactory } from '../runtime/controller-factory.js';
import type { EventRecorder } from '../runtime/event-recorder.js';
import { createEventSink } from '../runtime/event-sink.js';

export interface ClusterTreeOptions {
  /** UID of the host's kube-system namespace. */
  readonly hostClusterUid: string;
  /** Writes only while this process leads, as all clients below. */
  readonly host: KubeClient;
  /** Run by who made it. */
  readonly clusters: Informer<Cluster>;
  /** For heartbeats. */
  readonly leaseClient: KubeClient;
  /** For what may wait. */
  readonly lowPriorityHost: KubeClient;
  readonly gate: WriteGate;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly recorder: EventRecorder;
  readonly onEventDropped: (cluster: string) => void;
  /** A Cluster is gone, and so is its connection. */
  readonly onClusterGone: (cluster: string) => void;
  readonly observeRequest: RequestObserver;
  readonly kubelet: KubeletSettings;
  /** For reviews of who may use the kubelet API; every replica sends them. */
  readonly reviewClient: KubeClient;
  readonly kubeletObserver: KubeletObserver;
  readonly statsObserver: StatsObserver;
  readonly reservedNamespaces: readonly string[];
  /** Where pods in members reach the host's API server, unless their Cluster says otherwise. */
  readonly hostApi: HostApiAddress | undefined;
  /** The part of its life after which a token is renewed, between 0 and 1. */
  readonly tokenRenewalFraction: number;
  /** Told for how many seconds the token in a member that is nearest to its end is good. */
  readonly onTokenExpiry: (cluster: string, seconds: number | undefined) => void;
  readonly memberLimits: { readonly qps: number; readonly burst: number };
  readonly allowExecCredentials: boolean;
  /** Exclude DaemonSets from virtual nodes that were there before us; that restarts their pods. */
  readonly excludeExistingDaemonSets: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How the kubelet API of virtual nodes is served. */
export interface KubeletSettings {
  /** IP addresses that virtual nodes publish, at most one of each family. */
  readonly addresses: readonly string[];
  readonly ports: PortRange;
  /** Where to listen; everywhere when undefined. */
  readonly listenAddress: string | undefined;
  readonly certificates: ServingMode;
  /** Where the serving certificates are kept. */
  readonly namespace: string;
}

/** Put together: virtual nodes and pods of all members. */
export class ClusterTree {
  readonly #options: ClusterTreeOptions;
  readonly #clusters: Informer<Cluster>;
  readonly #hostNodes: Informer<Node>;
  readonly #hostNamespaces: Informer<Namespace>;
  readonly #hostServices: Informer<Service>;
  readonly #hostConfigMaps: Informer<KubeObject>;
  readonly #hostSecrets: Informer<KubeObject>;
  readonly #hostPods: HostPods;
  readonly #hostStorage: HostStorage;
  readonly #hostContents: HostContents;
  readonly #hostClock: HostClock;
  readonly #signingKeys: SigningKeys;
  readonly #registry: MemberRegistry;
  readonly #ports: KubeletPorts;
  readonly #kubelet: KubeletApi;
  /** Of all cached pods: those of one Deployment, and the two of a pair, are much alike. */
  readonly #strings = new StringPool();

  constructor(options: ClusterTreeOptions) {
    const { host, createInformer, clock, logger } = options;
    this.#options = options;
    this.#clusters = options.clusters;
    this.#hostNodes = createInformer({
      ...{ client: host, type: nodes, labelSelector: `${NODE_LABEL}=true` },
      indexers: { [KUBELET_PORT_INDEX]: kubeletPortIndexer },
    });
    this.#ports = new KubeletPorts(options.kubelet.ports, this.#hostNodes.store);
    this.#hostNamespaces = createInformer({ client: host, type: namespaces });
    this.#hostServices = createInformer({
      client: host,
      type: services,
      indexers: { namespace: (service: Service) => [service.metadata?.namespace ?? ''] },
    });
    this.#hostStorage = new HostStorage(host, createInformer);
    const ofConfig = { client: host, transform: trimHostObject };
    this.#hostConfigMaps = createInformer({ ...ofConfig, type: metadataOf(configMaps) });
    this.#hostSecrets = createInformer({ ...ofConfig, type: metadataOf(secrets) });
    this.#hostContents = new HostContents(host);
    this.#hostClock = new HostClock(host, clock);
    this.#signingKeys = new SigningKeys({ host, clock, logger });
    this.#hostPods = new HostPods({
      ...{ logger, hostNodes: this.#hostNodes },
      createInformer: (scope) => this.#hostPodInformer(scope),
    });
    this.#registry = new MemberRegistry({
      clusters: this.#clusters,
      hostNodes: this.#hostNodes,
      hostPods: this.#hostPods,
      readKubeconfig: (config, signal) => readKubeconfig(host, config, signal),
      connect: (config, kubeconfig, leaving) => this.#connect(config, kubeconfig, leaving),
      logger,
    });
    this.#kubelet = this.#createKubelet();
  }

  /** Whether all host caches are complete, but for that of Clusters. */
  get synced(): boolean {
    return this.#hostCaches.every((cache) => cache.hasSynced);
  }

  /** Reads the host again at once; for when it is back after an outage. */
  reconnect(): void {
    for (const cache of this.#hostCaches) cache.reconnect();
    this.#hostPods.reconnect();
    this.#kubelet.reconnect();
  }

  /** Keeps caches and connections, on every replica, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const controller = this.#options.createController({
      name: 'registry',
      reconciler: this.#registry,
      concurrency: REGISTRY_CONCURRENCY,
    });
    const caches = this.#hostCaches;
    const running = [...caches.map((cache) => cache.run(signal)), this.#hostPods.run(signal)];
    try {
      await Promise.all([this.#clusters, ...caches].map((cache) => cache.synced(signal)));
      this.#onClusters((cluster) => controller.enqueue(objectKey(cluster)));
      this.#onNodes((cluster) => controller.enqueue(cluster));
      this.#registry.onChange((cluster) => this.#connectionChanged(cluster));
      await Promise.all([controller.run(signal), this.#kubelet.run(signal)]);
    } finally {
      await this.#registry.close();
      await Promise.all(running);
    }
  }

  /** Writes, on the leader only, until aborted; may be called again. */
  async lead(signal: AbortSignal): Promise<void> {
    const { host, clock, createController, recorder } = this.#options;
    const reconciler = new ClusterController({
      ...{ host, clock, clusters: this.#clusters, hostNodes: this.#hostNodes, hostPods: this.#hostPods },
      registry: this.#registry,
      events: createEventSink(recorder, clusters),
    });
    const controller = createController({ name: 'cluster', reconciler, concurrency: REGISTRY_CONCURRENCY });
    const stops = [
      this.#onClusters((cluster) => controller.enqueue(objectKey(cluster))),
      this.#onNodes((cluster) => controller.enqueue(cluster)),
      this.#registry.onChange((cluster) => controller.enqueue(cluster)),
    ];
    try {
      await Promise.all([
        this.#registry.lead(signal),
        this.#kubelet.lead(signal),
        controller.run(signal),
        this.#signingKeys.run(signal),
        installExclusionPolicy(this.#options, signal),
        installCsiDriver(this.#options, signal),
        this.#immediateClaims().lead(createController, signal),
        this.#excludeDaemonSets(signal),
      ]);
    } finally {
      for (const stop of stops) stop();
    }
  }

  #immediateClaims(): ImmediateClaims {
    return new ImmediateClaims({ host: this.#hostStorage, events: createEventSink(this.#options.recorder, claims) });
  }

  async #excludeDaemonSets(signal: AbortSignal): Promise<void> {
    const { host, createInformer, createController, excludeExistingDaemonSets } = this.#options;
    if (!excludeExistingDaemonSets) return;
    const informer = createInformer({ client: host, type: daemonSets });
    const reconciler = new ExistingDaemonSets(host, informer);
    const controller = createController({ name: 'daemonset', reconciler });
    const enqueue = (daemonSet: DaemonSet): void => controller.enqueue(objectKey(daemonSet), { priority: 'low' });
    informer.addHandler({ onAdd: enqueue, onUpdate: (_old, daemonSet) => enqueue(daemonSet) });
    await Promise.all([informer.run(signal), controller.run(signal)]);
  }

  get #hostCaches(): readonly Pick<Informer<Pod>, 'hasSynced' | 'reconnect' | 'run' | 'synced'>[] {
    const others = [this.#hostConfigMaps, this.#hostSecrets, ...this.#hostStorage.caches];
    return [this.#hostNodes, this.#hostNamespaces, this.#hostServices, ...others];
  }

  #createKubelet(): KubeletApi {
    const { kubelet, kubeletObserver: observer, reviewClient } = this.#options;
    const { host, clock, logger, createInformer, createController } = this.#options;
    const { addresses, certificates: mode, namespace, listenAddress: address } = kubelet;
    return new KubeletApi({
      ...{ host, reviewClient, clock, logger, createInformer, createController, observer, namespace, address },
      ...{ hostNodes: this.#hostNodes, hostPods: this.#hostPods, ports: this.#ports, policy: { mode, addresses } },
      member: (cluster) => this.#registry.connection(cluster),
      endpoints: [new StatsEndpoint({ clock, observer: this.#options.statsObserver })],
    });
  }

  #connectionChanged(cluster: string): void {
    this.#kubelet.clusterChanged(cluster);
    const isGone = this.#clusters.store.get(cluster) === undefined && this.#registry.connection(cluster) === undefined;
    if (isGone) this.#options.onClusterGone(cluster);
  }

  #onClusters(listener: (cluster: Cluster) => void): () => void {
    return this.#clusters.addHandler({
      onAdd: listener,
      onUpdate: (_old, cluster) => listener(cluster),
      onDelete: listener,
    });
  }

  /** Calls back with the name of the Cluster whose virtual nodes have come or gone. */
  #onNodes(listener: (cluster: string) => void): () => void {
    const tell = (node: Node): void => {
      const cluster = node.metadata?.annotations?.[NODE_CLUSTER_ANNOTATION];
      if (cluster !== undefined) listener(cluster);
    };
    return this.#hostNodes.addHandler({ onAdd: tell, onDelete: tell });
  }

  #hostPodInformer(scope: HostPodScope): Informer<Pod> {
    const { host, createInformer } = this.#options;
    const isWanted = 'node' in scope ? (): boolean => true : scope.keep;
    return createInformer({
      client: host,
      type: pods,
      fieldSelector: 'node' in scope ? `spec.nodeName=${scope.node}` : 'spec.nodeName!=',
      transform: (pod) => (isWanted(pod) ? this.#strings.shareWithin(withoutManagedFields(pod)) : undefined),
    });
  }

  #connect(config: ClusterConfig, kubeconfig: string, leaving: boolean): MemberConnection {
    const options = this.#options;
    const { clock, random, logger, gate, memberLimits } = options;
    const parse = (text: string): ClusterAccess =>
      parseKubeconfig(text, { allowExec: options.allowExecCredentials, clock });
    const { access, adopt } = replaceableAccess(parse, kubeconfig);
    const shared = { gate, cluster: config.name, observer: options.observeRequest, clock };
    const transport = createTransport({ access, ...memberLimits, clock });
    return new MemberConnection({
      ...{ config, leaving, clock, random, logger },
      ownership: ownershipOf(options.hostClusterUid, config.name),
      client: createKubeClient(transport, shared),
      streams: transport,
      probeClient: createKubeClient(
        createTransport({ access, connections: 1, connectTimeoutMs: PROBE_CONNECT_MS, clock }),
        shared,
      ),
      createInformer: options.createInformer,
      adopt,
      trimPod: (pod) => this.#strings.shareWithin(trimMemberPod(withoutLastApplied(keepOwnedKeys(pod)))),
      features: this.#features(),
    });
  }

  #features(): readonly MemberFeature[] {
    const { host, clock, random, logger, createInformer, createController, kubelet, recorder } = this.#options;
    const { leaseClient, lowPriorityHost, reservedNamespaces, onEventDropped, hostApi } = this.#options;
    const hostNodes = this.#hostNodes;
    const hostNamespaces = this.#hostNamespaces;
    return [
      createNodeFeature({
        ...{ host, leaseClient, hostNodes, createInformer, createController, clock },
        kubelet: { addresses: kubelet.addresses, portOf: (node) => this.#ports.portOf(node) },
        hostPods: this.#hostPods,
      }),
      createNamespaceFeature({
        ...{ host, hostNamespaces, createController },
        report: (cluster, message) => this.#reportNamespace(cluster, message),
      }),
      createStorageFeature({
        ...{ host, hostNamespaces, createInformer, createController, clock, random, logger },
        ...{ hostStorage: this.#hostStorage, hostPods: this.#hostPods },
        claimEvents: createEventSink(recorder, claims),
        volumeEvents: createEventSink(recorder, volumes),
        podEvents: createEventSink(recorder, pods),
      }),
      createCredentialFeature({ host, clock }),
      this.#configFeature(),
      this.#identityFeature(),
      createPodFeature({
        ...{ host, lowPriorityHost, hostNamespaces, createController, reservedNamespaces, onEventDropped, hostApi },
        ...{ clock, random, logger },
        events: createEventSink(recorder, pods),
        caches: {
          pods: this.#hostPods,
          nodes: hostNodes.store,
          namespaces: hostNamespaces.store,
          servicesIn: (namespace) => this.#servicesFor(namespace),
          addressesOf: (cluster) => addressRules(this.#clusters.store.get(cluster)),
        },
      }),
    ];
  }

  #configFeature(): MemberFeature {
    const { host, clock, random, createInformer, createController } = this.#options;
    return createConfigFeature({
      ...{ host, clock, random, createInformer, createController },
      hostPods: this.#hostPods,
      hostConfigMaps: this.#hostConfigMaps,
      hostSecrets: this.#hostSecrets,
      contents: this.#hostContents,
    });
  }

  #identityFeature(): MemberFeature {
    const { host, clock, random, createInformer, createController } = this.#options;
    return createIdentityFeature({
      ...{ host, clock, random, createInformer, createController },
      hostPods: this.#hostPods,
      hostClock: this.#hostClock,
      signingKeys: this.#signingKeys,
      renewalFraction: this.#options.tokenRenewalFraction,
      onExpiry: this.#options.onTokenExpiry,
    });
  }

  #servicesFor(namespace: string): readonly Service[] {
    const { store } = this.#hostServices;
    const kubernetes = namespace === 'default' ? undefined : store.get('default/kubernetes');
    return [...store.byIndex('namespace', namespace), ...(kubernetes === undefined ? [] : [kubernetes])];
  }

  #reportNamespace(cluster: string, message: string): void {
    const object = this.#clusters.store.get(cluster);
    if (object !== undefined) createEventSink(this.#options.recorder, clusters).warn(object, 'NamespaceKept', message);
  }
}

const REGISTRY_CONCURRENCY = 8;
/** A lost first packet is sent again after ever longer times, so a new try finds a member that is back sooner. */
const PROBE_CONNECT_MS = 3_000;

/** The API server's own copy of a pod that somebody applied in the member is of no use to us. */
function withoutLastApplied(pod: Pod): Pod {
  const { managedFields } = pod.metadata ?? {};
  const trimmed = withoutManagedFields(pod);
  return { ...trimmed, metadata: { ...trimmed.metadata, managedFields } };
}
