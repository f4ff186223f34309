import type { DaemonSet, Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { NODE_CLUSTER_ANNOTATION } from '../../apis/names.js';
import { ClusterController } from '../../clustertree/cluster/controller.js';
import { readKubeconfig } from '../../clustertree/cluster/kubeconfig-source.js';
import { isWanted, MemberRegistry } from '../../clustertree/cluster/registry.js';
import { HostContents } from '../../clustertree/config/host-contents.js';
import { ExistingDaemonSets, installExclusionPolicy } from '../../clustertree/daemonset/controller.js';
import { HostClock } from '../../clustertree/identity/host-clock.js';
import { SigningKeys } from '../../clustertree/identity/signing-keys.js';
import { KubeletPorts } from '../../clustertree/cluster/kubelet-ports.js';
import { KubeletApi } from '../../clustertree/kubelet/kubelet-api.js';
import { StatsEndpoint } from '../../clustertree/kubelet/stats/endpoint.js';
import { WarmUp } from '../../clustertree/kubelet/warm-up.js';
import { installCsiDriver } from '../../clustertree/storage/csi-driver.js';
import { ImmediateClaims } from '../../clustertree/storage/immediate-claims.js';
import type { Informer } from '../../kube/informer.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { claims, daemonSets, objectKey } from '../../kube/resource.js';
import { StringPool } from '../../lib/string-pool.js';
import { createEventSink } from '../../runtime/event-sink.js';
import { connectMember } from './connect-member.js';
import { HostObjects } from './host-objects.js';
import type { SharedParts } from './member-features.js';
import type { ClusterTreeOptions } from './options.js';

const REGISTRY_CONCURRENCY = 8;

/** Put together: virtual nodes and pods of all members. */
export class ClusterTree {
  readonly #options: ClusterTreeOptions;
  readonly #clusters: Informer<Cluster>;
  readonly #objects: HostObjects;
  readonly #signingKeys: SigningKeys;
  readonly #registry: MemberRegistry;
  readonly #kubelet: KubeletApi;
  readonly #warmUp: WarmUp;

  constructor(options: ClusterTreeOptions) {
    const { host, clock, logger } = options;
    const strings = new StringPool();
    this.#options = options;
    this.#clusters = options.clusters;
    this.#objects = new HostObjects(options, strings);
    this.#signingKeys = new SigningKeys({ host, clock, logger });
    const ports = new KubeletPorts(options.kubelet.ports, this.#objects.nodes.store);
    const parts: SharedParts = {
      ...{ objects: this.#objects, signingKeys: this.#signingKeys, ports, strings },
      contents: new HostContents(host),
      hostClock: new HostClock(host, clock),
    };
    this.#registry = new MemberRegistry({
      clusters: this.#clusters,
      hostNodes: this.#objects.nodes,
      hostPods: this.#objects.pods,
      readKubeconfig: (config, signal) => readKubeconfig(host, config, signal),
      connect: (config, kubeconfig, leaving) => connectMember(options, parts, { config, kubeconfig, leaving }),
      logger,
    });
    this.#kubelet = this.#createKubelet(ports);
    this.#warmUp = new WarmUp({
      ...{ clusters: this.#clusters.store, isWanted, hostPods: this.#objects.pods, clock, logger },
      isBroken: (cluster) => this.#registry.problem(cluster) !== undefined,
      member: (cluster) => this.#registry.connection(cluster),
      unserved: () => this.#kubelet.unserved(),
    });
  }

  /** Whether all host caches are complete, but for that of Clusters, and virtual nodes are answered for. */
  get synced(): boolean {
    return this.#objects.hasSynced && this.#warmUp.over;
  }

  /** Reads the host again at once; for when it is back after an outage. */
  reconnect(): void {
    this.#objects.reconnect();
    this.#kubelet.reconnect();
  }

  /** Keeps caches and connections, on every replica, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const controller = this.#options.createController({
      name: 'registry',
      reconciler: this.#registry,
      concurrency: REGISTRY_CONCURRENCY,
    });
    const running = this.#objects.run(signal);
    try {
      await Promise.all([this.#clusters.synced(signal), this.#objects.synced(signal)]);
      this.#onClusters((cluster) => controller.enqueue(objectKey(cluster)));
      this.#onNodes((cluster) => controller.enqueue(cluster));
      this.#registry.onChange((cluster) => this.#connectionChanged(cluster));
      await Promise.all([controller.run(signal), this.#kubelet.run(signal)]);
    } finally {
      await this.#registry.close();
      await running;
    }
  }

  /** Writes, on the leader only, until aborted; may be called again. */
  async lead(signal: AbortSignal): Promise<void> {
    const { host, clock, createController, recorder } = this.#options;
    const reconciler = new ClusterController({
      ...{ host, clock, clusters: this.#clusters, hostNodes: this.#objects.nodes, hostPods: this.#objects.pods },
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
    return new ImmediateClaims({
      host: this.#objects.storage,
      events: createEventSink(this.#options.recorder, claims),
    });
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

  #createKubelet(ports: KubeletPorts): KubeletApi {
    const { kubelet, kubeletObserver: observer, reviewClient } = this.#options;
    const { host, clock, logger, createInformer, createController } = this.#options;
    const { addresses, certificates: mode, namespace, listenAddress: address, lingerMs } = kubelet;
    return new KubeletApi({
      ...{ host, reviewClient, clock, logger, createInformer, createController, observer, namespace },
      ...{ address, lingerMs },
      ...{ hostNodes: this.#objects.nodes, hostPods: this.#objects.pods, ports, policy: { mode, addresses } },
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
    return this.#objects.nodes.addHandler({ onAdd: tell, onDelete: tell });
  }
}
