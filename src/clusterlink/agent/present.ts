import { decodeAddress, encodeAddressDump } from './netlink/address.js';
import { RTN_UNICAST, SCOPE } from './netlink/constants.js';
import { FAMILIES } from './netlink/family.js';
import { decodeLink, encodeLinkDump, type Link } from './netlink/link.js';
import { decodeNeighbour, encodeForwardingDump, encodeNeighbourDump } from './netlink/neighbour.js';
import type { NetlinkMessage } from './netlink/reader.js';
import { decodeRoute, encodeRouteDump } from './netlink/route.js';
import { decodeRule, encodeRuleDump, type LookupRule } from './netlink/rule.js';
import type { EncodeRequest } from './netlink/socket.js';
import {
  addressKey,
  type Device,
  type DeviceAddress,
  forwardingKey,
  neighbourKey,
  type NetworkState,
  OWN_ALIAS,
  type Peer,
  type PresentDevice,
  type PresentState,
  type Route,
  routeKey,
  ruleKey,
} from './state.js';

/** Asks the kernel for objects. */
export interface Dumper {
  dump<T>(encode: EncodeRequest, decode: (message: NetlinkMessage) => T | undefined): readonly T[];
}

/**
 * Reads what the agent has to know: devices that are its own or have the name of a wanted one, all that hangs on those
 * of them that are VXLAN devices, and the rules and routes of its protocol. Everything else is foreign, and never read.
 */
export function readPresentState(kernel: Dumper, wanted: NetworkState, protocol: number): PresentState {
  const links = kernel.dump(encodeLinkDump, decodeLink);
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const devices = new Map<string, PresentDevice>();
  for (const link of links) {
    const own = link.alias === OWN_ALIAS;
    if (!own && !wanted.devices.has(link.name)) continue;
    devices.set(link.name, { index: link.index, name: link.name, up: link.up, own, vxlan: vxlanOf(link, names) });
  }
  const tunnels = [...devices.values()].filter(({ vxlan }) => vxlan !== undefined);
  return {
    devices,
    addresses: readAddresses(kernel, tunnels),
    rules: readRules(kernel, protocol),
    ...readPeers(kernel, tunnels),
    routes: readRoutes(kernel, protocol, names),
  };
}

/** One that learns isn't of our making: it has to be made anew, so it looks as if it were no VXLAN device of ours. */
function vxlanOf({ name, mac, mtu, vxlan }: Link, names: ReadonlyMap<number, string>): Device | undefined {
  if (vxlan === undefined) return undefined;
  const { vni, port, local, underlay, learning } = vxlan;
  return {
    ...{ name, mtu, port, mac: mac ?? '', local: local ?? '' },
    vni: learning ? -1 : vni,
    underlay: names.get(underlay ?? 0) ?? '',
  };
}

function readAddresses(kernel: Dumper, tunnels: readonly PresentDevice[]): ReadonlyMap<string, DeviceAddress> {
  const names = new Map(tunnels.map(({ index, name }) => [index, name]));
  const found = new Map<string, DeviceAddress>();
  for (const { index, ip, prefixLength, scope } of kernel.dump(encodeAddressDump, decodeAddress)) {
    const dev = names.get(index);
    // Link-local addresses are the kernel's own.
    if (dev === undefined || scope !== SCOPE.UNIVERSE) continue;
    const address = { dev, ip, prefixLength };
    found.set(addressKey(address), address);
  }
  return found;
}

function readRules(kernel: Dumper, protocol: number): ReadonlyMap<string, LookupRule> {
  const found = new Map<string, LookupRule>();
  for (const family of FAMILIES) {
    const encode: EncodeRequest = (writer, sequence) => encodeRuleDump(writer, sequence, family);
    for (const { plain, ...rule } of kernel.dump(encode, decodeRule)) {
      if (plain && rule.protocol === protocol) found.set(ruleKey(rule), rule);
    }
  }
  return found;
}

function readPeers(kernel: Dumper, tunnels: readonly PresentDevice[]): Pick<PresentState, 'neighbours' | 'forwarding'> {
  const neighbours = new Map<string, Peer>();
  const forwarding = new Map<string, Peer>();
  for (const tunnel of tunnels) {
    for (const family of FAMILIES) {
      const dump: EncodeRequest = (writer, sequence) => encodeNeighbourDump(writer, sequence, family, tunnel.index);
      // The kernel keeps others, for multicast, by itself.
      const made = peersOf(kernel, tunnel, dump).filter(({ permanent }) => permanent);
      for (const { peer } of made) neighbours.set(neighbourKey(peer), peer);
    }
    const dump: EncodeRequest = (writer, sequence) => encodeForwardingDump(writer, sequence, tunnel.index);
    for (const { peer } of peersOf(kernel, tunnel, dump)) forwarding.set(forwardingKey(peer), peer);
  }
  return { neighbours, forwarding };
}

function peersOf(
  kernel: Dumper,
  { name: dev, index }: PresentDevice,
  dump: EncodeRequest,
): { readonly peer: Peer; readonly permanent: boolean }[] {
  return kernel
    .dump(dump, decodeNeighbour)
    .filter((entry) => entry.index === index)
    .map(({ ip, mac, permanent }) => ({ peer: { dev, ip, mac }, permanent }));
}

function readRoutes(kernel: Dumper, protocol: number, names: ReadonlyMap<number, string>): ReadonlyMap<string, Route> {
  const found = new Map<string, Route>();
  for (const family of FAMILIES) {
    const encode: EncodeRequest = (writer, sequence) => encodeRouteDump(writer, sequence, { family, protocol });
    for (const { gateway = '', index = 0, type, source: _source, paths: _paths, ...rest } of kernel.dump(
      encode,
      decodeRoute,
    )) {
      if (rest.protocol !== protocol || type !== RTN_UNICAST) continue;
      const route = { ...rest, gateway, dev: names.get(index) ?? '' };
      found.set(routeKey(route), route);
    }
  }
  return found;
}
