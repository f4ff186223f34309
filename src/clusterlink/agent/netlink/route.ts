import { FLAG, RTA, RTM, RTN_UNICAST, RTNH_F_ONLINK, RT_TABLE_UNSPEC, SCOPE } from './constants.js';
import { familyByNumber, familyNumber, type Family } from './family.js';
import { bytesToIp, ipToBytes } from './ip-bytes.js';
import { KernelError } from './kernel-error.js';
import { expectBytes, type NetlinkMessage, readAttributes, readU32 } from './reader.js';
import { aligned, type MessageWriter } from './writer.js';

/** A route by a gateway on a device, whether or not the gateway is in a prefix of the device (`onlink`). */
export interface GatewayRoute {
  readonly family: Family;
  readonly table: number;
  readonly protocol: number;
  /** Network address; `0.0.0.0` or `::` with length 0 is everything. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /** Number of the device. */
  readonly index: number;
  readonly metric: number;
}

/** A route as the kernel describes it. */
export interface KernelRoute extends Omit<GatewayRoute, 'gateway' | 'index'> {
  /** Undefined for routes straight to a device, and for those of several paths. */
  readonly gateway: string | undefined;
  readonly index: number | undefined;
  /** Numbers of the devices of a route of several paths, in the kernel's order; else empty. */
  readonly paths: readonly number[];
  readonly type: number;
  /** The source that packets get which have none. */
  readonly source: string | undefined;
}

const HEAD_BYTES = 12;
const PATH_HEAD_BYTES = 8;
const LARGEST_TABLE_IN_HEAD = 255;
/** In the place of a device's number, for a route of several paths. */
export const NO_DEVICE = 0;
const ANY: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0', ipv6: '::' };

/** Which routes to ask for; the kernel does the filtering. */
export interface RouteFilter {
  readonly family: Family;
  readonly table?: number | undefined;
  readonly protocol?: number | undefined;
}

/** Asks for routes. An answer of ENOENT means that there is no such table, hence no such route. */
export function encodeRouteDump(writer: MessageWriter, sequence: number, filter: RouteFilter): void {
  writer.message({ type: RTM.GETROUTE, flags: FLAG.DUMP, sequence }, () => {
    const head = { family: filter.family, table: filter.table ?? RT_TABLE_UNSPEC, protocol: filter.protocol ?? 0 };
    writeHead(writer, { ...head, prefixLength: 0, scope: 0, type: 0, flags: 0 });
    if (filter.table !== undefined) writer.u32Attribute(RTA.TABLE, filter.table);
  });
}

/** Adds a route, or replaces the one with the same destination and metric. */
export function encodeRouteReplace(writer: MessageWriter, sequence: number, route: GatewayRoute): void {
  const flags = FLAG.ACK | FLAG.REPLACE | FLAG.CREATE;
  writer.message({ type: RTM.NEWROUTE, flags, sequence }, () => writeRoute(writer, route, true));
}

/** Removes exactly this route; one without a gateway (empty) or a device (0) by what else is known of it. */
export function encodeRouteDelete(writer: MessageWriter, sequence: number, route: GatewayRoute): void {
  writer.message({ type: RTM.DELROUTE, flags: FLAG.ACK, sequence }, () => writeRoute(writer, route, false));
}

/** Reads NEWROUTE and DELROUTE; undefined for families other than the two. */
export function decodeRoute({ body }: NetlinkMessage): KernelRoute | undefined {
  expectBytes(body, HEAD_BYTES);
  const family = familyByNumber(body[0] ?? 0);
  if (family === undefined) return undefined;
  const attributes = readAttributes(body, HEAD_BYTES);
  const destination = attributes.get(RTA.DST);
  const gateway = attributes.get(RTA.GATEWAY);
  const source = attributes.get(RTA.PREFSRC);
  return {
    family,
    table: readU32(attributes.get(RTA.TABLE)) ?? body[4] ?? 0,
    protocol: body[5] ?? 0,
    type: body[7] ?? 0,
    destination: destination === undefined ? ANY[family] : bytesToIp(destination),
    prefixLength: body[1] ?? 0,
    gateway: gateway === undefined ? undefined : bytesToIp(gateway),
    index: readU32(attributes.get(RTA.OIF)),
    paths: readPaths(attributes.get(RTA.MULTIPATH)),
    metric: readU32(attributes.get(RTA.PRIORITY)) ?? 0,
    source: source === undefined ? undefined : bytesToIp(source),
  };
}

/** The devices in a list of struct rtnexthop. */
function readPaths(list: Buffer | undefined): readonly number[] {
  const devices: number[] = [];
  for (let rest = list ?? Buffer.alloc(0); rest.length > 0;) {
    expectBytes(rest, PATH_HEAD_BYTES);
    const length = rest.readUInt16LE(0);
    if (length < PATH_HEAD_BYTES || length > rest.length)
      throw new KernelError("the kernel's answer can't be read: a path is cut off");
    devices.push(rest.readInt32LE(4));
    rest = rest.subarray(aligned(length));
  }
  return devices;
}

interface RouteHead {
  readonly family: Family;
  readonly prefixLength: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly flags: number;
}

/** struct rtmsg */
function writeHead(writer: MessageWriter, head: RouteHead): void {
  writer.u8(familyNumber(head.family));
  writer.u8(head.prefixLength);
  writer.u8(0);
  writer.u8(0);
  writer.u8(head.table > LARGEST_TABLE_IN_HEAD ? RT_TABLE_UNSPEC : head.table);
  writer.u8(head.protocol);
  writer.u8(head.scope);
  writer.u8(head.type);
  writer.u32(head.flags);
}

function writeRoute(writer: MessageWriter, route: GatewayRoute, adding: boolean): void {
  const kind = adding
    ? { scope: SCOPE.UNIVERSE, type: RTN_UNICAST, flags: RTNH_F_ONLINK }
    : { scope: route.family === 'ipv4' ? SCOPE.NOWHERE : SCOPE.UNIVERSE, type: 0, flags: 0 };
  writeHead(writer, {
    ...kind,
    family: route.family,
    prefixLength: route.prefixLength,
    table: route.table,
    protocol: route.protocol,
  });
  writer.bytesAttribute(RTA.DST, ipToBytes(route.destination));
  if (route.gateway !== '') writer.bytesAttribute(RTA.GATEWAY, ipToBytes(route.gateway));
  if (route.table > LARGEST_TABLE_IN_HEAD) writer.u32Attribute(RTA.TABLE, route.table);
  writer.u32Attribute(RTA.PRIORITY, route.metric);
  if (route.index !== NO_DEVICE) writer.u32Attribute(RTA.OIF, route.index);
}
