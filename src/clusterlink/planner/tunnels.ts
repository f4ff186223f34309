import type { IpFamily } from '../../lib/cidr.js';
import { IP_FAMILIES } from '../../lib/cidr.js';
import type { ClusterFacts, Neighbours } from './cluster-facts.js';
import { neighboursOf, smallestMtu } from './cluster-facts.js';
import { isOlder } from './link-cluster.js';
import type { Member, TunnelEnd, TunnelEnds } from './member.js';
import type { PlanProblem } from './problems.js';

/** A node with tunnels to other clusters, and those of its ends that no other node has a better claim to. */
export interface Tunnelled {
  readonly clusterName: string;
  readonly member: Member;
  readonly ends: TunnelEnds;
}

/** All tunnels between clusters: every tunnelled node has one to each other. */
export interface Tunnels {
  /** By cluster and then by object name. */
  readonly nodes: readonly Tunnelled[];
  readonly byObjectName: ReadonlyMap<string, Tunnelled>;
  readonly neighbours: Neighbours;
  readonly mtu: Readonly<Partial<Record<IpFamily, number>>>;
  /** All prefixes that addresses in the tunnels have, sorted. */
  readonly prefixes: Readonly<Record<IpFamily, readonly string[]>>;
  readonly problems: readonly PlanProblem[];
}

/** The first Cluster is the oldest. */
export function byAge(facts: readonly ClusterFacts[]): readonly ClusterFacts[] {
  return [...facts].sort((a, b) => (isOlder(a.cluster, b.cluster) ? -1 : 1));
}

/** `facts` in the order of {@link byAge}: where two nodes would have one address, the node of the older Cluster has it. */
export function planTunnels(facts: readonly ClusterFacts[]): Tunnels {
  const problems: PlanProblem[] = [];
  const owners = new Map<string, { clusterName: string; nodeName: string }>();
  const free = (clusterName: string, { node }: Member, end: TunnelEnd): boolean => {
    const owner = owners.get(end.address.text) ?? owners.get(end.underlay.text);
    if (owner === undefined) {
      owners.set(end.address.text, { clusterName, nodeName: node.nodeName });
      owners.set(end.underlay.text, { clusterName, nodeName: node.nodeName });
      return true;
    }
    const message =
      `node ${node.nodeName} of Cluster ${clusterName} (underlay ${end.underlay.text}) and node ${owner.nodeName} of ` +
      `Cluster ${owner.clusterName} would both have the address ${end.address.text} in tunnels between clusters; ` +
      `the former has none`;
    const clusters = [...new Set([clusterName, owner.clusterName])].sort();
    problems.push({ reason: 'TunnelAddressCollision', clusters, message });
    return false;
  };
  const nodes = facts.flatMap(({ cluster, tunnelled }) =>
    tunnelled.map((member): Tunnelled => {
      const ends = Object.entries(member.ends.bridge).filter(([, end]: [string, TunnelEnd]) =>
        free(cluster.name, member, end),
      );
      return { clusterName: cluster.name, member, ends: Object.fromEntries(ends) };
    }),
  );
  nodes.sort((a, b) => compare(a.clusterName, b.clusterName) || compare(nameOf(a), nameOf(b)));
  const prefixes = (family: IpFamily): readonly string[] =>
    [...new Set(facts.flatMap(({ cluster }) => cluster.prefixes.bridge[family]?.text ?? []))].sort();
  return {
    nodes,
    byObjectName: new Map(nodes.map((tunnelled) => [nameOf(tunnelled), tunnelled])),
    neighbours: neighboursOf(nodes.map(({ member, ends }) => [member, ends])),
    mtu: smallestMtu(nodes.map(({ member }) => member)),
    prefixes: Object.fromEntries(IP_FAMILIES.map((family) => [family, prefixes(family)])) as Tunnels['prefixes'],
    problems,
  };
}

const nameOf = ({ member }: Tunnelled): string => member.node.objectName;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
