import type { KubeObject, Node, Pod } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { ACTUAL_CLUSTER_LABEL, NODE_CLUSTER_ANNOTATION, NODE_LABEL } from '../../apis/names.js';
import { rootCaName } from '../../clustertree/cluster/member-names.js';
import type { ClusterConfig } from '../../clustertree/cluster/options.js';
import type { Ownership } from '../../clustertree/cluster/ownership.js';
import { podReferences } from '../../clustertree/cluster/pod-references.js';
import { clusterOfNode } from '../../clustertree/cluster/virtual-node.js';
import { CONFIG_MAP_KIND, SECRET_KIND, type CopiedKind } from '../../clustertree/config/kinds.js';
import { claims, keyOf, objectKey, pods, services, type ObjectKey } from '../../kube/resource.js';
import { labelOf, nameOf } from '../fields.js';
import { judgeClaim } from './claims.js';
import { judgeCopy } from './copies.js';
import { found, problem, type Finding } from './judgement.js';
import { judgePod } from './pods.js';
import type { HostView, MemberView } from './views.js';

/** Names of the virtual nodes that the manager will take for those of the Cluster. */
export function usableNodes({ name, virtualNodes }: ClusterConfig, all: readonly Node[]): ReadonlySet<string> {
  const wanted = new Set(virtualNodes.map(({ nodeName }) => nodeName));
  const usable = all.filter((node) => {
    const owner = node.metadata?.annotations?.[NODE_CLUSTER_ANNOTATION] ?? name;
    return wanted.has(nameOf(node)) && node.metadata?.labels?.[NODE_LABEL] === 'true' && owner === name;
  });
  return new Set(usable.map(nameOf));
}

/** The host's pods on these nodes. */
export function podsOn(nodes: ReadonlySet<string>, host: Pick<HostView, 'pods'>): readonly Pod[] {
  return [...host.pods.values()].filter(({ spec }) => nodes.has(spec?.nodeName ?? ''));
}

/** What becomes of everything in a member; what is volumes, and what pods need, comes before the pods. */
export function judgeMember(
  host: HostView,
  member: MemberView,
  config: ClusterConfig,
  ownership: Ownership,
): readonly Finding[] {
  const bound = podsOn(usableNodes(config, host.nodes), host);
  return [
    ...judgeClaims(host, member, config, ownership),
    ...judgeCopies(
      { kind: CONFIG_MAP_KIND, hosts: host.configMaps, copies: member.configMaps },
      bound,
      member,
      ownership,
    ),
    ...judgeCopies({ kind: SECRET_KIND, hosts: host.secrets, copies: member.secrets }, bound, member, ownership),
    ...judgePods(member, { bound, others: otherPods(host, config), all: host.pods }, ownership),
    ...judgeImports(member, ownership),
  ];
}

function judgeClaims(
  host: HostView,
  member: MemberView,
  { virtualNodes }: ClusterConfig,
  ownership: Ownership,
): readonly Finding[] {
  return [...member.claims].flatMap(([key, memberClaim]) => {
    const hostClaim = host.claims.get(key);
    const pair = {
      ...{ hostClaim, memberClaim },
      hostVolume: host.volumes.get(hostClaim?.spec?.volumeName ?? ''),
      memberVolume: member.volumes.get(memberClaim.spec?.volumeName ?? ''),
      virtualNodes: virtualNodes.map(({ nodeName }) => nodeName),
    };
    const judgement = judgeClaim(pair, ownership);
    return judgement === undefined ? [] : [found(ownership.clusterName, claims, memberClaim, judgement)];
  });
}

/** All objects of one kind. */
interface Copies {
  readonly kind: CopiedKind;
  readonly hosts: ReadonlyMap<ObjectKey, KubeObject>;
  readonly copies: ReadonlyMap<ObjectKey, KubeObject>;
}

function judgeCopies(
  { kind, hosts, copies }: Copies,
  bound: readonly Pod[],
  { namespaces }: MemberView,
  ownership: Ownership,
): readonly Finding[] {
  const used = new Set(
    bound.flatMap((pod) =>
      kind.referencesOf(podReferences(pod)).map(({ name }) => keyOf({ namespace: pod.metadata?.namespace, name })),
    ),
  );
  return [...copies.values()].flatMap((copy) => {
    const { namespace = '', name: memberName = '' } = copy.metadata ?? {};
    const name = kind.hostName(memberName);
    const rootCa = rootCaName(namespaces.get(namespace), ownership);
    // The member's own root certificates have the name that the host's have there.
    if (kind.memberName(name, rootCa) !== memberName) return [];
    const key = keyOf({ namespace, name });
    const judgement = judgeCopy({ kind, hostObject: hosts.get(key), copy, isUsed: used.has(key) }, ownership);
    return judgement === undefined ? [] : [found(ownership.clusterName, kind.type, copy, judgement)];
  });
}

/** The host's pods. */
interface HostPods {
  /** On the Cluster's virtual nodes. */
  readonly bound: readonly Pod[];
  /** Keys of those on virtual nodes of other Clusters that are the same member: their copies are there too. */
  readonly others: ReadonlySet<ObjectKey>;
  readonly all: ReadonlyMap<ObjectKey, Pod>;
}

function otherPods({ clusters, nodes, pods: all }: HostView, config: ClusterConfig): ReadonlySet<ObjectKey> {
  const isSibling = (name: string | undefined): boolean =>
    name !== config.name && clusters.some((other) => nameOf(other) === name && actualName(other) === config.actualName);
  const names = new Set(nodes.filter((node) => isSibling(clusterOfNode(node))).map(nameOf));
  return new Set([...all].filter(([, { spec }]) => names.has(spec?.nodeName ?? '')).map(([key]) => key));
}

function actualName(cluster: Cluster): string {
  return labelOf(cluster, ACTUAL_CLUSTER_LABEL) ?? nameOf(cluster);
}

function judgePods(member: MemberView, { bound, others, all }: HostPods, ownership: Ownership): readonly Finding[] {
  const hostPods = new Map(bound.map((pod) => [objectKey(pod), pod]));
  const keys = new Set([...hostPods.keys(), ...member.pods.keys()]);
  return [...keys].flatMap((key) => {
    const hostPod = hostPods.get(key);
    if (hostPod === undefined && others.has(key)) return [];
    const pair = { hostPod, memberPod: member.pods.get(key), isElsewhere: hostPod === undefined && all.has(key) };
    const judgement = judgePod(pair, ownership);
    return judgement === undefined ? [] : [{ cluster: ownership.clusterName, kind: pods.kind, name: key, judgement }];
  });
}

function judgeImports({ imports }: MemberView, { clusterName: cluster }: Ownership): readonly Finding[] {
  if (imports === 0) return [];
  const why = 'were imported from the host, and nobody keeps their endpoints up to date any more';
  return [{ cluster, kind: services.kind, name: `${imports} Services`, judgement: problem(why) }];
}
