import type {
  NodeConfigDevice,
  NodeConfigNeighbour,
  NodeConfigRoute,
  NodeConfigSpec,
} from '../../apis/kosmos/v1alpha1/node-config.js';
import { errorMessage } from '../../lib/errors.js';
import { isDeviceName } from './device-name.js';
import { FAMILIES, familyOf, type Family } from './netlink/family.js';
import { bytesToMac, canonicalIp, macToBytes } from './netlink/ip-bytes.js';
import { KernelError } from './netlink/kernel-error.js';
import type { LookupRule } from './netlink/rule.js';
import { networkOf, parsePrefix } from './prefix.js';
import {
  addressKey,
  type Device,
  type DeviceAddress,
  forwardingKey,
  metricOf,
  neighbourKey,
  type NetworkState,
  type Peer,
  type Route,
  routeKey,
  ruleKey,
} from './state.js';

/** What a tunnel adds to a packet: outer IP, UDP, VXLAN and inner Ethernet (RFC 7348). */
const OVERHEAD_BYTES: Readonly<Record<Family, number>> = { ipv4: 50, ipv6: 70 };
/** IPv6 doesn't work below (RFC 8200). */
const LEAST_MTU = 1280;

export const DEFAULT_ROUTE_TABLE = 200;
export const DEFAULT_RULE_PRIORITY = 200;
export const DEFAULT_ROUTE_PROTOCOL = 98;

/** The interface that outer packets leave by. */
export interface Underlay {
  readonly mtu: number;
  readonly ip?: string | undefined;
  readonly ip6?: string | undefined;
}

/** What is wanted, and which parts of the config make no sense or can't be had on this node. */
export interface Desired {
  readonly state: NetworkState;
  readonly problems: readonly string[];
}

/** Numbers by which the agent's routes and rules are told from those of others. */
export interface Ownership {
  readonly table: number;
  readonly priority: number;
  readonly protocol: number;
}

export function ownershipOf({ settings }: Pick<NodeConfigSpec, 'settings'>): Ownership {
  return {
    table: settings?.routeTable ?? DEFAULT_ROUTE_TABLE,
    priority: settings?.rulePriority ?? DEFAULT_RULE_PRIORITY,
    protocol: settings?.routeProtocol ?? DEFAULT_ROUTE_PROTOCOL,
  };
}

/**
 * What the kernel should hold for a config. `routes` are those of the config, or what they become when a gateway is dead.
 * One item that makes no sense is left out, and reported; all others count.
 */
export function desiredState(
  spec: NodeConfigSpec,
  routes: readonly NodeConfigRoute[],
  underlayOf: (name: string) => Underlay | undefined,
): Desired {
  const problems: string[] = [];
  const ownership = ownershipOf(spec);
  const collect = <Item, T>(what: string, items: readonly Item[] | undefined, translate: (item: Item) => T): T[] =>
    (items ?? []).flatMap((item) => {
      try {
        return [translate(item)];
      } catch (error) {
        problems.push(`${what} ${JSON.stringify(item)}: ${errorMessage(error)}`);
        return [];
      }
    });
  const devices = collect('device', spec.devices, (device) => desiredDevice(device, underlayOf));
  const names = new Set(devices.map(({ device }) => device.name));
  const onDevice = <T extends { readonly dev: string }>(items: readonly T[]): T[] =>
    items.filter(({ dev }) => names.has(dev));
  const families = new Set(devices.map(({ address }) => familyOf(address.ip)));
  return {
    problems,
    state: {
      devices: byKey(
        devices.map(({ device }) => device),
        ({ name }) => name,
      ),
      addresses: byKey(
        devices.map(({ address }) => address),
        addressKey,
      ),
      rules: byKey(
        FAMILIES.filter((family) => families.has(family)).map((family) => desiredRule(family, ownership)),
        ruleKey,
      ),
      neighbours: byKey(onDevice(collect('arp', spec.arps, desiredPeer)), neighbourKey),
      forwarding: byKey(onDevice(collect('fdb', spec.fdbs, desiredPeer)), forwardingKey),
      routes: byKey(onDevice(collect('route', routes, (route) => desiredRoute(route, ownership))), routeKey),
    },
  };
}

function desiredDevice(
  { name, addr, mac, bindDev, id, port, mtu }: NodeConfigDevice,
  underlayOf: (name: string) => Underlay | undefined,
): { readonly device: Device; readonly address: DeviceAddress } {
  if (!isDeviceName(name)) throw new KernelError(`${JSON.stringify(name)} is no name of a device`);
  const { ip, prefixLength } = parsePrefix(addr);
  const family = familyOf(ip);
  const underlay = underlayOf(bindDev);
  if (underlay === undefined) throw new KernelError(`there is no interface ${bindDev}`);
  const local = family === 'ipv4' ? underlay.ip : underlay.ip6;
  if (local === undefined) throw new KernelError(`the interface ${bindDev} has no ${family} address`);
  const largest = underlay.mtu - OVERHEAD_BYTES[family];
  if (largest < LEAST_MTU)
    throw new KernelError(`the MTU ${underlay.mtu} of the interface ${bindDev} is too small for a tunnel`);
  return {
    device: {
      ...{ name, vni: id, port, local, underlay: bindDev },
      mac: bytesToMac(macToBytes(mac)),
      mtu: Math.min(mtu ?? largest, largest),
    },
    address: { dev: name, ip, prefixLength },
  };
}

function desiredRule(family: Family, { table, priority, protocol }: Ownership): LookupRule {
  return { family, priority, table, protocol };
}

function desiredPeer({ ip, mac, dev }: NodeConfigNeighbour): Peer {
  return { dev, ip: canonicalIp(ip), mac: bytesToMac(macToBytes(mac)) };
}

function desiredRoute({ cidr, gw, dev }: NodeConfigRoute, { table, protocol }: Ownership): Route {
  const { ip, prefixLength } = parsePrefix(cidr);
  const gateway = canonicalIp(gw);
  const family = familyOf(ip);
  if (family !== familyOf(gateway)) throw new KernelError('prefix and gateway are of different families');
  const destination = networkOf(ip, prefixLength);
  return { family, table, protocol, destination, prefixLength, gateway, dev, metric: metricOf(gateway) };
}

function byKey<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [key(item), item]));
}
