import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { covers, includesIp, mapIp, parseCidr, parseIp, type Cidr } from '../../lib/cidr.js';

/** By which addresses other clusters reach the pods of one. */
export interface AddressRules {
  /** Ranges that others see as another one of the same size. */
  readonly mapped: readonly { readonly real: Cidr; readonly global: Cidr }[];
  /** Ranges of pods that others see as they are. */
  readonly plain: readonly Cidr[];
}

/** The rules of a Cluster; undefined when its pods are reached by their own addresses, or not at all. */
export function addressRules(cluster: Cluster | undefined): AddressRules | undefined {
  const options = cluster?.spec.clusterLinkOptions;
  if (options === undefined || options.enable === false) return undefined;
  const mapped = Object.entries(options.globalCIDRsMap ?? {}).flatMap(([from, to]) => {
    const [real, global] = [parseCidr(from), parseCidr(to)];
    const fits = real?.family === global?.family && real?.length === global?.length;
    return real !== undefined && global !== undefined && fits ? [{ real, global }] : [];
  });
  if (mapped.length === 0) return undefined;
  const pods = options.podCIDRs ?? cluster?.status?.clusterLinkStatus?.podCIDRs ?? [];
  const isMapped = (cidr: Cidr): boolean => mapped.some(({ real }) => covers(real, cidr));
  const plain = pods.flatMap((text) => parseCidr(text) ?? []).filter((cidr) => !isMapped(cidr));
  return { mapped, plain };
}

/**
 * The address by which others reach a pod, its host bits kept. Undefined for one that nobody else can reach: it is
 * withheld, so that no Service of the host sends anything there. In another cluster it may be somebody else's address.
 */
export function publishedIp(rules: AddressRules, address: string): string | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const range = rules.mapped.find(({ real }) => includesIp(real, ip));
  if (range !== undefined) return mapIp(ip, range.real, range.global).text;
  return rules.plain.some((cidr) => includesIp(cidr, ip)) ? address : undefined;
}
