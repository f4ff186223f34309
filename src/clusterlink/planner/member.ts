import type { NodeConfigNeighbour } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { IpAddress, IpFamily } from '../../lib/cidr.js';
import { ipWithPrefix } from '../../lib/cidr.js';
import type { LinkCluster } from './link-cluster.js';
import type { LinkNode } from './link-node.js';
import { isUsableMac, macOf, ZERO_MAC } from './mac.js';
import type { Keyed } from './order.js';
import { descending, keyed } from './order.js';
import type { TunnelKind } from './settings.js';
import { DEVICE_NAMES } from './settings.js';

/** Where tunnels of one kind and family end on a node. */
export interface TunnelEnd {
  readonly device: string;
  readonly address: IpAddress;
  /** Length of the prefix that all such addresses share. */
  readonly prefixLength: number;
  readonly mac: string;
  readonly underlay: IpAddress;
  /** What others need to reach it, in descending order. */
  readonly fdbs: readonly Keyed<NodeConfigNeighbour>[];
  readonly arps: readonly Keyed<NodeConfigNeighbour>[];
}

export type TunnelEnds = Readonly<Partial<Record<IpFamily, TunnelEnd>>>;

/** A node that takes part, as every node does whose agent has found an interface and an address. */
export interface Member {
  readonly node: LinkNode;
  readonly interfaceName: string;
  /** Families of the cluster that the node has an address of. */
  readonly families: readonly IpFamily[];
  readonly ends: Readonly<Record<TunnelKind, TunnelEnds>>;
  /** Bytes that the node's underlay carries; undefined while unknown. */
  readonly mtu: number | undefined;
}

/** Equal for equal ends. */
export function endsKey(ends: TunnelEnds): string {
  return Object.values(ends)
    .flatMap(({ fdbs, arps }) => [...fdbs, ...arps].map(({ key }) => key))
    .join();
}

/** The MAC that a device has, going by the NodeConfig there is; undefined for none. */
export type PreviousMac = (device: string) => string | undefined;

/** Undefined for a node that can't take part yet. */
export function compileMember(cluster: LinkCluster, node: LinkNode, previousMac: PreviousMac): Member | undefined {
  const { interfaceName } = node;
  const families = cluster.families.filter((family) => node.ips[family] !== undefined);
  if (interfaceName === undefined || families.length === 0) return undefined;
  const ends = (kind: TunnelKind): TunnelEnds =>
    Object.fromEntries(
      families.flatMap((family) => {
        const end = endOf(kind, family, { cluster, node, previousMac });
        return end === undefined ? [] : [[family, end] as const];
      }),
    );
  return {
    node,
    interfaceName,
    families,
    ends: { bridge: ends('bridge'), local: cluster.p2p ? {} : ends('local') },
    mtu: smallest([node.mtu, cluster.mtu]),
  };
}

/** The smallest of the numbers that are known; undefined when none is. */
export function smallest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.min(a, b));
}

interface Owner {
  readonly cluster: LinkCluster;
  readonly node: LinkNode;
  readonly previousMac: PreviousMac;
}

function endOf(kind: TunnelKind, family: IpFamily, owner: Owner): TunnelEnd | undefined {
  const prefix = owner.cluster.prefixes[kind][family];
  const underlay = owner.node.ips[family];
  if (prefix === undefined || underlay === undefined) return undefined;
  const device = DEVICE_NAMES[kind][family];
  const address = ipWithPrefix(prefix, underlay);
  const previous = owner.previousMac(device);
  const mac = isUsableMac(previous) ? previous : macOf(owner.node, device);
  return {
    device,
    address,
    prefixLength: prefix.length,
    mac,
    underlay,
    fdbs: descending([ZERO_MAC, mac].map((of) => keyed({ ip: underlay.text, mac: of, dev: device }))),
    arps: [keyed({ ip: address.text, mac, dev: device })],
  };
}
