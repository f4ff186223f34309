import type { NodeConfigNeighbour } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { IpFamily } from '../../lib/cidr.js';
import type { LinkCluster } from './link-cluster.js';
import type { LinkNode } from './link-node.js';
import type { Member, PreviousMac, TunnelEnd, TunnelEnds } from './member.js';
import { compileMember, endsKey, smallest } from './member.js';
import type { Keyed } from './order.js';
import { descending } from './order.js';
import type { PlanProblem } from './problems.js';
import { VXLAN_OVERHEAD } from './settings.js';
import type { Underlays } from './underlays.js';
import { underlaysOf } from './underlays.js';

/** What follows from a Cluster and its nodes alone. */
export interface ClusterFacts {
  readonly cluster: LinkCluster;
  /** Nodes that take part, by object name. */
  readonly members: readonly Member[];
  /** Nodes that can't yet. */
  readonly waiting: readonly LinkNode[];
  /** Gateways: the active one, then the standbys in order. Empty when the cluster has none. */
  readonly candidates: readonly Member[];
  /** Equal for equal candidates. */
  readonly candidateKey: string;
  /** Nodes with tunnels to other clusters: all of a cluster in p2p mode, else the candidates. */
  readonly tunnelled: readonly Member[];
  /** Entries for tunnels inside the cluster: to every node, and to the candidates alone. */
  readonly localNeighbours: Neighbours;
  readonly candidateNeighbours: Neighbours;
  /** Addresses of nodes in the underlay. */
  readonly underlays: Underlays;
  /** The smallest MTU of the nodes' underlays, of each family. */
  readonly localMtu: Readonly<Partial<Record<IpFamily, number>>>;
  readonly problems: readonly PlanProblem[];
}

/** Entries of many nodes in descending order, each with the node that it leads to. */
export interface Neighbours {
  readonly fdbs: readonly OwnedEntry[];
  readonly arps: readonly OwnedEntry[];
}

export interface OwnedEntry extends Keyed<NodeConfigNeighbour> {
  /** Object name of the node that it leads to. */
  readonly owner: string;
  readonly family: IpFamily;
}

/** MACs of devices by the name of the node's object. */
export type PreviousMacs = (objectName: string) => PreviousMac;

export function clusterFacts(
  cluster: LinkCluster,
  nodes: readonly LinkNode[],
  previousMacs: PreviousMacs,
): ClusterFacts {
  const problems: PlanProblem[] = [...cluster.problems];
  const distinct = distinctNodes(cluster, nodes, problems);
  const compiled = distinct.map((node) => compileMember(cluster, node, previousMacs(node.objectName)) ?? node);
  const members = distinctLocals(cluster, compiled.filter(isMember), problems);
  const candidates = candidatesOf(members);
  reportMissing(cluster, { members, candidates }, problems);
  for (const member of members) reportSmallMtu(cluster, member, problems);
  return {
    cluster,
    members,
    waiting: compiled.filter((entry): entry is LinkNode => !isMember(entry)),
    candidates,
    candidateKey: JSON.stringify(
      candidates.map(({ node, ends }) => [node.nodeName, endsKey(ends.bridge), endsKey(ends.local)]),
    ),
    tunnelled: cluster.p2p ? members : candidates,
    localNeighbours: neighboursOf(members.map((member) => [member, member.ends.local])),
    candidateNeighbours: neighboursOf(candidates.map((member) => [member, member.ends.local])),
    underlays: underlaysOf(members),
    localMtu: smallestMtu(members),
    problems,
  };
}

export function neighboursOf(ends: readonly (readonly [Member, TunnelEnds])[]): Neighbours {
  const all = (list: 'fdbs' | 'arps'): readonly OwnedEntry[] =>
    descending(
      ends.flatMap(([{ node, families }, endsOfMember]) =>
        families.flatMap((family) =>
          (endsOfMember[family]?.[list] ?? []).map(({ key, item }) => ({ key, item, owner: node.objectName, family })),
        ),
      ),
    ) as readonly OwnedEntry[];
  return { fdbs: all('fdbs'), arps: all('arps') };
}

export function smallestMtu(members: readonly Member[]): Partial<Record<IpFamily, number>> {
  const of = (family: IpFamily): number | undefined =>
    smallest(members.filter(({ families }) => families.includes(family)).map(({ mtu }) => mtu));
  const ipv4 = of('ipv4');
  const ipv6 = of('ipv6');
  return { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) };
}

