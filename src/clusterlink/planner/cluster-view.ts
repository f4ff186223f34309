import type { NodeConfigGateways, NodeConfigRoute } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { IpFamily } from '../../lib/cidr.js';
import { overlaps, parseCidr } from '../../lib/cidr.js';
import type { ClusterFacts } from './cluster-facts.js';
import type { Destination, Destinations } from './destinations.js';
import { realRanges } from './destinations.js';
import type { Nat } from './nat.js';
import { planNat } from './nat.js';
import type { Keyed } from './order.js';
import { descending, keyed } from './order.js';
import type { Tunnels } from './tunnels.js';

export interface FamilyRoute extends Keyed<NodeConfigRoute> {
  readonly family: IpFamily;
}

/** What all nodes of a cluster have in common of what lies outside of it. */
export interface ClusterView {
  /** Routes of nodes with tunnels to other clusters, and of those without, through the active gateway. */
  readonly direct: readonly FamilyRoute[];
  readonly local: readonly FamilyRoute[];
  /** Those of `direct` that go to the gateway of a cluster with standbys. */
  readonly remoteGateways: readonly NodeConfigGateways[];
  readonly nat: Nat;
}

/** `others`: facts of all clusters by name, in any order. */
export function clusterView(
  facts: ClusterFacts,
  others: readonly ClusterFacts[],
  { tunnels, destinations }: { readonly tunnels: Tunnels; readonly destinations: Destinations },
): ClusterView {
  const own = realRanges(facts.cluster);
  const visible = [...destinations.byCluster]
    .filter(([name]) => name !== facts.cluster.name)
    .flatMap(([, list]) => list)
    .filter(({ cidr }) => facts.cluster.families.includes(cidr.family) && !own.some((range) => overlaps(range, cidr)));
  return {
    direct: [...byKey([...visible.map(familyRoute), ...routesToForeignPrefixes(facts, tunnels)])],
    local: byKey(visible.flatMap((destination) => localRoute(facts, destination))),
    remoteGateways: remoteGateways(others, visible, tunnels),
    nat: planNat(facts.cluster, tunnels.prefixes),
  };
}

const byKey = (routes: readonly FamilyRoute[]): readonly FamilyRoute[] => descending(routes) as readonly FamilyRoute[];

const familyRoute = ({ cidr, route }: Destination): FamilyRoute => ({ ...route, family: cidr.family });

function localRoute({ cluster, candidates }: ClusterFacts, { cidr }: Destination): readonly FamilyRoute[] {
  const gateway = cluster.p2p ? undefined : candidates[0]?.ends.local[cidr.family];
  if (gateway === undefined) return [];
  const item = { cidr: cidr.text, gw: gateway.address.text, dev: gateway.device };
  return [{ ...keyed(item), family: cidr.family }];
}

/**
 * Hosts of a cluster whose tunnel addresses have another prefix than ours must be answered through the tunnels too; for
 * our own prefix the device's address sees to that.
 */
function routesToForeignPrefixes({ cluster }: ClusterFacts, tunnels: Tunnels): readonly FamilyRoute[] {
  const isOwn = new Set(Object.values(cluster.prefixes.bridge).map(({ text }) => text));
  return tunnels.nodes.flatMap(({ clusterName, ends }) =>
    clusterName === cluster.name
      ? []
      : Object.values(ends).flatMap((end): readonly FamilyRoute[] => {
          const { family, text } = end.address;
          if (isOwn.has(parseCidr(`${text}/${end.prefixLength}`)?.text ?? '')) return [];
          if (!cluster.families.includes(family)) return [];
          const item = { cidr: `${text}/${family === 'ipv4' ? 32 : 128}`, gw: text, dev: end.device };
          return [{ ...keyed(item), family }];
        }),
  );
}

function remoteGateways(
  others: readonly ClusterFacts[],
  visible: readonly Destination[],
  tunnels: Tunnels,
): readonly NodeConfigGateways[] {
  const cidrs = new Map<string, string[]>();
  for (const { clusterName, cidr, viaGateway } of visible) {
    if (viaGateway) cidrs.set(clusterName, [...(cidrs.get(clusterName) ?? []), cidr.text]);
  }
  return [...cidrs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([clusterName, texts]): readonly NodeConfigGateways[] => {
      const candidates = others.find(({ cluster }) => cluster.name === clusterName)?.candidates ?? [];
      if (candidates.length < 2) return [];
      return [
        {
          clusterName,
          candidates: candidates.map(({ node }) => {
            const { ipv4, ipv6 } = tunnels.byObjectName.get(node.objectName)?.ends ?? {};
            return candidateOf(node.nodeName, ipv4, ipv6);
          }),
          cidrs: texts.sort(),
        },
      ];
    });
}

interface Reachable {
  readonly address: { readonly text: string };
  readonly device: string;
}

/** The addresses under which a candidate is reached. */
export function candidateOf(
  nodeName: string,
  ipv4: Reachable | undefined,
  ipv6: Reachable | undefined,
): NodeConfigGateways['candidates'][number] {
  return {
    nodeName,
    ...(ipv4 && { gw: ipv4.address.text, dev: ipv4.device }),
    ...(ipv6 && { gw6: ipv6.address.text, dev6: ipv6.device }),
  };
}
