import type { IpPool } from '../../apis/cluster-network.js';

/** Begins the names of the pools that tell Calico of ranges of other clusters, as Kosmos has it. */
export const OWN_POOL_PREFIX = 'clusterlink-';

/** Whether the pool only tells Calico of ranges of another cluster. */
export function isOwnPool({ metadata }: IpPool): boolean {
  return metadata?.name?.startsWith(OWN_POOL_PREFIX) === true;
}
