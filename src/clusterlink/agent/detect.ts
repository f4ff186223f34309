import type { NodeConfigDetected, NodeConfigDetection } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Underlay } from './desired.js';
import type { KernelAddress } from './netlink/address.js';
import { RTN_UNICAST, SCOPE } from './netlink/constants.js';
import { FAMILIES, type Family } from './netlink/family.js';
import { KernelError } from './netlink/kernel-error.js';
import type { Link } from './netlink/link.js';
import type { KernelRoute } from './netlink/route.js';
import { containsIp } from './prefix.js';
import { OWN_ALIAS } from './state.js';

/** What the kernel says of devices, their addresses, and the routes of the main table. */
export interface Surroundings {
  readonly links: readonly Link[];
  readonly addresses: readonly KernelAddress[];
  readonly routes: readonly KernelRoute[];
}

/**
 * The interface that tunnels use, and its addresses: the one of the given name (exactly), the one that the route to an
 * address leads to, or the one of the default route. Throws KernelError when there is none, or it has no address.
 */
export function detectUnderlay(detection: NodeConfigDetection | undefined, around: Surroundings): NodeConfigDetected {
  const link = findLink(detection, around);
  const { ip, ip6 } = describe(link, around);
  if (ip === undefined && ip6 === undefined) throw new KernelError(`the interface ${link.name} has no address`);
  return {
    interfaceName: link.name,
    mtu: link.mtu,
    ...(ip !== undefined && { ip }),
    ...(ip6 !== undefined && { ip6 }),
  };
}

/** What tunnels over an interface have to know of it; undefined when it isn't there. */
export function underlayOf(name: string, around: Surroundings): Underlay | undefined {
  const link = around.links.find((one) => one.name === name);
  return link === undefined ? undefined : describe(link, around);
}

function describe(link: Link, around: Surroundings): Underlay {
  return { mtu: link.mtu, ip: addressOf(link, 'ipv4', around), ip6: addressOf(link, 'ipv6', around) };
}

function findLink(detection: NodeConfigDetection | undefined, { links, routes }: Surroundings): Link {
  if (detection?.method === 'interface') {
    const name = detection.interfaceName ?? '';
    const named = links.find((link) => link.name === name);
    if (named === undefined) throw new KernelError(`there is no interface ${name}`);
    return named;
  }
  const candidates = links.filter(({ loopback, alias }) => !loopback && alias !== OWN_ALIAS);
  // Of several paths that to the first device counts, so that it is always the same one.
  const linkOf = (route: KernelRoute | undefined): Link | undefined =>
    candidates.find(({ index }) => route !== undefined && leadsTo(route, index));
  const usable = routes.filter((route) => route.type === RTN_UNICAST && linkOf(route) !== undefined);
  const target = detection?.method === 'canReach' ? detection.canReach : undefined;
  const route = target === undefined ? defaultRoute(usable) : bestRoute(usable, target);
  const link = linkOf(route);
  if (link === undefined)
    throw new KernelError(`there is no ${target === undefined ? 'default route' : `route to ${target}`}`);
  return link;
}

function leadsTo({ index, paths }: KernelRoute, device: number): boolean {
  return index === device || paths.includes(device);
}

/** That of IPv4 decides when both families have one. */
function defaultRoute(routes: readonly KernelRoute[]): KernelRoute | undefined {
  const defaults = FAMILIES.map((family) =>
    best(routes.filter((route) => route.family === family && route.prefixLength === 0)),
  );
  return defaults.find((route) => route !== undefined);
}

function bestRoute(routes: readonly KernelRoute[], target: string): KernelRoute | undefined {
  return best(routes.filter(({ destination: ip, prefixLength }) => containsIp({ ip, prefixLength }, target)));
}

/** The longest prefix wins, then the lowest metric. */
function best(routes: readonly KernelRoute[]): KernelRoute | undefined {
  return [...routes].sort((one, other) => other.prefixLength - one.prefixLength || one.metric - other.metric)[0];
}

/** The source that routes name comes first: a host with several addresses has it for a reason. */
function addressOf(link: Link, family: Family, { addresses, routes }: Surroundings): string | undefined {
  const usable = addresses.filter(
    (address) =>
      address.index === link.index &&
      address.family === family &&
      address.scope === SCOPE.UNIVERSE &&
      !address.unsuitable,
  );
  const preferred = best(
    routes.filter(
      (route) =>
        route.family === family && leadsTo(route, link.index) && route.source !== undefined && route.prefixLength === 0,
    ),
  )?.source;
  return usable.find(({ ip }) => ip === preferred)?.ip ?? usable[0]?.ip;
}