function isMember(entry: Member | LinkNode): entry is Member {
  return 'ends' in entry;
}

const byObjectName = (a: LinkNode, b: LinkNode): number => (a.objectName < b.objectName ? -1 : 1);

/** One entry for each node, though two objects may claim to stand for it. */
function distinctNodes(cluster: LinkCluster, nodes: readonly LinkNode[], problems: PlanProblem[]): readonly LinkNode[] {
  const byNodeName = new Map<string, LinkNode>();
  for (const node of [...nodes].sort(byObjectName)) {
    const other = byNodeName.get(node.nodeName);
    if (other === undefined) byNodeName.set(node.nodeName, node);
    else {
      const message =
        `ClusterNodes ${other.objectName} and ${node.objectName} both stand for node ${node.nodeName} ` +
        `of Cluster ${cluster.name}; the first counts`;
      problems.push({ reason: 'DuplicateNode', clusters: [cluster.name], message });
    }
  }
  return [...byNodeName.values()];
}

/** Takes away the tunnels inside the cluster from nodes whose address there another node has. */
function distinctLocals(cluster: LinkCluster, members: readonly Member[], problems: PlanProblem[]): readonly Member[] {
  const owners = new Map<string, string>();
  return members.map((member) => {
    const free = Object.entries(member.ends.local).filter(([, { address }]: [string, TunnelEnd]) => {
      const owner = owners.get(address.text);
      if (owner === undefined) owners.set(address.text, member.node.nodeName);
      else {
        const message =
          `nodes ${owner} and ${member.node.nodeName} of Cluster ${cluster.name} would both have the address ` +
          `${address.text} in tunnels inside the cluster; widen the host part of localCIDRs`;
        problems.push({ reason: 'TunnelAddressCollision', clusters: [cluster.name], message });
      }
      return owner === undefined;
    });
    if (free.length === Object.keys(member.ends.local).length) return member;
    return { ...member, ends: { ...member.ends, local: Object.fromEntries(free) } };
  });
}

/** Nodes of the gateway role first; Kosmos gives it to one, but while it moves two may have it. */
function candidatesOf(members: readonly Member[]): readonly Member[] {
  const rank = ({ node }: Member): number => (node.gateway ? 0 : (node.standbyOrder ?? 0));
  return members
    .filter(({ node }) => node.gateway || node.standbyOrder !== undefined)
    .sort((a, b) => rank(a) - rank(b) || (a.node.nodeName < b.node.nodeName ? -1 : 1));
}

function reportMissing(
  cluster: LinkCluster,
  facts: Pick<ClusterFacts, 'members' | 'candidates'>,
  problems: PlanProblem[],
): void {
  const clusters = [cluster.name];
  if (!cluster.p2p && facts.members.length > 0 && facts.candidates.length === 0) {
    problems.push({ reason: 'NoGateway', clusters, message: `Cluster ${cluster.name} has no gateway` });
  }
  const used = cluster.families.filter((family) =>
    [...cluster.podCIDRs, ...cluster.serviceCIDRs].some((cidr) => cidr.family === family),
  );
  for (const { node, families } of facts.members) {
    const missing = used.filter((family) => !families.includes(family));
    for (const family of missing) {
      const message = `node ${node.nodeName} of Cluster ${cluster.name} has no ${FAMILY_WORDS[family]} address`;
      problems.push({ reason: 'AddressMissing', clusters, message });
    }
  }
}

/** What every link must carry: RFC 8200 section 5 for IPv6, RFC 791 for what every IPv4 host must accept. */
const SMALLEST_MTU: Readonly<Record<IpFamily, number>> = { ipv4: 576, ipv6: 1280 };

function reportSmallMtu(cluster: LinkCluster, { node, families, mtu }: Member, problems: PlanProblem[]): void {
  for (const family of families) {
    const needed = SMALLEST_MTU[family] + VXLAN_OVERHEAD[family];
    if (mtu === undefined || mtu >= needed) continue;
    const message =
      `node ${node.nodeName} of Cluster ${cluster.name} carries ${mtu} bytes, ` +
      `but ${FAMILY_WORDS[family]} in tunnels needs ${needed}`;
    problems.push({ reason: 'MTUTooSmall', clusters: [cluster.name], message });
  }
}

const FAMILY_WORDS: Readonly<Record<IpFamily, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' };
