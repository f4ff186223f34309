import type { IpPool } from '../../apis/cluster-network.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { covers, mapCidr, overlaps, parseCidr, type Cidr } from '../../lib/cidr.js';
import { isLinkWanted } from '../cluster/link-config.js';
import { isOwnPool, OWN_POOL_PREFIX } from '../cluster/own-pools.js';

/**
 * Disabled pools that cover what other clusters use, under the addresses by which this one sees it: Calico doesn't
 * change the source of packets to any pool that it knows, so that pods are seen with their own addresses. What overlaps
 * with a pool of this cluster gets none, for Calico would refuse it, and there is no route to it either.
 */
export function desiredPools(
  name: string,
  clusters: readonly Cluster[],
  pools: readonly IpPool[],
): ReadonlyMap<string, IpPool> {
  const taken = pools.flatMap((pool) => (isOwnPool(pool) ? [] : (parseCidr(pool.spec?.cidr ?? '') ?? [])));
  const others = clusters.filter((cluster) => cluster.metadata?.name !== name && isLinkWanted(cluster));
  const wanted = others.flatMap((cluster) => rangesOf(cluster));
  const desired = new Map<string, IpPool>();
  for (const { poolName, cidr } of wanted) {
    if (taken.some((range) => overlaps(range, cidr))) continue;
    taken.push(cidr);
    desired.set(poolName, poolOf(poolName, cidr.text));
  }
  return desired;
}

/** Which of the pools are to be made and which, by name, to be deleted; a pool's CIDR never changes. */
export function diffPools(
  actual: readonly IpPool[],
  desired: ReadonlyMap<string, IpPool>,
): { readonly create: readonly IpPool[]; readonly remove: readonly IpPool[] } {
  const own = actual.filter(isOwnPool);
  const isRight = (pool: IpPool): boolean =>
    desired.get(pool.metadata?.name ?? '')?.spec?.cidr === pool.spec?.cidr && pool.spec?.disabled === true;
  const present = new Set(own.filter(isRight).map((pool) => pool.metadata?.name));
  return {
    create: [...desired.values()].filter((pool) => !present.has(pool.metadata?.name)),
    remove: own.filter((pool) => !isRight(pool)),
  };
}

function rangesOf(cluster: Cluster): readonly { readonly poolName: string; readonly cidr: Cidr }[] {
  const name = cluster.metadata?.name ?? '';
  const { podCIDRs = [], serviceCIDRs = [] } = cluster.status?.clusterLinkStatus ?? {};
  const map = cluster.spec.clusterLinkOptions?.globalCIDRsMap ?? {};
  const entries = (kind: string, texts: readonly string[]): ReturnType<typeof rangesOf> =>
    texts.flatMap((text) => {
      const cidr = publishedCidr(text, map);
      if (cidr === undefined) return [];
      return [{ poolName: `${OWN_POOL_PREFIX}${name}-${kind}-${cidr.text.replaceAll(/[.:/]/g, '-')}`, cidr }];
    });
  return [...entries('pod', podCIDRs), ...entries('service', serviceCIDRs)];
}

/** By which range others see one of this cluster. */
function publishedCidr(text: string, map: Readonly<Record<string, string>>): Cidr | undefined {
  const real = parseCidr(text);
  const range = Object.entries(map)
    .map(([from, to]) => ({ from: parseCidr(from), to: parseCidr(to) }))
    .find(({ from }) => real !== undefined && from !== undefined && covers(from, real));
  if (real === undefined || range?.from === undefined || range.to === undefined) return real;
  return mapCidr(real, range.from, range.to);
}

function poolOf(name: string, cidr: string): IpPool {
  return {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'IPPool',
    metadata: { name },
    spec: {
      ...{ cidr, natOutgoing: false, disabled: true, disableBGPExport: true },
      ...{ vxlanMode: 'Never', ipipMode: 'Never', nodeSelector: 'all()' },
    },
  };
}
