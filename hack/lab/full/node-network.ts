import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isIpv6 } from '../addresses.js';
import { inNamespace } from '../network.js';
import type { ClusterPlan, NodePlan } from '../plan.js';
import { run } from '../run.js';
import { networkConfigDirectory } from './containerd.js';

/** Kernel settings of a network namespace that forwards packets of pods. */
const SETTINGS: Readonly<Record<string, string>> = {
  'net/ipv4/ip_forward': '1',
  'net/ipv6/conf/all/forwarding': '1',
  // Without this an answer between two pods of a node takes the bridge past the service's address translation.
  'net/bridge/bridge-nf-call-iptables': '1',
  'net/bridge/bridge-nf-call-ip6tables': '1',
};

/** Rules that give packets from pods to addresses outside the cluster the node's own address. */
export function masqueradeRules(pods: readonly string[]): string {
  const rules = pods.map((cidr) => {
    const family = isIpv6(cidr) ? 'ip6' : 'ip';
    return `    oifname "eth0" ${family} saddr ${cidr} ${family} daddr != ${cidr} masquerade`;
  });
  const chain = '    type nat hook postrouting priority srcnat; policy accept;';
  return ['table inet kosmos-lab {', '  chain postrouting {', chain, ...rules, '  }', '}', ''].join('\n');
}

/** Configuration of the container network of a node whose pods get addresses from `subnets`. */
export function networkConfig(node: NodePlan, subnets: readonly string[]): Record<string, unknown> {
  return {
    cniVersion: '1.0.0',
    name: node.networkName,
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(node.directory, 'addresses'),
          ranges: subnets.map((subnet) => [{ subnet }]),
          routes: subnets.map((subnet) => ({ dst: isIpv6(subnet) ? '::/0' : '0.0.0.0/0' })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Prepares a node's namespace for pods. */
export async function prepareForwarding(plan: ClusterPlan, node: NodePlan): Promise<void> {
  // Built into many kernels; where they are neither built in nor loadable, the settings below say so.
  await run('modprobe', ['--all', '--quiet', 'br_netfilter', 'overlay', 'nf_conntrack'], { allowFailure: true }).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    },
  );
  const script = Object.entries(SETTINGS).map(([name, value]) => `echo ${value} > /proc/sys/${name}`);
  await run(...inNamespace(node.namespace, 'sh', ['-ec', script.join('\n')]));
  const [nft, args] = inNamespace(node.namespace, 'nft', ['-f', '-']);
  await run(nft, args, { input: masqueradeRules(plan.ranges.pods) });
}

/** Tells the container runtime, which watches the folder, how to connect pods; with that the node becomes Ready. */
export async function writeNetworkConfig(node: NodePlan, subnets: readonly string[]): Promise<void> {
  const file = join(networkConfigDirectory(node), '10-lab.conflist');
  await writeFile(file, JSON.stringify(networkConfig(node, subnets)));
}

/** A route to the pods of another node of the same cluster. */
export interface PodRoute {
  readonly destination: string;
  readonly via: string;
}

/** Routes from a node to the pods of all others; `subnets` are the pod CIDRs by node name. */
export function podRoutes(
  plan: ClusterPlan,
  node: NodePlan,
  subnets: ReadonlyMap<string, readonly string[]>,
): PodRoute[] {
  return plan.machines
    .filter((other) => other.name !== node.name)
    .flatMap((other) =>
      (subnets.get(other.name) ?? []).map((destination) => ({
        destination,
        via: other.addresses.find((address) => isIpv6(address) === isIpv6(destination)) ?? '',
      })),
    );
}
