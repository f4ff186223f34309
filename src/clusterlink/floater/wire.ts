import { ipToBytes } from '../agent/netlink/ip-bytes.js';
import { type Family, familyNumber, familyOf } from '../agent/netlink/family.js';

/** `struct sockaddr_in` or `sockaddr_in6`. Throws KernelError for a text that is no address. */
export function socketAddress(ip: string, port: number): Buffer {
  const bytes = ipToBytes(ip);
  const family = familyOf(ip);
  const address = Buffer.alloc(family === 'ipv4' ? 16 : 28);
  address.writeUInt16LE(familyNumber(family), 0);
  address.writeUInt16BE(port, 2);
  address.set(bytes, family === 'ipv4' ? 4 : 8);
  return address;
}

const ECHO_REQUEST: Readonly<Record<Family, number>> = { ipv4: 8, ipv6: 128 };
const ECHO_REPLY: Readonly<Record<Family, number>> = { ipv4: 0, ipv6: 129 };
const ICMP_HEAD = 8;

/** An ICMP echo question. The kernel sums up ICMPv6 itself, and puts its own identifier into those of ping sockets. */
export function encodeEcho(family: Family, identifier: number, sequence: number, content: Buffer): Buffer {
  const bytes = Buffer.alloc(ICMP_HEAD + content.length);
  bytes[0] = ECHO_REQUEST[family];
  bytes.writeUInt16BE(identifier, 4);
  bytes.writeUInt16BE(sequence, 6);
  content.copy(bytes, ICMP_HEAD);
  if (family === 'ipv4') bytes.writeUInt16BE(internetChecksum(bytes), 2);
  return bytes;
}

/** Whether this is the answer to a question with that sequence and content; identifiers may have been changed. */
export function isEchoReply(family: Family, bytes: Buffer, sequence: number, content: Buffer): boolean {
  const icmp = family === 'ipv4' ? withoutIpHead(bytes) : bytes;
  if (icmp.length < ICMP_HEAD || icmp[0] !== ECHO_REPLY[family]) return false;
  return icmp.readUInt16BE(6) === sequence && icmp.subarray(ICMP_HEAD).equals(content);
}

/** Raw sockets get IPv4 packets with their head, whose first byte is 0x45 to 0x4f; no ICMP message begins like that. */
function withoutIpHead(bytes: Buffer): Buffer {
  const first = bytes[0] ?? 0;
  return first >> 4 === 4 ? bytes.subarray((first & 0xf) * 4) : bytes;
}

/** RFC 1071. */
export function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Begins a question about sizes, of whose datagram only the head comes back. */
const SIZE_QUESTION = Buffer.from('KSMM');
const SIZE_HEAD = 8;
const HEADS: Readonly<Record<Family, number>> = { ipv4: 20 + 8, ipv6: 40 + 8 };

/** The smallest IP packet that a question about sizes fits into. */
export const SMALLEST_SIZE: Readonly<Record<Family, number>> = {
  ipv4: HEADS.ipv4 + SIZE_HEAD,
  ipv6: HEADS.ipv6 + SIZE_HEAD,
};

/** The content of a UDP datagram that makes an IP packet of so many bytes. */
export function encodeSizeQuestion(family: Family, packetBytes: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(packetBytes - HEADS[family]);
  SIZE_QUESTION.copy(bytes);
  bytes.writeUInt32BE(sequence, 4);
  return bytes;
}

/** Whether this is the answer to the question with that sequence. */
export function isSizeAnswer(bytes: Buffer, sequence: number): boolean {
  return bytes.length === SIZE_HEAD && isSizeQuestion(bytes) && bytes.readUInt32BE(4) === sequence;
}

/** What a floater sends back for a datagram: the same, but only the head of a question about sizes. */
export function answerTo(bytes: Buffer): Buffer {
  return isSizeQuestion(bytes) ? bytes.subarray(0, SIZE_HEAD) : bytes;
}

function isSizeQuestion(bytes: Buffer): boolean {
  return bytes.length >= SIZE_HEAD && bytes.subarray(0, SIZE_QUESTION.length).equals(SIZE_QUESTION);
}
