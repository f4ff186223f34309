import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { covers, mapCidr, parseCidr } from '../../lib/cidr.js';
import { findOverlap } from './cidr-overlap.js';

/** What a cluster's addresses are, and what others call them. */
export interface LinkRanges {
  readonly name: string;
  readonly cidrs: readonly string[];
  readonly globalCidrs: Readonly<Record<string, string>>;
}

/** The ranges of a Cluster, as the manager has found them, or as it says itself. */
export function rangesOf({ metadata, spec, status }: Cluster): LinkRanges {
  const { podCIDRs: pods, serviceCIDRs: services, globalCIDRsMap = {} } = spec.clusterLinkOptions ?? {};
  const found = { podCIDRs: pods, serviceCIDRs: services, ...status?.clusterLinkStatus };
  const cidrs = [found.podCIDRs, found.serviceCIDRs].flatMap((ranges) => ranges ?? []);
  return { name: metadata?.name ?? '', cidrs, globalCidrs: globalCIDRsMap };
}

/** The first range that two clusters both show to others; what is mapped is shown under its global range. */
export function linkOverlap(
  one: LinkRanges,
  others: readonly LinkRanges[],
): { readonly own: string; readonly other: string; readonly cluster: string } | undefined {
  for (const other of others.filter(({ name }) => name !== one.name)) {
    const found = findOverlap(seenRanges(one), seenRanges(other));
    if (found !== undefined) return { own: found[0], other: found[1], cluster: other.name };
  }
  return undefined;
}

function seenRanges({ cidrs, globalCidrs }: LinkRanges): readonly string[] {
  const maps = Object.entries(globalCidrs).map(([own, global]) => [parseCidr(own), parseCidr(global)] as const);
  return cidrs.map((text) => {
    const cidr = parseCidr(text);
    for (const [own, global] of maps) {
      if (cidr === undefined || own === undefined || global === undefined) continue;
      if (covers(own, cidr) && own.length === global.length) return mapCidr(cidr, own, global).text;
    }
    return text;
  });
}
