import type { NodeConfigIptables, NodeConfigNat } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { IpFamily } from '../../lib/cidr.js';
import type { LinkCluster } from './link-cluster.js';
import { ordered } from './order.js';
import { DEVICE_NAMES } from './settings.js';

/** NAT of a node with tunnels to other clusters, in both forms. */
export interface Nat {
  readonly nat: readonly NodeConfigNat[];
  readonly iptables: readonly NodeConfigIptables[];
}

export const NO_NAT: Nat = { nat: [], iptables: [] };

/** `bridgePrefixes`: those of all clusters, as hosts of each of them may send. */
export function planNat(cluster: LinkCluster, bridgePrefixes: Readonly<Record<IpFamily, readonly string[]>>): Nat {
  const nat = cluster.families.flatMap((family) => [
    ...(cluster.p2p ? [] : hostNat(cluster, family, bridgePrefixes[family])),
    ...globalNat(cluster, family),
  ]);
  return { nat: ordered(nat), iptables: ordered(nat.map(iptablesOf)) };
}

/**
 * Packets of a cluster's hosts have tunnel addresses as their source, which mean nothing beyond the gateways: the own
 * gateway gives them its address between clusters, and the other one its address in its cluster.
 */
function hostNat(cluster: LinkCluster, family: IpFamily, bridgePrefixes: readonly string[]): readonly NodeConfigNat[] {
  const local = cluster.prefixes.local[family]?.text;
  const outDev = DEVICE_NAMES.bridge[family];
  return [
    ...(local === undefined ? [] : [{ type: 'masquerade' as const, family, source: local, outDev }]),
    ...bridgePrefixes.map((source) => ({ type: 'masquerade' as const, family, source })),
  ];
}

function globalNat(cluster: LinkCluster, family: IpFamily): readonly NodeConfigNat[] {
  const device = DEVICE_NAMES.bridge[family];
  return cluster.globalRanges
    .filter(({ real }) => real.family === family)
    .flatMap(({ real, global }): readonly NodeConfigNat[] => [
      { type: 'prefixDnat', family, destination: global.text, to: real.text, inDev: device },
      { type: 'prefixSnat', family, source: real.text, to: global.text, outDev: device },
    ]);
}

function iptablesOf(nat: NodeConfigNat): NodeConfigIptables {
  const { source = '', destination = '', to = '', inDev = '', outDev } = nat;
  const out = outDev === undefined ? '' : ` -o ${outDev}`;
  switch (nat.type) {
    case 'masquerade':
      return { table: 'nat', chain: 'POSTROUTING', rule: `-s ${source}${out} -j MASQUERADE` };
    case 'prefixSnat':
      return { table: 'nat', chain: 'POSTROUTING', rule: `-s ${source}${out} -j NETMAP --to ${to}` };
    case 'prefixDnat':
      return { table: 'nat', chain: 'PREROUTING', rule: `-d ${destination} -i ${inDev} -j NETMAP --to ${to}` };
  }
}
