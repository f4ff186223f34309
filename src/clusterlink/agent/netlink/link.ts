import { AF, FLAG, IFF, IFLA, IFLA_INFO, IFLA_VXLAN, RTM, SKIP_STATISTICS } from './constants.js';
import { bytesToIp, bytesToMac, ipToBytes, macToBytes } from './ip-bytes.js';
import type { NetlinkMessage } from './reader.js';
import { expectBytes, readAttributes, readText, readU32 } from './reader.js';
import type { MessageWriter } from './writer.js';

/** A VXLAN device to make. */
export interface VxlanRequest {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly vni: number;
  /** UDP port of the outer packets. */
  readonly port: number;
  /** Outer source address. */
  readonly local: string;
  /** Number of the device that outer packets leave by. */
  readonly underlay: number;
}

/** What of a device can be changed while it is there; what is undefined stays. */
export interface LinkChange {
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly alias?: string | undefined;
  readonly up?: true | undefined;
}

/** What a VXLAN device is made of. */
export interface VxlanInfo {
  readonly vni: number;
  readonly port: number;
  /** Undefined when none was given. */
  readonly local: string | undefined;
  /** Undefined when none was given. */
  readonly underlay: number | undefined;
  readonly learning: boolean;
}

/** A device as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** For instance `vxlan` or `veth`; undefined for hardware. */
  readonly kind: string | undefined;
  /** Undefined for devices that have no Ethernet address. */
  readonly mac: string | undefined;
  readonly mtu: number;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly alias: string | undefined;
  readonly vxlan: VxlanInfo | undefined;
  /** Undefined when the dump left them out. */
  readonly bytes: { readonly received: number; readonly sent: number } | undefined;
}

const HEAD_BYTES = 16;

/** Asks for all devices. */
export function encodeLinkDump(
  writer: MessageWriter,
  sequence: number,
  options: { readonly statistics?: boolean } = {},
): void {
  writer.message({ type: RTM.GETLINK, flags: FLAG.DUMP, sequence }, () => {
    writeHead(writer, 0, 0);
    if (options.statistics !== true) writer.u32Attribute(IFLA.EXT_MASK, SKIP_STATISTICS);
  });
}

/** Makes a VXLAN device that doesn't learn; fails when there is one of that name. */
export function encodeVxlanAdd(writer: MessageWriter, sequence: number, request: VxlanRequest): void {
  const { name, mac, mtu, vni, port, local, underlay } = request;
  writer.message({ type: RTM.NEWLINK, flags: FLAG.ACK | FLAG.EXCLUSIVE | FLAG.CREATE, sequence }, () => {
    writeHead(writer, 0, 0);
    writer.bytesAttribute(IFLA.ADDRESS, macToBytes(mac));
    writer.u32Attribute(IFLA.MTU, mtu);
    writer.textAttribute(IFLA.IFNAME, name);
    writer.nestedAttribute(IFLA.LINKINFO, () => {
      writer.bareTextAttribute(IFLA_INFO.KIND, 'vxlan');
      writer.nestedAttribute(IFLA_INFO.DATA, () => {
        writer.u32Attribute(IFLA_VXLAN.LINK, underlay);
        writer.u32Attribute(IFLA_VXLAN.ID, vni);
        const address = ipToBytes(local);
        writer.bytesAttribute(address.length === 4 ? IFLA_VXLAN.LOCAL : IFLA_VXLAN.LOCAL6, address);
        writer.u8Attribute(IFLA_VXLAN.LEARNING, 0);
        writer.u16NetworkAttribute(IFLA_VXLAN.PORT, port);
      });
    });
  });
}

/** Changes a device that is there. */
export function encodeLinkChange(writer: MessageWriter, sequence: number, index: number, change: LinkChange): void {
  writer.message({ type: RTM.NEWLINK, flags: FLAG.ACK, sequence }, () => {
    writeHead(writer, index, change.up === true ? IFF.UP : 0);
    if (change.mac !== undefined) writer.bytesAttribute(IFLA.ADDRESS, macToBytes(change.mac));
    if (change.mtu !== undefined) writer.u32Attribute(IFLA.MTU, change.mtu);
    if (change.alias !== undefined) writer.bareTextAttribute(IFLA.IFALIAS, change.alias);
  });
}

/** Removes a device. */
export function encodeLinkDelete(writer: MessageWriter, sequence: number, index: number): void {
  writer.message({ type: RTM.DELLINK, flags: FLAG.ACK, sequence }, () => writeHead(writer, index, 0));
}

/** Reads NEWLINK and DELLINK; undefined for one that isn't about a device itself. */
export function decodeLink({ body }: NetlinkMessage): Link | undefined {
  expectBytes(body, HEAD_BYTES);
  // Bridges send messages about their ports, which look the same.
  if (body[0] !== AF.UNSPEC) return undefined;
  const flags = body.readUInt32LE(8);
  const attributes = readAttributes(body, HEAD_BYTES);
  const mac = attributes.get(IFLA.ADDRESS);
  const info = attributes.get(IFLA.LINKINFO);
  const details = info === undefined ? undefined : readAttributes(info, 0);
  const kind = readText(details?.get(IFLA_INFO.KIND));
  const data = details?.get(IFLA_INFO.DATA);
  return {
    index: body.readInt32LE(4),
    name: readText(attributes.get(IFLA.IFNAME)) ?? '',
    kind,
    mac: mac?.length === 6 ? bytesToMac(mac) : undefined,
    mtu: readU32(attributes.get(IFLA.MTU)) ?? 0,
    up: (flags & IFF.UP) !== 0,
    loopback: (flags & IFF.LOOPBACK) !== 0,
    alias: readText(attributes.get(IFLA.IFALIAS)),
    vxlan: kind === 'vxlan' && data !== undefined ? decodeVxlan(data) : undefined,
    bytes: decodeStatistics(attributes.get(IFLA.STATS64)),
  };
}

function decodeVxlan(data: Buffer): VxlanInfo {
  const attributes = readAttributes(data, 0);
  const local = attributes.get(IFLA_VXLAN.LOCAL) ?? attributes.get(IFLA_VXLAN.LOCAL6);
  const port = attributes.get(IFLA_VXLAN.PORT);
  if (port !== undefined) expectBytes(port, 2);
  return {
    vni: readU32(attributes.get(IFLA_VXLAN.ID)) ?? 0,
    port: port?.readUInt16BE(0) ?? 0,
    local: local === undefined ? undefined : bytesToIp(local),
    underlay: readU32(attributes.get(IFLA_VXLAN.LINK)),
    learning: attributes.get(IFLA_VXLAN.LEARNING)?.[0] === 1,
  };
}

/** struct rtnl_link_stats64 begins with packets received and sent, then bytes received and sent. */
function decodeStatistics(attribute: Buffer | undefined): Link['bytes'] {
  if (attribute === undefined) return undefined;
  expectBytes(attribute, 32);
  return { received: Number(attribute.readBigUInt64LE(16)), sent: Number(attribute.readBigUInt64LE(24)) };
}

/** struct ifinfomsg; `flags` are set, and only they change. */
function writeHead(writer: MessageWriter, index: number, flags: number): void {
  writer.u8(AF.UNSPEC);
  writer.u8(0);
  writer.u16(0);
  writer.u32(index);
  writer.u32(flags);
  writer.u32(flags);
}
