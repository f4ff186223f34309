import type { NodeConfigRoute } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Cidr } from '../../lib/cidr.js';
import { covers, overlaps } from '../../lib/cidr.js';
import type { ClusterFacts } from './cluster-facts.js';
import type { Hazards } from './hazards.js';
import { hazardsOf } from './hazards.js';
import type { LinkCluster } from './link-cluster.js';
import { publishedCidr } from './link-cluster.js';
import type { TunnelEnd } from './member.js';
import type { Keyed } from './order.js';
import { keyed } from './order.js';
import { overlapProblems } from './overlaps.js';
import type { PlanProblem } from './problems.js';
import type { Tunnels } from './tunnels.js';

/** A range of a cluster that others may route to, as they see it. */
export interface Destination {
  readonly clusterName: string;
  readonly cidr: Cidr;
  /** Over the tunnel to the node that receives for it. */
  readonly route: Keyed<NodeConfigRoute>;
  /** Whether that node receives as the gateway, so that a standby can take over. */
  readonly viaGateway: boolean;
}

export interface Destinations {
  readonly byCluster: ReadonlyMap<string, readonly Destination[]>;
  readonly problems: readonly PlanProblem[];
}

/** Ranges of the cluster itself: nothing is routed away that could be meant for them. */
export function realRanges(cluster: LinkCluster): readonly Cidr[] {
  return [...cluster.podCIDRs, ...cluster.serviceCIDRs];
}

/**
 * What can be routed to. `facts` is in the order of age: of two ranges that overlap, the one of the older Cluster stays
 * reachable, so that a Cluster which joins takes no traffic away from others.
 */
export function planDestinations(facts: readonly ClusterFacts[], tunnels: Tunnels): Destinations {
  const hazards = hazardsOf(facts, tunnels);
  const earlier: Cidr[] = [];
  const byCluster = new Map<string, readonly Destination[]>();
  const problems: PlanProblem[] = [...overlapProblems(facts.map(({ cluster }) => cluster))];
  for (const cluster of facts) {
    const accepts = acceptance(cluster.cluster, [...earlier], hazards);
    const wanted = wantedDestinations(cluster, tunnels);
    byCluster.set(cluster.cluster.name, distinct(wanted.filter(({ cidr }) => accepts(cidr))));
    const claims = realRanges(cluster.cluster).map((cidr) => publishedCidr(cluster.cluster, cidr));
    const blocks = wanted.map(({ cidr }) => cidr).filter((cidr) => !claims.some((claim) => covers(claim, cidr)));
    earlier.push(...claims, ...blocks);
    problems.push(...hazards.problems(cluster.cluster, [...claims, ...blocks]));
  }
  return { byCluster, problems };
}

/** The verdict on a whole range of the cluster, where it is good, is that on its parts too; there may be very many. */
function acceptance(cluster: LinkCluster, earlier: readonly Cidr[], hazards: Hazards): (cidr: Cidr) => boolean {
  const isFree = (cidr: Cidr): boolean =>
    !earlier.some((other) => overlaps(other, cidr)) && hazards.find(cidr) === undefined;
  const free = realRanges(cluster)
    .map((cidr) => publishedCidr(cluster, cidr))
    .filter(isFree);
  return (cidr) => free.some((range) => covers(range, cidr)) || isFree(cidr);
}

function wantedDestinations(facts: ClusterFacts, tunnels: Tunnels): readonly Destination[] {
  const { cluster, candidates, tunnelled } = facts;
  const endsOf = (objectName: string): Partial<Record<Cidr['family'], TunnelEnd>> =>
    tunnels.byObjectName.get(objectName)?.ends ?? {};
  const to = (objectName: string, cidrs: readonly Cidr[], viaGateway: boolean): readonly Destination[] =>
    cidrs.flatMap((real) => {
      const cidr = publishedCidr(cluster, real);
      const end = endsOf(objectName)[cidr.family];
      if (end === undefined) return [];
      const route = keyed({ cidr: cidr.text, gw: end.address.text, dev: end.device });
      return { clusterName: cluster.name, cidr, route, viaGateway };
    });
  const active = candidates[0]?.node.objectName ?? '';
  const services = to(active, cluster.serviceCIDRs, true);
  if (!cluster.p2p) return [...services, ...to(active, cluster.podCIDRs, true)];
  return [...services, ...tunnelled.flatMap(({ node }) => to(node.objectName, node.podCIDRs, false))];
}

/** A range has one route; of two nodes that claim it, the first has it. */
function distinct(destinations: readonly Destination[]): readonly Destination[] {
  const byText = new Map<string, Destination>();
  for (const destination of destinations) {
    if (!byText.has(destination.cidr.text)) byText.set(destination.cidr.text, destination);
  }
  return [...byText.values()];
}
