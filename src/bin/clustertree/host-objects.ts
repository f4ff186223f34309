import type { KubeObject, Namespace, Node, Pod, Service } from '../../apis/core.js';
import { NODE_LABEL } from '../../apis/names.js';
import { HostPods, type HostPodScope } from '../../clustertree/cluster/host-pods.js';
import { KUBELET_PORT_INDEX, kubeletPortIndexer } from '../../clustertree/cluster/kubelet-ports.js';
import { trimHostObject } from '../../clustertree/config/kinds.js';
import { HostStorage } from '../../clustertree/storage/host-storage.js';
import type { Informer } from '../../kube/informer.js';
import { configMaps, metadataOf, namespaces, nodes, pods, secrets, services } from '../../kube/resource.js';
import { withoutManagedFields } from '../../kube/transform.js';
import type { StringPool } from '../../lib/string-pool.js';
import type { ClusterTreeOptions } from './options.js';

type AnyCache = Pick<Informer<Pod>, 'hasSynced' | 'reconnect' | 'run' | 'synced'>;

/** What of the host is cached, once for all members; Clusters are cached by who made ClusterTree. */
export class HostObjects {
  /** Virtual nodes only. */
  readonly nodes: Informer<Node>;
  readonly namespaces: Informer<Namespace>;
  readonly services: Informer<Service>;
  /** Metadata only. */
  readonly configMaps: Informer<KubeObject>;
  readonly secrets: Informer<KubeObject>;
  /** Only those bound to virtual nodes. */
  readonly pods: HostPods;
  readonly storage: HostStorage;
  readonly #caches: readonly AnyCache[];

  constructor(options: Pick<ClusterTreeOptions, 'host' | 'createInformer' | 'logger'>, strings: StringPool) {
    const { host, createInformer, logger } = options;
    this.nodes = createInformer({
      ...{ client: host, type: nodes, labelSelector: `${NODE_LABEL}=true` },
      indexers: { [KUBELET_PORT_INDEX]: kubeletPortIndexer },
    });
    this.namespaces = createInformer({ client: host, type: namespaces });
    this.services = createInformer({
      client: host,
      type: services,
      indexers: { namespace: (service: Service) => [service.metadata?.namespace ?? ''] },
    });
    const ofConfig = { client: host, transform: trimHostObject };
    this.configMaps = createInformer({ ...ofConfig, type: metadataOf(configMaps) });
    this.secrets = createInformer({ ...ofConfig, type: metadataOf(secrets) });
    this.storage = new HostStorage(host, createInformer);
    const ofPods = (scope: HostPodScope): Informer<Pod> => podInformer({ host, createInformer }, scope, strings);
    this.pods = new HostPods({ logger, hostNodes: this.nodes, createInformer: ofPods });
    const ofNeeds = [this.configMaps, this.secrets, ...this.storage.caches];
    this.#caches = [this.nodes, this.namespaces, this.services, ...ofNeeds];
  }

  /** Whether all of them are complete, but for the pods, which follow the nodes. */
  get hasSynced(): boolean {
    return this.#caches.every((cache) => cache.hasSynced);
  }

  /** Resolves once that is so. */
  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#caches.map((cache) => cache.synced(signal)));
  }

  /** Reads the host again at once. */
  reconnect(): void {
    for (const cache of this.#caches) cache.reconnect();
    this.pods.reconnect();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#caches.map((cache) => cache.run(signal)), this.pods.run(signal)]);
  }

  /** The Services that a pod of a namespace has environment variables of. */
  servicesFor(namespace: string): readonly Service[] {
    const { store } = this.services;
    const kubernetes = namespace === 'default' ? undefined : store.get('default/kubernetes');
    return [...store.byIndex('namespace', namespace), ...(kubernetes === undefined ? [] : [kubernetes])];
  }
}

function podInformer(
  { host, createInformer }: Pick<ClusterTreeOptions, 'host' | 'createInformer'>,
  scope: HostPodScope,
  strings: StringPool,
): Informer<Pod> {
  const isWanted = 'node' in scope ? (): boolean => true : scope.keep;
  return createInformer({
    client: host,
    type: pods,
    fieldSelector: 'node' in scope ? `spec.nodeName=${scope.node}` : 'spec.nodeName!=',
    transform: (pod) => (isWanted(pod) ? strings.shareWithin(withoutManagedFields(pod)) : undefined),
  });
}
