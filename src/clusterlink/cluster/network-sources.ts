import type { BlockAffinity, CiliumNode, IpPool, ServiceCidr } from '../../apis/cluster-network.js';
import type { ConfigMap, KubeObject, Pod } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer, InformerOptions } from '../../kube/informer.js';
import { blockAffinities, ciliumNodes, ipPools, serviceCidrs } from '../../kube/network-resources.js';
import { configMaps, pods } from '../../kube/resource.js';
import { CALICO_CONFIG, isCalicoInEtcd } from './calico-etcd.js';
import { CONTROL_PLANE_SELECTOR, trimControlPlanePod } from './flags.js';
import type { LinkConfig } from './link-config.js';
import { NO_SOURCE, sourceOf, type Source } from './source.js';

/** All that a cluster tells of its address ranges, beside its nodes. */
export interface NetworkFacts {
  readonly serviceCidrs: Source<ServiceCidr>;
  readonly controlPlane: Source<Pod>;
  readonly ipPools: Source<IpPool>;
  readonly blockAffinities: Source<BlockAffinity>;
  /** Calico keeps the two above elsewhere, so that they tell nothing; undefined while not known. */
  readonly calicoInEtcd: boolean | undefined;
  readonly flannel: Source<ConfigMap>;
  readonly cilium: Source<ConfigMap>;
  readonly ciliumNodes: Source<CiliumNode>;
}

/** What a cluster's CNI is asked with. */
export interface NetworkSourcesOptions {
  readonly cluster: string;
  readonly client: KubeClient;
  readonly config: Pick<LinkConfig, 'cni' | 'calicoInEtcd'>;
  readonly createInformer: InformerFactory;
}

type Cache = Pick<Informer<KubeObject>, 'run' | 'addHandler'>;

const FLANNEL_CONFIG = 'kube-flannel-cfg';
const CILIUM_CONFIG = 'cilium-config';

/** Watches what says which ranges a cluster uses: what all clusters may have, and what its CNI has. */
export class NetworkSources {
  readonly #options: NetworkSourcesOptions;
  readonly #caches: Cache[] = [];
  readonly #serviceCidrs: Informer<ServiceCidr>;
  readonly #controlPlane: Informer<Pod>;
  readonly #ipPools: Informer<IpPool> | undefined;
  readonly #blockAffinities: Informer<BlockAffinity> | undefined;
  readonly #calicoConfig: Informer<ConfigMap> | undefined;
  readonly #flannel: Informer<ConfigMap> | undefined;
  readonly #cilium: Informer<ConfigMap> | undefined;
  readonly #ciliumNodes: Informer<CiliumNode> | undefined;

  constructor(options: NetworkSourcesOptions) {
    this.#options = options;
    const named = (name: string): string => `metadata.name=${name}`;
    this.#serviceCidrs = this.#watch({ type: serviceCidrs });
    this.#controlPlane = this.#watch({
      type: pods,
      namespace: 'kube-system',
      labelSelector: CONTROL_PLANE_SELECTOR,
      transform: trimControlPlanePod,
    });
    switch (options.config.cni) {
      case 'calico':
        this.#ipPools = this.#watch({ type: ipPools });
        this.#blockAffinities = this.#watch({ type: blockAffinities });
        this.#calicoConfig = this.#watch({
          ...{ type: configMaps, namespace: 'kube-system', fieldSelector: named(CALICO_CONFIG) },
        });
        break;
      case 'flannel':
        this.#flannel = this.#watch({ type: configMaps, fieldSelector: named(FLANNEL_CONFIG) });
        break;
      case 'cilium':
        this.#cilium = this.#watch({
          ...{ type: configMaps, namespace: 'kube-system', fieldSelector: named(CILIUM_CONFIG) },
        });
        this.#ciliumNodes = this.#watch({ type: ciliumNodes });
        break;
      default:
        break;
    }
  }

  get facts(): NetworkFacts {
    const { cni, calicoInEtcd } = this.#options.config;
    return {
      serviceCidrs: sourceOf(this.#serviceCidrs),
      controlPlane: sourceOf(this.#controlPlane),
      ipPools: read(this.#ipPools),
      blockAffinities: read(this.#blockAffinities),
      calicoInEtcd: isCalicoInEtcd(cni === 'calico' && calicoInEtcd, read(this.#calicoConfig)),
      flannel: read(this.#flannel),
      cilium: read(this.#cilium),
      ciliumNodes: read(this.#ciliumNodes),
    };
  }

  /** Calls back with every change of any of the objects. */
  onChange(listener: () => void): void {
    for (const cache of this.#caches) cache.addHandler({ onAdd: listener, onUpdate: listener, onDelete: listener });
  }

  /** Watches until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#caches.map((cache) => cache.run(signal)));
  }

  #watch<T extends KubeObject>(settings: Omit<InformerOptions<T, T>, 'client'>): Informer<T> {
    const { cluster, client, createInformer } = this.#options;
    const informer = createInformer<T>({ cluster, client, ...settings });
    this.#caches.push(informer);
    return informer;
  }
}

function read<T>(informer: Informer<T & KubeObject> | undefined): Source<T> {
  return informer === undefined ? NO_SOURCE : sourceOf(informer);
}
