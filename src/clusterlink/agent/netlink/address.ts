import { FLAG, IFA, IFA_FLAG, RTM } from './constants.js';
import { familyByNumber, familyNumber, familyOf, type Family } from './family.js';
import { bytesToIp, ipToBytes } from './ip-bytes.js';
import { expectBytes, type NetlinkMessage, readAttributes, readU32 } from './reader.js';
import type { MessageWriter } from './writer.js';

/** An address of a device. */
export interface InterfaceAddress {
  /** Number of the device. */
  readonly index: number;
  readonly ip: string;
  readonly prefixLength: number;
}

/** An address as the kernel describes it. */
export interface KernelAddress extends InterfaceAddress {
  readonly family: Family;
  /** `SCOPE` of linux/rtnetlink.h. */
  readonly scope: number;
  /** Not to be used as a source: deprecated, temporary, not (or not yet) known to be unique. */
  readonly unsuitable: boolean;
}

const HEAD_BYTES = 8;
const UNSUITABLE = IFA_FLAG.TEMPORARY | IFA_FLAG.DAD_FAILED | IFA_FLAG.DEPRECATED | IFA_FLAG.TENTATIVE;

/** Asks for all addresses. */
export function encodeAddressDump(writer: MessageWriter, sequence: number): void {
  writer.message({ type: RTM.GETADDR, flags: FLAG.DUMP, sequence }, () => {
    writer.u32(0);
    writer.u32(0);
  });
}

/** Adds an address, of IPv6 without waiting for duplicate detection; fails when it is there. */
export function encodeAddressAdd(writer: MessageWriter, sequence: number, address: InterfaceAddress): void {
  const flags = FLAG.ACK | FLAG.EXCLUSIVE | FLAG.CREATE;
  writer.message({ type: RTM.NEWADDR, flags, sequence }, () => writeAddress(writer, address, true));
}

/** Removes an address. */
export function encodeAddressDelete(writer: MessageWriter, sequence: number, address: InterfaceAddress): void {
  writer.message({ type: RTM.DELADDR, flags: FLAG.ACK, sequence }, () => writeAddress(writer, address, false));
}

/** Reads NEWADDR and DELADDR; undefined for families other than the two. */
export function decodeAddress({ body }: NetlinkMessage): KernelAddress | undefined {
  expectBytes(body, HEAD_BYTES);
  const family = familyByNumber(body[0] ?? 0);
  if (family === undefined) return undefined;
  const attributes = readAttributes(body, HEAD_BYTES);
  // The local address of a point-to-point device; ADDRESS is then its peer's.
  const ip = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  if (ip === undefined) return undefined;
  const flags = readU32(attributes.get(IFA.FLAGS)) ?? body[2] ?? 0;
  return {
    index: body.readUInt32LE(4),
    ip: bytesToIp(ip),
    prefixLength: body[1] ?? 0,
    family,
    scope: body[3] ?? 0,
    unsuitable: family === 'ipv6' && (flags & UNSUITABLE) !== 0,
  };
}

function writeAddress(writer: MessageWriter, { index, ip, prefixLength }: InterfaceAddress, adding: boolean): void {
  const family = familyOf(ip);
  const bytes = ipToBytes(ip);
  writer.u8(familyNumber(family));
  writer.u8(prefixLength);
  writer.u8(adding && family === 'ipv6' ? IFA_FLAG.NODAD : 0);
  writer.u8(0);
  writer.u32(index);
  writer.bytesAttribute(IFA.LOCAL, bytes);
  writer.bytesAttribute(IFA.ADDRESS, bytes);
}
