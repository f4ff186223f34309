import type { ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfigSpec } from '../../src/apis/kosmos/v1alpha1/node-config.js';
import { planNetwork } from '../../src/clusterlink/planner/plan.js';
import { linkCluster, linkNode } from '../support/link-plan.js';
import { KernelLab, type LabNode } from './kernel-lab.js';

export type ClusterName = 'east' | 'west';
const NAMES: readonly ClusterName[] = ['east', 'west'];

/** Ranges of a cluster. */
interface Ranges {
  readonly pods: string;
  readonly pods6: string;
  readonly services: string;
  readonly services6: string;
}

const EAST: Ranges = { pods: '10.10', pods6: 'fd11:10', services: '10.11', services6: 'fd11:11' };
const WEST: Ranges = { pods: '10.20', pods6: 'fd11:20', services: '10.21', services6: 'fd11:21' };

/** What both clusters look like from outside when their own ranges are the same. */
const GLOBAL: Readonly<Record<ClusterName, Ranges>> = {
  east: { pods: '242.10', pods6: 'fd42:10', services: '242.11', services6: 'fd42:11' },
  west: { pods: '242.20', pods6: 'fd42:20', services: '242.21', services6: 'fd42:21' },
};

export interface TwoClustersOptions {
  /** Both clusters have the same ranges, and global ones of their own. */
  readonly overlap?: boolean;
  /** Start an agent on each node. @default true */
  readonly agents?: boolean;
}

/** Two clusters of two nodes, each with one pod. */
export class TwoClusters {
  readonly lab: KernelLab;
  readonly #overlap: boolean;

  private constructor(lab: KernelLab, overlap: boolean) {
    this.lab = lab;
    this.#overlap = overlap;
  }

  static async up(instance: string, options: TwoClustersOptions = {}): Promise<TwoClusters> {
    const overlap = options.overlap ?? false;
    const nodes = NAMES.flatMap((cluster) =>
      [1, 2].map((index) => labNode(cluster, index, rangesOf(cluster, overlap))),
    );
    const lab = await KernelLab.up(instance, nodes);
    const clusters = new TwoClusters(lab, overlap);
    for (const cluster of NAMES) await clusters.#makeCni(cluster);
    if (options.agents !== false) for (const { name } of nodes) lab.startAgent(name);
    return clusters;
  }

  /** What the planner says for these options; `order` is that of the gateways. */
  plan(
    options: Readonly<Record<ClusterName, ClusterLinkOptions>>,
    order: readonly number[] = [1, 2],
  ): ReadonlyMap<string, NodeConfigSpec> {
    const { configs, problems } = planNetwork({
      clusters: NAMES.map((name) => {
        const { pods, pods6, services, services6 } = rangesOf(name, this.#overlap);
        const found = {
          podCIDRs: [`${pods}.0.0/16`, `${pods6}::/64`],
          serviceCIDRs: [`${services}.0.0/16`, `${services6}::/112`],
        };
        return linkCluster(
          name,
          { ...options[name], ...(this.#overlap && { globalCIDRsMap: globalMap(name) }) },
          found,
        );
      }),
      clusterNodes: NAMES.flatMap((cluster) =>
        [1, 2].map((index) => {
          const { name, ip, ip6, pods } = this.lab.node(`${cluster}-n${index}`);
          const place = order.indexOf(index);
          return linkNode(cluster, name.slice(cluster.length + 1), {
            ...{ ip, ip6, mtu: 1500, podCIDRs: pods.map(({ block }) => block) },
            ...(place === 0 ? { roles: ['gateway'] } : { standbyOrder: place }),
          });
        }),
      ),
    });
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    return configs;
  }

  /** The address of a node's pod as the other cluster sees it. */
  seenFromOutside(node: string, family: 'ipv4' | 'ipv6'): string {
    const [cluster = '', name = ''] = node.split('-');
    const address = podAddress(name === 'n1' ? 1 : 2, rangesOf(cluster as ClusterName, this.#overlap));
    const { pods, pods6 } = this.#overlap ? GLOBAL[cluster as ClusterName] : rangesOf(cluster as ClusterName, false);
    return family === 'ipv4'
      ? address.pod.replace(/^\d+\.\d+/, pods)
      : address.pod6.replace(/^[0-9a-f]+:[0-9a-f]+/, pods6);
  }

  down(): Promise<void> {
    return this.lab.down();
  }

  /** Routes to the pods of the other node, and masquerading of all that leaves the cluster, as simple CNIs do it. */
  async #makeCni(cluster: ClusterName): Promise<void> {
    const { pods, pods6 } = rangesOf(cluster, this.#overlap);
    for (const index of [1, 2]) {
      const other = this.lab.node(`${cluster}-n${3 - index}`);
      const routes = other.pods.map(
        ({ block }) => `ip route add ${block} via ${block.includes(':') ? other.ip6 : other.ip}`,
      );
      await this.lab.script(
        `${cluster}-n${index}`,
        `${routes.join('\n')}
         sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
         nft 'table inet cni { chain postrouting { type nat hook postrouting priority srcnat; policy accept;
           ip saddr ${pods}.0.0/16 ip daddr != ${pods}.0.0/16 masquerade;
           ip6 saddr ${pods6}::/64 ip6 daddr != ${pods6}::/64 masquerade; }; }'`,
      );
    }
  }
}

function rangesOf(cluster: ClusterName, overlap: boolean): Ranges {
  return cluster === 'east' || overlap ? EAST : WEST;
}

function globalMap(cluster: ClusterName): Readonly<Record<string, string>> {
  const { pods, pods6, services, services6 } = GLOBAL[cluster];
  return {
    [`${EAST.pods}.0.0/16`]: `${pods}.0.0/16`,
    [`${EAST.pods6}::/64`]: `${pods6}::/64`,
    [`${EAST.services}.0.0/16`]: `${services}.0.0/16`,
    [`${EAST.services6}::/112`]: `${services6}::/112`,
  };
}

function podAddress(index: number, { pods, pods6 }: Ranges): { readonly pod: string; readonly pod6: string } {
  return { pod: `${pods}.0.${index === 1 ? 5 : 69}`, pod6: `${pods6}::${index}:0:0:5` };
}

function labNode(cluster: ClusterName, index: number, ranges: Ranges): LabNode {
  const site = cluster === 'east' ? 1 : 2;
  const { pod, pod6 } = podAddress(index, ranges);
  const first = index === 1 ? 0 : 64;
  return {
    name: `${cluster}-n${index}`,
    ip: `172.18.${site}.1${index}`,
    ip6: `fd00:18::${site}:1${index}`,
    pods: [
      { block: `${ranges.pods}.0.${first}/26`, gateway: `${ranges.pods}.0.${first + 1}`, pod },
      { block: `${ranges.pods6}::${index}:0:0:0/80`, gateway: `${ranges.pods6}::${index}:0:0:1`, pod: pod6 },
    ],
  };
}
