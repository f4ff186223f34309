import ipaddr from 'ipaddr.js';

export type IpFamily = 'ipv4' | 'ipv6';
export const IP_FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

/** An IP address. `text` is canonical (RFC 5952 for IPv6), so two addresses are the same when their texts are. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly text: string;
  /** The bits, as an unsigned number. */
  readonly value: bigint;
}

/** A network: host bits are zero, and `text` is canonical. */
export interface Cidr {
  readonly family: IpFamily;
  readonly text: string;
  readonly length: number;
  /** The lowest and the highest address in it. */
  readonly first: bigint;
  readonly last: bigint;
}

const BITS: Readonly<Record<IpFamily, number>> = { ipv4: 32, ipv6: 128 };

/** Undefined for what is no address. Leading zeros are fine in IPv6 groups, and refused in IPv4, where some read octal. */
export function parseIp(text: string): IpAddress | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return fromBytes('ipv4', ipaddr.IPv4.parse(text).toByteArray());
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  return fromBytes('ipv6', ipaddr.IPv6.parse(text).toByteArray());
}

/** The network that the text names; host bits are dropped. Undefined for what is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const ip = parseIp(address);
  const length = Number(digits);
  if (ip === undefined || length > BITS[ip.family]) return undefined;
  return network(ip.family, ip.value, length);
}

/** True when there is an address that is in both. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** True when all of `inner` is in `outer`. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

export function includesIp(cidr: Cidr, ip: IpAddress): boolean {
  return cidr.family === ip.family && cidr.first <= ip.value && ip.value <= cidr.last;
}

/** The address with the prefix of `prefix` and the host bits of `ip`, which must be of one family. */
export function ipWithPrefix(prefix: Cidr, ip: IpAddress): IpAddress {
  return address(ip.family, prefix.first | (ip.value & hostMask(prefix)));
}

/** The part of `to` that `part` of `from` is mapped to, host bits kept. `from` covers `part` and is as long as `to`. */
export function mapCidr(part: Cidr, from: Cidr, to: Cidr): Cidr {
  return network(to.family, to.first | (part.first & hostMask(from)), part.length);
}

/** The address that `ip` is mapped to, host bits kept. `from` includes `ip` and is as long as `to`. */
export function mapIp(ip: IpAddress, from: Cidr, to: Cidr): IpAddress {
  return address(to.family, to.first | (ip.value & hostMask(from)));
}

function network(family: IpFamily, value: bigint, length: number): Cidr {
  const mask = (1n << BigInt(BITS[family] - length)) - 1n;
  const last = value | mask;
  const first = last ^ mask;
  return { family, text: `${address(family, first).text}/${length}`, length, first, last };
}

const hostMask = (cidr: Cidr): bigint => cidr.first ^ cidr.last;

function fromBytes(family: IpFamily, bytes: readonly number[]): IpAddress {
  return address(
    family,
    bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
  );
}

function address(family: IpFamily, value: bigint): IpAddress {
  const bytes = Array.from({ length: BITS[family] / 8 }, (_, index) =>
    Number((value >> BigInt(BITS[family] - 8 - index * 8)) & 255n),
  );
  const text = family === 'ipv4' ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String();
  return { family, text, value };
}
