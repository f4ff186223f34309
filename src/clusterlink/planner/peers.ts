import type { NodeConfigPeer } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { ClusterFacts } from './cluster-facts.js';
import type { LinkNode } from './link-node.js';
import type { Member, TunnelEnds } from './member.js';
import type { PlannerSettings } from './settings.js';
import type { Tunnels } from './tunnels.js';

/**
 * Whom a node with tunnels to other clusters probes: the next ones of other clusters in the circle of all such nodes. So
 * each node is probed by as many as it probes, and a node that comes or goes changes little.
 */
export function tunnelPeers(
  tunnels: Tunnels,
  node: LinkNode,
  { probePeers }: PlannerSettings,
): readonly NodeConfigPeer[] {
  const { nodes } = tunnels;
  const self = nodes.findIndex(({ member }) => member.node.objectName === node.objectName);
  const peers: NodeConfigPeer[] = [];
  for (let step = 1; step < nodes.length && peers.length < probePeers; step += 1) {
    const other = nodes[(self + step) % nodes.length];
    if (other === undefined || other.clusterName === node.clusterName) continue;
    const peer = peerOf(other.member, other.ends, nodes[self]?.ends ?? {});
    if (peer !== undefined) peers.push(peer);
  }
  return peers.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Whom the other nodes of a cluster in gateway mode probe: their gateways. */
export function gatewayPeers({ candidates }: ClusterFacts, member: Member): readonly NodeConfigPeer[] {
  return candidates.flatMap((candidate) => peerOf(candidate, candidate.ends.local, member.ends.local) ?? []);
}

function peerOf({ node }: Member, ends: TunnelEnds, own: TunnelEnds): NodeConfigPeer | undefined {
  const ipv4 = own.ipv4 && ends.ipv4;
  const ipv6 = own.ipv6 && ends.ipv6;
  if (ipv4 === undefined && ipv6 === undefined) return undefined;
  return {
    clusterName: node.clusterName,
    nodeName: node.nodeName,
    ...(ipv4 && { ip: ipv4.address.text }),
    ...(ipv6 && { ip6: ipv6.address.text }),
  };
}

const nameOf = ({ clusterName, nodeName }: NodeConfigPeer): string => `${clusterName}/${nodeName}`;
