import type { Cidr, IpFamily } from '../../lib/cidr.js';
import { IP_FAMILIES, overlaps, parseCidr } from '../../lib/cidr.js';
import type { ClusterFacts } from './cluster-facts.js';
import type { LinkCluster } from './link-cluster.js';
import type { PlanProblem } from './problems.js';
import type { Tunnels } from './tunnels.js';

/** Addresses that must not be routed into tunnels, as the tunnels need them. */
export interface Hazards {
  /** What stands in the way of routing to the range, in words; undefined for nothing. */
  find(cidr: Cidr): string | undefined;
  problems(cluster: LinkCluster, cidrs: readonly Cidr[]): readonly PlanProblem[];
}

/**
 * A packet of a tunnel is routed like any other, so a route for the underlay address of a node would lead it into the
 * tunnel again. Clusters whose pods and nodes share one range have to be linked with narrower CIDRs.
 */
export function hazardsOf(facts: readonly ClusterFacts[], tunnels: Tunnels): Hazards {
  const underlays = Object.fromEntries(IP_FAMILIES.map((family) => [family, underlaysOf(facts, family)])) as Record<
    IpFamily,
    readonly Underlay[]
  >;
  const locals = facts.flatMap(({ cluster }) =>
    cluster.p2p ? [] : cluster.families.flatMap((family) => cluster.prefixes.local[family]?.text ?? []),
  );
  const prefixes = [...new Set([...tunnels.prefixes.ipv4, ...tunnels.prefixes.ipv6, ...locals])]
    .sort()
    .flatMap((text) => parseCidr(text) ?? []);
  const find = (cidr: Cidr): string | undefined => {
    const prefix = prefixes.find((tunnel) => overlaps(tunnel, cidr));
    if (prefix !== undefined) return `overlaps with ${prefix.text}, which tunnels use`;
    const underlay = firstFrom(underlays[cidr.family], cidr.first);
    if (underlay === undefined || underlay.value > cidr.last) return undefined;
    return `has the address of node ${underlay.nodeName} of Cluster ${underlay.clusterName}`;
  };
  return {
    find,
    problems: (cluster, cidrs) =>
      cidrs.flatMap((cidr) => {
        const found = find(cidr);
        if (found === undefined) return [];
        const message = `${cidr.text} of Cluster ${cluster.name} can't be routed to: it ${found}`;
        return { reason: 'CIDRNotRoutable', clusters: [cluster.name], message };
      }),
  };
}

interface Underlay {
  readonly value: bigint;
  readonly nodeName: string;
  readonly clusterName: string;
}

function underlaysOf(facts: readonly ClusterFacts[], family: IpFamily): readonly Underlay[] {
  return facts
    .flatMap(({ cluster, members }) =>
      members.flatMap(({ node, families }) => {
        const value = node.ips[family]?.value;
        if (value === undefined || !families.includes(family)) return [];
        return { value, nodeName: node.nodeName, clusterName: cluster.name };
      }),
    )
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.clusterName < b.clusterName ? -1 : 1));
}

/** The first whose address is `value` or higher. */
function firstFrom(underlays: readonly Underlay[], value: bigint): Underlay | undefined {
  let low = 0;
  let high = underlays.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = underlays[middle];
    if (entry !== undefined && entry.value < value) low = middle + 1;
    else high = middle;
  }
  return underlays[low];
}
