import type { Cidr } from '../../lib/cidr.js';
import { overlaps } from '../../lib/cidr.js';
import type { LinkCluster } from './link-cluster.js';
import { publishedCidr } from './link-cluster.js';
import type { PlanProblem } from './problems.js';

interface Ranges {
  readonly cluster: LinkCluster;
  readonly real: readonly Cidr[];
  readonly published: readonly Cidr[];
}

/** A problem for each two ranges of two Clusters that keep nodes from reaching one of them. */
export function overlapProblems(clusters: readonly LinkCluster[]): readonly PlanProblem[] {
  const all = clusters.map(rangesOf);
  return all.flatMap((a, index) => all.slice(index + 1).flatMap((b) => between(a, b)));
}

function rangesOf(cluster: LinkCluster): Ranges {
  const real = [...cluster.podCIDRs, ...cluster.serviceCIDRs];
  return { cluster, real, published: real.map((cidr) => publishedCidr(cluster, cidr)) };
}

function between(a: Ranges, b: Ranges): readonly PlanProblem[] {
  const [first, second] = a.cluster.name < b.cluster.name ? [a, b] : [b, a];
  return [
    ...pairs(first.published, second.published),
    ...pairs(first.published, second.real),
    ...pairs(first.real, second.published),
  ].map(([left, right]) => ({
    reason: 'CIDROverlap',
    clusters: [first.cluster.name, second.cluster.name],
    message:
      `${left.text} of Cluster ${first.cluster.name} and ${right.text} of Cluster ${second.cluster.name} overlap; ` +
      `map one of them with globalCIDRsMap`,
  }));
}

function pairs(left: readonly Cidr[], right: readonly Cidr[]): readonly (readonly [Cidr, Cidr])[] {
  return left.flatMap((a) => right.filter((b) => overlaps(a, b)).map((b) => [a, b] as const));
}
