import type {
  NodeConfigDevice,
  NodeConfigGateways,
  NodeConfigNeighbour,
  NodeConfigRoute,
  NodeConfigSpec,
} from '../../apis/kosmos/v1alpha1/node-config.js';
import type { ClusterFacts, OwnedEntry } from './cluster-facts.js';
import type { ClusterView, FamilyRoute } from './cluster-view.js';
import { candidateOf } from './cluster-view.js';
import type { LinkCluster } from './link-cluster.js';
import type { LinkNode } from './link-node.js';
import type { Member, TunnelEnds } from './member.js';
import { endsKey } from './member.js';
import { NO_NAT } from './nat.js';
import { mergeDescending, ordered } from './order.js';
import { gatewayPeers, tunnelPeers } from './peers.js';
import type { PlannerSettings, TunnelKind } from './settings.js';
import { agentSettings, VXLAN_OVERHEAD } from './settings.js';
import type { Tunnels } from './tunnels.js';

/** All that the config of a node is made of. */
export interface RenderInput {
  readonly member: Member;
  readonly facts: ClusterFacts;
  readonly view: ClusterView;
  readonly tunnels: Tunnels;
  readonly settings: PlannerSettings;
}

/** The config of a node that can't take part yet: its agent only detects and reports. */
export function renderWaiting(cluster: LinkCluster, node: LinkNode, settings: PlannerSettings): NodeConfigSpec {
  return {
    clusterName: node.clusterName,
    nodeName: node.nodeName,
    detection: cluster.detection(node.nodeName),
    settings: agentSettings(settings),
  };
}

export function renderMember(input: RenderInput): NodeConfigSpec {
  const { member, facts, view, settings } = input;
  const { node } = member;
  const role = roleOf(input);
  const fdbs = neighboursOf(input, role, 'fdbs');
  const arps = neighboursOf(input, role, 'arps');
  const { nat, iptables } = role.tunnelled === undefined ? NO_NAT : view.nat;
  const gateways = gatewaysOf(input, role);
  const peers = role.tunnelled === undefined ? gatewayPeers(facts, member) : tunnelPeers(input.tunnels, node, settings);
  return {
    clusterName: node.clusterName,
    nodeName: node.nodeName,
    devices: devicesOf(input, role),
    routes: routesOf(member, role.direct ? view.direct : view.local, role),
    iptables,
    fdbs,
    arps,
    nat,
    detection: facts.cluster.detection(node.nodeName),
    ...(gateways.length > 0 && { gateways }),
    ...(peers.length > 0 && { peers }),
    settings: agentSettings(settings),
  };
}

/** What {@link renderMember} looks at: equal parts give an equal config. */
export function memberParts(input: RenderInput): readonly unknown[] {
  const { member, facts, view, tunnels } = input;
  const { tunnelled, direct, candidate } = roleOf(input);
  const ends = [endsKey(member.ends.bridge), endsKey(member.ends.local)];
  const own = [member.node, facts.cluster, ...ends, facts.candidateKey, JSON.stringify(facts.localMtu)];
  const inside = candidate ? keysOf(facts.localNeighbours.fdbs) + keysOf(facts.localNeighbours.arps) : '';
  if (tunnelled === undefined) return [...own, view.local];
  const outside = [endsKey(tunnelled), tunnels.neighbours, JSON.stringify(tunnels.mtu), view.nat, view.remoteGateways];
  return [...own, inside, direct, ...outside, view.direct, view.local];
}

interface Role {
  /** Ends of the node's tunnels to other clusters; undefined for a node without any. */
  readonly tunnelled: TunnelEnds | undefined;
  /** Sends to other clusters itself, not through the gateway of its cluster. */
  readonly direct: boolean;
  /** The active gateway of its cluster, or a standby. */
  readonly candidate: boolean;
}

function roleOf({ member, facts, tunnels }: RenderInput): Role {
  const { objectName } = member.node;
  const isSelf = (other: Member): boolean => other.node.objectName === objectName;
  const active = facts.candidates[0];
  return {
    tunnelled: tunnels.byObjectName.get(objectName)?.ends,
    direct: facts.cluster.p2p || (active !== undefined && isSelf(active)),
    candidate: facts.candidates.some(isSelf),
  };
}

function devicesOf({ member, facts, tunnels, settings }: RenderInput, role: Role): readonly NodeConfigDevice[] {
  const devices = (kind: TunnelKind, ends: TunnelEnds, mtus: Tunnels['mtu']): readonly NodeConfigDevice[] =>
    member.families.flatMap((family): readonly NodeConfigDevice[] => {
      const end = ends[family];
      if (end === undefined) return [];
      const { vni, port } = settings.tunnels[kind][family];
      const mtu = member.mtu === undefined ? undefined : mtus[family];
      return [
        {
          type: 'vxlan',
          name: end.device,
          addr: `${end.address.text}/${end.prefixLength}`,
          mac: end.mac,
          bindDev: member.interfaceName,
          id: vni,
          port,
          ...(mtu !== undefined && { mtu: mtu - VXLAN_OVERHEAD[family] }),
        },
      ];
    });
  return ordered([
    ...devices('local', member.ends.local, facts.localMtu),
    ...devices('bridge', role.tunnelled ?? {}, tunnels.mtu),
  ]);
}

/** Only what the node has a device for. */
function routesOf(member: Member, routes: readonly FamilyRoute[], role: Role): readonly NodeConfigRoute[] {
  const ends = role.direct ? (role.tunnelled ?? {}) : member.ends.local;
  return routes.filter(({ family }) => ends[family] !== undefined).map(({ item }) => item);
}

function neighboursOf(input: RenderInput, role: Role, list: 'fdbs' | 'arps'): readonly NodeConfigNeighbour[] {
  const { member, facts, tunnels } = input;
  const reachable = (entries: readonly OwnedEntry[], ends: TunnelEnds): readonly OwnedEntry[] =>
    entries.filter(({ owner, family }) => owner !== member.node.objectName && ends[family] !== undefined);
  const local = role.candidate ? facts.localNeighbours : facts.candidateNeighbours;
  return mergeDescending(
    reachable(tunnels.neighbours[list], role.tunnelled ?? {}),
    reachable(local[list], member.ends.local),
  ).map(({ item }) => item);
}

function gatewaysOf(input: RenderInput, role: Role): readonly NodeConfigGateways[] {
  const { facts, view } = input;
  const remote = role.tunnelled === undefined ? [] : view.remoteGateways;
  if (facts.cluster.p2p || facts.candidates.length < 2) return remote;
  return [ownGateways(input, role), ...remote];
}

function ownGateways({ member, facts, view }: RenderInput, role: Role): NodeConfigGateways {
  const candidates = facts.candidates.map(({ node, ends }) =>
    node.objectName === member.node.objectName
      ? { nodeName: node.nodeName, self: true }
      : candidateOf(node.nodeName, ends.local.ipv4, ends.local.ipv6),
  );
  const switching = new Set(view.remoteGateways.flatMap(({ cidrs }) => cidrs));
  const direct = routesOf(member, view.direct, { ...role, direct: true });
  const directRoutes = role.candidate ? direct.filter(({ cidr }) => !switching.has(cidr)) : [];
  return {
    clusterName: facts.cluster.name,
    candidates,
    cidrs: view.local.map(({ item }) => item.cidr),
    ...(directRoutes.length > 0 && { directRoutes }),
  };
}

const keysOf = (list: readonly { readonly key: string }[]): string => list.map(({ key }) => key).join();
