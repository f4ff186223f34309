import { isIpv6, type Family } from '../../hack/lab/addresses.js';
import { includesIp, mapIp, parseCidr, parseIp } from '../../src/lib/cidr.js';
import { LinkMatrix } from './link-matrix.js';
import { LinkedLab, type LinkedPod } from './linked-lab.js';
import { startEchoes } from './pod-echoes.js';

type Mode = 'p2p' | 'gateway';

/** How the networks of a lab's clusters are linked: all in one mode, or each other one in the other. */
export type LinkMode = Mode | 'mixed';

export interface SceneOptions {
  readonly instance: string;
  /** Beside the host. */
  readonly members: number;
  readonly family: Family;
  /** All clusters have the same ranges, and see each other under global ones. */
  readonly overlap: boolean;
}

/** One pod and an address of a pod in another cluster, as both sides see it. */
export interface Pair {
  readonly from: LinkedPod;
  readonly to: LinkedPod;
  /** Where `from` reaches `to`. */
  readonly ip: string;
  /** As whom `to` sees `from`. */
  readonly source: string;
}

interface SceneParts {
  readonly pods: readonly LinkedPod[];
  readonly services: ReadonlyMap<string, readonly string[]>;
}

/** Clusters of two nodes each, a pod on every node, and one Service for the pods of each cluster. */
export class LinkScene {
  readonly lab: LinkedLab;
  readonly pods: readonly LinkedPod[];
  readonly matrix = new LinkMatrix();
  readonly #options: SceneOptions;
  readonly #services: ReadonlyMap<string, readonly string[]>;

  private constructor(lab: LinkedLab, options: SceneOptions, { pods, services }: SceneParts) {
    this.lab = lab;
    this.#options = options;
    this.pods = pods;
    this.#services = services;
  }

  /** Boots it; nothing is linked yet. Nothing is left when it fails. */
  static async start(options: SceneOptions): Promise<LinkScene> {
    const { instance, members, family, overlap } = options;
    const lab = await LinkedLab.start({ instance, members, nodes: 2, hostNodes: 2, family, sameCidrs: overlap });
    try {
      const pods = await lab.startPods();
      const services = new Map<string, readonly string[]>();
      for (const { name } of lab.federation.lab.clusters) services.set(name, await lab.startService(name));
      await startEchoes(lab, pods);
      await lab.settled();
      return new LinkScene(lab, options, { pods, services });
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  /** Names of all clusters. */
  get names(): readonly string[] {
    return this.lab.federation.lab.clusters.map(({ name }) => name);
  }

  get overlap(): boolean {
    return this.#options.overlap;
  }

  /** Links all clusters, or changes how they are linked, and waits until all nodes have what is planned. */
  async linkAll(mode: LinkMode): Promise<void> {
    const ipFamily = this.#options.family === 'dual' ? 'all' : this.#options.family;
    for (const [index, name] of this.names.entries()) {
      const networkType = mode === 'mixed' ? (['gateway', 'p2p'] as const)[index % 2] : mode;
      const map = this.overlap ? { globalCIDRsMap: this.#globalRanges(name) } : {};
      await this.lab.link(name, { ipFamily, cni: 'generic', networkType, ...map });
    }
    await this.lab.linked(...this.names);
  }

  /** By which address other clusters know one of this cluster. */
  seen(cluster: string, address: string): string {
    return this.overlap ? this.#globalAddress(cluster, address) : address;
  }

  /** The addresses of a cluster's Service, as others know them. */
  serviceIps(cluster: string): readonly string[] {
    return (this.#services.get(cluster) ?? []).map((ip) => this.seen(cluster, ip));
  }

  /** The pod on a node. */
  podOn(node: string): LinkedPod {
    const found = this.pods.find((pod) => pod.node === node);
    if (found === undefined) throw new Error(`there is no pod on ${node}`);
    return found;
  }

  /** Each pod with each address of each pod of all other clusters. */
  *pairs(): Generator<Pair> {
    for (const from of this.pods) {
      for (const to of this.pods.filter(({ cluster }) => cluster !== from.cluster)) {
        for (const ip of to.ips) {
          const own = from.ips.find((each) => isIpv6(each) === isIpv6(ip)) ?? '';
          yield { from, to, ip: this.seen(to.cluster, ip), source: this.seen(from.cluster, own) };
        }
      }
    }
  }

  #globalAddress(cluster: string, address: string): string {
    const ip = parseIp(address);
    for (const [from, to] of Object.entries(this.#globalRanges(cluster))) {
      const [real, global] = [parseCidr(from), parseCidr(to)];
      if (ip && real && global && includesIp(real, ip)) return mapIp(ip, real, global).text;
    }
    throw new Error(`${address} is in no range of ${cluster}`);
  }

  /** How clusters with the same ranges see each other. */
  #globalRanges(cluster: string): Readonly<Record<string, string>> {
    const { pods, services } = this.lab.federation.lab.cluster(cluster).ranges;
    const index = this.names.indexOf(cluster);
    const global = (range: string, kind: 'pods' | 'services'): string => {
      const length = range.split('/')[1] ?? '';
      if (isIpv6(range)) return `${kind === 'pods' ? 'fdaa' : 'fdab'}:0:${index + 1}::/${length}`;
      return `242.${index * 8 + (kind === 'pods' ? 0 : 4)}.0.0/${length}`;
    };
    return Object.fromEntries([
      ...pods.map((range) => [range, global(range, 'pods')]),
      ...services.map((range) => [range, global(range, 'services')]),
    ]) as Record<string, string>;
  }
}
