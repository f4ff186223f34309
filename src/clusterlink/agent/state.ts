import { ipToBytes } from './netlink/ip-bytes.js';
import type { Family } from './netlink/family.js';
import type { LookupRule } from './netlink/rule.js';

/** What marks a device as the agent's own: its alias, which `ip link` shows. */
export const OWN_ALIAS = 'kosmos';

/** A VXLAN device. Devices are named here, and numbered only where the kernel is talked to. */
export interface Device {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly vni: number;
  readonly port: number;
  /** Outer source address. */
  readonly local: string;
  /** Name of the device that outer packets leave by. */
  readonly underlay: string;
}

export interface DeviceAddress {
  readonly dev: string;
  readonly ip: string;
  readonly prefixLength: number;
}

/** A neighbour (`ip` is a tunnel address) or a forwarding entry (`ip` is an outer destination). */
export interface Peer {
  readonly dev: string;
  readonly ip: string;
  readonly mac: string;
}

export interface Route {
  readonly family: Family;
  readonly table: number;
  readonly protocol: number;
  readonly destination: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly dev: string;
  readonly metric: number;
}

/** What the agent wants in the kernel, or what there is of that. Keys are those of the functions below. */
export interface NetworkState<D = Device> {
  readonly devices: ReadonlyMap<string, D>;
  readonly addresses: ReadonlyMap<string, DeviceAddress>;
  readonly rules: ReadonlyMap<string, LookupRule>;
  readonly neighbours: ReadonlyMap<string, Peer>;
  readonly forwarding: ReadonlyMap<string, Peer>;
  readonly routes: ReadonlyMap<string, Route>;
}

/** A device that is in the kernel and has to do with what is wanted. */
export interface PresentDevice {
  readonly index: number;
  readonly name: string;
  /** Undefined when it is no VXLAN device that we could have made. */
  readonly vxlan: Device | undefined;
  readonly up: boolean;
  /** It carries our alias. */
  readonly own: boolean;
}

/** What there is in the kernel. */
export type PresentState = NetworkState<PresentDevice>;

export const EMPTY_STATE: NetworkState = {
  devices: new Map(),
  addresses: new Map(),
  rules: new Map(),
  neighbours: new Map(),
  forwarding: new Map(),
  routes: new Map(),
};

export function addressKey({ dev, ip, prefixLength }: DeviceAddress): string {
  return `${dev} ${ip}/${prefixLength}`;
}

export function ruleKey({ family, priority, table, protocol }: LookupRule): string {
  return `${family} ${priority} ${table} ${protocol}`;
}

/** A device has one neighbour of an address. */
export function neighbourKey({ dev, ip }: Peer): string {
  return `${dev} ${ip}`;
}

/** An Ethernet address may have several destinations. */
export function forwardingKey({ dev, ip, mac }: Peer): string {
  return `${dev} ${mac} ${ip}`;
}

/** The kernel has one route of a destination and metric in a table. */
export function routeKey({ table, destination, prefixLength, metric }: Route): string {
  return `${table} ${destination}/${prefixLength} ${metric}`;
}

const FIRST_METRIC = 1024;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A metric for routes by a gateway, different for most gateways. The kernel finds what routes have in common by protocol,
 * scope, source, metric and device, but not by gateway: with one metric for all, ten thousand gateways of one device end
 * in one chain of its hash table, and adding routes takes quadratic time.
 */
export function metricOf(gateway: string): number {
  let hash = FNV_OFFSET;
  for (const byte of ipToBytes(gateway)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return FIRST_METRIC + ((hash ^ (hash >>> 16)) & 0xffff);
}
