import { AF, FLAG, NDA, NTF_SELF, NUD, RTM } from './constants.js';
import { familyByNumber, familyNumber, familyOf, type Family } from './family.js';
import { bytesToIp, bytesToMac, ipToBytes, macToBytes } from './ip-bytes.js';
import { expectBytes, type NetlinkMessage, readAttributes } from './reader.js';
import type { MessageWriter } from './writer.js';

/** The Ethernet address behind an IP address (of ARP or neighbour discovery). */
export interface Neighbour {
  /** Number of the device. */
  readonly index: number;
  readonly ip: string;
  readonly mac: string;
}

/** Where a VXLAN device sends frames for an Ethernet address; `ip` is the outer destination. */
export type ForwardingEntry = Neighbour;

/** Frames for addresses without an entry of their own go to all entries of this one. */
export const ALL_ZERO_MAC = '00:00:00:00:00:00';

/** A neighbour or forwarding entry as the kernel describes it. */
export interface KernelNeighbour extends Neighbour {
  readonly forwarding: boolean;
  /** Made by hand, not learned. */
  readonly permanent: boolean;
}

const HEAD_BYTES = 12;

/** Asks for the neighbours of a device. */
export function encodeNeighbourDump(writer: MessageWriter, sequence: number, family: Family, index: number): void {
  writeDump(writer, sequence, familyNumber(family), index);
}

/** Asks for the forwarding entries of a device. */
export function encodeForwardingDump(writer: MessageWriter, sequence: number, index: number): void {
  writeDump(writer, sequence, AF.BRIDGE, index);
}

/** Makes a permanent neighbour, or makes what is there this one. */
export function encodeNeighbourReplace(writer: MessageWriter, sequence: number, { index, ip, mac }: Neighbour): void {
  writer.message({ type: RTM.NEWNEIGH, flags: FLAG.ACK | FLAG.REPLACE | FLAG.CREATE, sequence }, () => {
    writeHead(writer, { family: familyNumber(familyOf(ip)), index, state: NUD.PERMANENT, flags: 0 });
    writer.bytesAttribute(NDA.DST, ipToBytes(ip));
    writer.bytesAttribute(NDA.LLADDR, macToBytes(mac));
  });
}

/** Removes a neighbour. */
export function encodeNeighbourDelete(
  writer: MessageWriter,
  sequence: number,
  { index, ip }: Omit<Neighbour, 'mac'>,
): void {
  writer.message({ type: RTM.DELNEIGH, flags: FLAG.ACK, sequence }, () => {
    // The kernel ignores the state; `ip` sends it too.
    writeHead(writer, { family: familyNumber(familyOf(ip)), index, state: NUD.PERMANENT, flags: 0 });
    writer.bytesAttribute(NDA.DST, ipToBytes(ip));
  });
}

/**
 * Adds a forwarding entry. The one address of all zeros may have many destinations, so it is added to them; for any
 * other the entry replaces the destination that there was.
 */
export function encodeForwardingAdd(writer: MessageWriter, sequence: number, entry: ForwardingEntry): void {
  const how = entry.mac === ALL_ZERO_MAC ? FLAG.APPEND : FLAG.REPLACE;
  writer.message({ type: RTM.NEWNEIGH, flags: FLAG.ACK | FLAG.CREATE | how, sequence }, () =>
    writeEntry(writer, entry),
  );
}

/** Removes exactly this forwarding entry. */
export function encodeForwardingDelete(writer: MessageWriter, sequence: number, entry: ForwardingEntry): void {
  writer.message({ type: RTM.DELNEIGH, flags: FLAG.ACK, sequence }, () => writeEntry(writer, entry));
}

/** Reads NEWNEIGH and DELNEIGH; undefined for entries without both addresses, and for other families. */
export function decodeNeighbour({ body }: NetlinkMessage): KernelNeighbour | undefined {
  expectBytes(body, HEAD_BYTES);
  const forwarding = body[0] === AF.BRIDGE;
  if (!forwarding && familyByNumber(body[0] ?? 0) === undefined) return undefined;
  const attributes = readAttributes(body, HEAD_BYTES);
  const ip = attributes.get(NDA.DST);
  const mac = attributes.get(NDA.LLADDR);
  if (ip === undefined || mac?.length !== 6) return undefined;
  return {
    index: body.readInt32LE(4),
    ip: bytesToIp(ip),
    mac: bytesToMac(mac),
    forwarding,
    permanent: (body.readUInt16LE(8) & NUD.PERMANENT) !== 0,
  };
}

function writeDump(writer: MessageWriter, sequence: number, family: number, index: number): void {
  writer.message({ type: RTM.GETNEIGH, flags: FLAG.DUMP, sequence }, () => {
    writeHead(writer, { family, index: 0, state: 0, flags: 0 });
    writer.u32Attribute(NDA.IFINDEX, index);
  });
}

function writeEntry(writer: MessageWriter, { index, ip, mac }: ForwardingEntry): void {
  writeHead(writer, { family: AF.BRIDGE, index, state: NUD.PERMANENT | NUD.NOARP, flags: NTF_SELF });
  writer.bytesAttribute(NDA.LLADDR, macToBytes(mac));
  writer.bytesAttribute(NDA.DST, ipToBytes(ip));
}

interface Head {
  readonly family: number;
  readonly index: number;
  readonly state: number;
  readonly flags: number;
}

/** struct ndmsg */
function writeHead(writer: MessageWriter, { family, index, state, flags }: Head): void {
  writer.u8(family);
  writer.u8(0);
  writer.u16(0);
  writer.u32(index);
  writer.u16(state);
  writer.u8(flags);
  writer.u8(0);
}
