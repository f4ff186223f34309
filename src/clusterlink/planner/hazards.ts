import type { Cidr } from '../../lib/cidr.js';
import { overlaps, parseCidr } from '../../lib/cidr.js';
import type { ClusterFacts } from './cluster-facts.js';
import type { LinkCluster } from './link-cluster.js';
import type { PlanProblem } from './problems.js';
import type { Tunnels } from './tunnels.js';
import { nodeInRange } from './underlays.js';

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
  const locals = facts.flatMap(({ cluster }) =>
    cluster.p2p ? [] : cluster.families.flatMap((family) => cluster.prefixes.local[family]?.text ?? []),
  );
  const prefixes = [...new Set([...tunnels.prefixes.ipv4, ...tunnels.prefixes.ipv6, ...locals])]
    .sort()
    .flatMap((text) => parseCidr(text) ?? []);
  const find = (cidr: Cidr): string | undefined => {
    const prefix = prefixes.find((tunnel) => overlaps(tunnel, cidr));
    if (prefix !== undefined) return `overlaps with ${prefix.text}, which tunnels use`;
    for (const { cluster, underlays } of facts) {
      const nodeName = nodeInRange(underlays, cidr);
      if (nodeName !== undefined) return `has the address of node ${nodeName} of Cluster ${cluster.name}`;
    }
    return undefined;
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
