import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

function parseRange(text: string): Range | undefined {
  return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
}

/** The CIDR in canonical form, host bits zero; undefined when it is none. */
export function normalizeCidr(text: string): string | undefined {
  const range = parseRange(text);
  if (range === undefined) return undefined;
  const [address, length] = range;
  return `${withHost(address, address, length, 'zero').toString()}/${length}`;
}

/** Whether two CIDRs have an address in common; what is no CIDR has none with any. */
export function cidrsOverlap(left: string, right: string): boolean {
  const [one, other] = [parseRange(left), parseRange(right)];
  if (one === undefined || other === undefined || one[0].kind() !== other[0].kind()) return false;
  return matches(one[0], other[0], Math.min(one[1], other[1]));
}

/**
 * The address with the prefix of `to` instead of that of `from`, which has the same length; undefined when the address
 * is not in `from`, or the two don't fit together.
 */
export function swapPrefix(address: string, from: string, to: string): string | undefined {
  const [source, target] = [parseRange(from), parseRange(to)];
  if (source === undefined || target === undefined || !ipaddr.isValid(address)) return undefined;
  const own = ipaddr.parse(address);
  const fits = own.kind() === source[0].kind() && own.kind() === target[0].kind() && source[1] === target[1];
  return fits && matches(own, source[0], source[1]) ? withHost(target[0], own, target[1], 'own').toString() : undefined;
}

function matches(left: Address, right: Address, bits: number): boolean {
  const [one, other] = [left.toByteArray(), right.toByteArray()];
  return one.every((byte, index) => {
    const mask = maskOf(index, bits);
    return (byte & mask) === ((other[index] ?? 0) & mask);
  });
}

/** The prefix of one address, and behind it zeros or the bits of another. */
function withHost(prefix: Address, host: Address, bits: number, keep: 'zero' | 'own'): Address {
  const hostBytes = host.toByteArray();
  const bytes = prefix.toByteArray().map((byte, index) => {
    const mask = maskOf(index, bits);
    return (byte & mask) | (keep === 'own' ? (hostBytes[index] ?? 0) & ~mask & 0xff : 0);
  });
  return ipaddr.fromByteArray(bytes);
}

function maskOf(index: number, bits: number): number {
  const rest = Math.min(Math.max(bits - index * 8, 0), 8);
  return (0xff << (8 - rest)) & 0xff;
}
