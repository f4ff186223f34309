/** IP families of a cluster; `dual` has IPv4 first. */
export type Family = 'ipv4' | 'ipv6' | 'dual';

/** How many address blocks there are, and so how many instances can run side by side. */
export const BLOCK_COUNT = 256;
/** How many clusters fit into one block, the host included. */
export const CLUSTERS_PER_BLOCK = 30;
/** How many nodes of one cluster have an address. */
export const NODES_PER_CLUSTER = 16;

const BLOCK_SIZE = 512;
/** 198.18.0.0/15 is set aside for tests of networks (RFC 2544), so it is nobody's real network. */
const FIRST_ADDRESS = (198 << 24) + (18 << 16);
const GATEWAY_OFFSET = 1;
const CLIENT_OFFSET = 2;

/** One address per family of the instance, the cluster's primary family first. */
export type Addresses = readonly string[];

function ipv4(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

function addressesAt(block: number, family: Family, offset: number): Addresses {
  const four = ipv4(FIRST_ADDRESS + block * BLOCK_SIZE + offset);
  const six = `fd4b:6f73:${block.toString(16)}::${offset.toString(16)}`;
  if (family === 'dual') return [four, six];
  return [family === 'ipv4' ? four : six];
}

/** Addresses of the bridge in the root namespace: where a manager that runs there is reached. */
export function hostAddresses(block: number, family: Family): Addresses {
  return addressesAt(block, family, GATEWAY_OFFSET);
}

/** Addresses of the namespace for clients that make load. */
export function clientAddresses(block: number, family: Family): Addresses {
  return addressesAt(block, family, CLIENT_OFFSET);
}

/** Addresses of a node; `cluster` and `node` count from 0, cluster 0 is the host. */
export function nodeAddresses(block: number, family: Family, cluster: number, node: number): Addresses {
  if (cluster >= CLUSTERS_PER_BLOCK) throw new RangeError(`a lab has at most ${CLUSTERS_PER_BLOCK} clusters`);
  if (node >= NODES_PER_CLUSTER) throw new RangeError(`a lab cluster has at most ${NODES_PER_CLUSTER} nodes`);
  return addressesAt(block, family, (cluster + 1) * NODES_PER_CLUSTER + node);
}

/** The length of the instance's on-link prefix for an address. */
export function prefixLength(address: string): number {
  return isIpv6(address) ? 64 : 23;
}

/** Tells the family of an address or CIDR by its notation. */
export function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** Puts an IPv6 address into the brackets that a URL needs. */
export function urlHost(address: string): string {
  return isIpv6(address) ? `[${address}]` : address;
}

/** Address ranges inside a cluster; one entry per family, the primary family first. */
export interface ClusterRanges {
  readonly pods: readonly string[];
  readonly services: readonly string[];
  /** The address of the Service `kubernetes`. */
  readonly apiServiceAddress: string;
  /** The address of the cluster's DNS Service. */
  readonly dnsServiceAddress: string;
}

/** The ranges of cluster `index`; clusters with different indexes share no address. */
export function clusterRanges(family: Family, index: number): ClusterRanges {
  const four = { pods: `10.${index * 8}.0.0/14`, services: `10.${index * 8 + 4}.0.0/16` };
  const six = { pods: `fd10:0:${index.toString(16)}::/48`, services: `fd20:0:${index.toString(16)}::/112` };
  const families = { ipv4: [four], ipv6: [six], dual: [four, six] }[family];
  const servicePrefix = family === 'ipv6' ? six.services.replace('/112', '') : four.services.replace('0/16', '');
  return {
    pods: families.map((ranges) => ranges.pods),
    services: families.map((ranges) => ranges.services),
    apiServiceAddress: `${servicePrefix}1`,
    dnsServiceAddress: family === 'ipv6' ? `${servicePrefix}a` : `${servicePrefix}10`,
  };
}
