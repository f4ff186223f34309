import type { Cidr, IpFamily } from '../../lib/cidr.js';
import { IP_FAMILIES } from '../../lib/cidr.js';
import type { Member } from './member.js';

interface Underlay {
  readonly value: bigint;
  readonly nodeName: string;
}

/** Underlay addresses of the nodes of a cluster, lowest first. */
export type Underlays = Readonly<Record<IpFamily, readonly Underlay[]>>;

export function underlaysOf(members: readonly Member[]): Underlays {
  const of = (family: IpFamily): readonly Underlay[] =>
    members
      .flatMap(({ node, families }) => {
        const ip = families.includes(family) ? node.ips[family] : undefined;
        return ip === undefined ? [] : { value: ip.value, nodeName: node.nodeName };
      })
      .sort((a, b) => (a.value === b.value ? (a.nodeName < b.nodeName ? -1 : 1) : a.value < b.value ? -1 : 1));
  return Object.fromEntries(IP_FAMILIES.map((family) => [family, of(family)])) as Underlays;
}

/** Name of a node whose underlay address is in the range. */
export function nodeInRange(underlays: Underlays, cidr: Cidr): string | undefined {
  const sorted = underlays[cidr.family];
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = sorted[middle];
    if (entry !== undefined && entry.value < cidr.first) low = middle + 1;
    else high = middle;
  }
  const found = sorted[low];
  return found !== undefined && found.value <= cidr.last ? found.nodeName : undefined;
}
