import { BlockList, isIPv6 } from 'node:net';
import type { Node } from '../../apis/core.js';

/** The ranges that a cluster gives to the pods of its nodes. */
export function podCidrsOf(nodes: readonly Node[]): readonly string[] {
  const all = nodes.flatMap(({ spec }) => spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]));
  return [...new Set(all)].sort();
}

/** The first two ranges, one of each list, that have an address in common. */
export function findOverlap(
  ones: readonly string[],
  others: readonly string[],
): readonly [one: string, other: string] | undefined {
  for (const one of ones) {
    const other = others.find((candidate) => overlaps(one, candidate));
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

function overlaps(one: string, other: string): boolean {
  return contains(one, addressOf(other)) || contains(other, addressOf(one));
}

function contains(cidr: string, address: string): boolean {
  const [network = '', bits = ''] = cidr.split('/');
  if (isIPv6(network) !== isIPv6(address)) return false;
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(address, family);
}

function addressOf(cidr: string): string {
  return cidr.split('/')[0] ?? '';
}
