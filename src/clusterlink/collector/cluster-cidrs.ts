import type { IpPool } from '../../apis/cluster-network.js';
import type { ConfigMap } from '../../apis/core.js';
import type { ClusterLinkOptions } from '../../apis/kosmos/v1alpha1/cluster.js';
import { clusterCidrFlags, serviceRangeFlags } from '../cluster/flags.js';
import type { LinkNode } from '../cluster/link-node.js';
import type { NetworkFacts } from '../cluster/network-sources.js';
import { isOwnPool } from '../cluster/own-pools.js';
import { sortedCidrs } from './node-blocks.js';
import type { Source } from '../cluster/source.js';

/** Where ranges were found. */
export type CidrOrigin =
  'Cluster' | 'ServiceCIDR' | 'ApiServerFlags' | 'Calico' | 'Flannel' | 'Cilium' | 'ControllerManagerFlags' | 'Nodes';

/** Ranges of one kind. */
export type FoundCidrs =
  | { readonly state: 'found'; readonly cidrs: readonly string[]; readonly origin: CidrOrigin }
  /** The cluster doesn't say, so its Cluster has to. */
  | { readonly state: 'missing'; readonly message: string }
  | { readonly state: 'unknown' };

/** The ranges of a cluster. */
export interface ClusterCidrs {
  readonly pods: FoundCidrs;
  readonly services: FoundCidrs;
}

/** One place to look. `undefined`: not known yet. Empty: it doesn't say. */
interface Place {
  readonly origin: CidrOrigin;
  readonly cidrs: readonly string[] | undefined;
}

const UNKNOWN: FoundCidrs = { state: 'unknown' };
const IN_ETCD = 'its Calico keeps its pools in etcd, where they are not read';

/** Finds the ranges of pods and Services of a cluster; what its Cluster says itself wins. */
export function collectCidrs(
  options: Pick<ClusterLinkOptions, 'podCIDRs' | 'serviceCIDRs'>,
  nodes: Source<LinkNode>,
  facts: NetworkFacts,
): ClusterCidrs {
  return {
    services: firstOf('serviceCIDRs', [
      { origin: 'Cluster', cidrs: options.serviceCIDRs ?? [] },
      {
        origin: 'ServiceCIDR',
        cidrs: within(facts.serviceCidrs, (ranges) => ranges.flatMap(({ spec }) => spec?.cidrs ?? [])),
      },
      { origin: 'ApiServerFlags', cidrs: within(facts.controlPlane, serviceRangeFlags) },
    ]),
    pods: podCidrs(options, nodes, facts),
  };
}

function podCidrs(
  options: Pick<ClusterLinkOptions, 'podCIDRs'>,
  nodes: Source<LinkNode>,
  facts: NetworkFacts,
): FoundCidrs {
  const stated = { origin: 'Cluster', cidrs: options.podCIDRs ?? [] } as const;
  // Its pools can't be read there, and what others say of the pods' addresses is wrong.
  if (facts.calicoInEtcd === true) return firstOf('podCIDRs', [stated], IN_ETCD);
  return firstOf('podCIDRs', [
    stated,
    { origin: 'Calico', cidrs: facts.calicoInEtcd === undefined ? undefined : within(facts.ipPools, poolCidrs) },
    { origin: 'Flannel', cidrs: within(facts.flannel, flannelCidrs) },
    { origin: 'Cilium', cidrs: within(facts.cilium, ciliumCidrs) },
    { origin: 'ControllerManagerFlags', cidrs: within(facts.controlPlane, clusterCidrFlags) },
    { origin: 'Nodes', cidrs: within(nodes, (list) => list.flatMap(({ podCIDRs }) => podCIDRs)) },
  ]);
}

/** Why a cluster whose Calico is on etcd can't be linked with these options; undefined when it can. */
export function etcdProblem(
  { networkType }: Pick<ClusterLinkOptions, 'networkType'>,
  { calicoInEtcd }: Pick<NetworkFacts, 'calicoInEtcd'>,
): string | undefined {
  if (calicoInEtcd !== true || networkType === 'gateway') return undefined;
  return 'its Calico keeps in etcd which node has which addresses; set spec.clusterLinkOptions.networkType to gateway';
}

/** The first place that says something decides; one that is not known yet must be waited for. */
function firstOf(
  field: 'podCIDRs' | 'serviceCIDRs',
  places: readonly Place[],
  why = `the cluster does not tell its ${field}`,
): FoundCidrs {
  for (const { origin, cidrs } of places) {
    if (cidrs === undefined) return UNKNOWN;
    const sorted = sortedCidrs(cidrs);
    if (sorted.length > 0) return { state: 'found', cidrs: sorted, origin };
  }
  return { state: 'missing', message: `${why}; set spec.clusterLinkOptions.${field}` };
}

function within<T>(source: Source<T>, read: (objects: readonly T[]) => readonly string[]): Place['cidrs'] {
  return source.state === 'unknown' ? undefined : read(source.objects);
}

/** Disabled pools count: pods may still have addresses of them. */
function poolCidrs(pools: readonly IpPool[]): readonly string[] {
  return pools.flatMap((pool) => (isOwnPool(pool) ? [] : (pool.spec?.cidr ?? [])));
}

function flannelCidrs(configs: readonly ConfigMap[]): readonly string[] {
  return configs.flatMap(({ data }) => {
    const network = parseObject(data?.['net-conf.json']);
    return [network['Network'], network['IPv6Network']].filter((cidr) => typeof cidr === 'string');
  });
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    // Nothing that flannel could read either.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** With another way to hand out addresses these keys may be there and mean nothing. */
function ciliumCidrs(configs: readonly ConfigMap[]): readonly string[] {
  return configs.flatMap(({ data = {} }) => {
    if (!['cluster-pool', 'cluster-pool-v2beta', undefined].includes(data['ipam'])) return [];
    return ['cluster-pool-ipv4-cidr', 'cluster-pool-ipv6-cidr'].flatMap((key) =>
      (data[key] ?? '').split(/[\s,]+/).filter((cidr) => cidr !== ''),
    );
  });
}
