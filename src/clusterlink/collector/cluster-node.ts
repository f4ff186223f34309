import { isIPv6 } from 'node:net';
import type { ClusterNode, ClusterNodeSpec } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfigDetected } from '../../apis/kosmos/v1alpha1/node-config.js';
import { CLUSTER_LABEL } from '../../apis/names.js';
import { sameJson } from '../../lib/same-json.js';
import type { LinkNode } from '../cluster/link-node.js';
import { isLinked } from '../cluster/link-node.js';
import { distinctNodeObjectName, nodeObjectName } from '../planner/object-names.js';

/** What is known of a cluster's nodes. */
export interface NodesState {
  readonly cluster: string;
  readonly nodes: readonly LinkNode[];
  /** By the name of the node; undefined while not known, which leaves what was. */
  readonly blocks: ReadonlyMap<string, readonly string[]> | undefined;
  /** What agents found, by the name of the node. */
  readonly detected: ReadonlyMap<string, NodeConfigDetected>;
  /** All that there are in the host, of this cluster and of others. */
  readonly actual: readonly ClusterNode[];
}

export interface ClusterNodePatch {
  readonly name: string;
  readonly uid: string | undefined;
  /** Null takes a field away. */
  readonly spec: { readonly [Field in keyof ClusterNodeSpec]?: ClusterNodeSpec[Field] | null };
}

export interface ClusterNodeChanges {
  readonly create: readonly ClusterNode[];
  readonly patch: readonly ClusterNodePatch[];
  readonly remove: readonly ClusterNode[];
  /** Nodes that get none, since others have both names that it could have. */
  readonly nameless: readonly { readonly node: string; readonly taken: readonly [string, string] }[];
}

/** What the collector writes; roles are the elector's. */
const FIELDS = ['clusterName', 'nodeName', 'podCIDRs', 'ip', 'ip6', 'interfaceName', 'mtu'] as const;

/**
 * Makes the ClusterNodes of a cluster say what is known of its nodes. A ClusterNode is found by the two names in its
 * spec: `a-b` and `c` give the same name as `a` and `b-c`, and the second of them gets a digest behind it.
 */
export function diffClusterNodes(state: NodesState): ClusterNodeChanges {
  const { cluster, actual } = state;
  const own = actual.filter(({ spec }) => spec.clusterName === cluster);
  const present = new Map(own.map((object) => [object.spec.nodeName ?? '', object]));
  const taken = new Set(actual.map(({ metadata }) => metadata?.name ?? ''));
  const wanted = state.nodes.filter(isLinked);
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const missing = wanted.filter(({ metadata }) => !present.has(metadata.name));
  const candidates = missing.map((node) => ({ node, possible: namesFor(cluster, node.metadata.name) }));
  return {
    create: candidates.flatMap(({ node, possible }) => {
      const name = possible.find((each) => !taken.has(each));
      return name === undefined ? [] : [created(state, node, name)];
    }),
    nameless: candidates
      .filter(({ possible }) => possible.every((name) => taken.has(name)))
      .map(({ node, possible }) => ({ node: node.metadata.name, taken: possible })),
    patch: wanted.flatMap((node) => {
      const object = present.get(node.metadata.name);
      return object === undefined ? [] : (diffSpec(object, specOf(state, node, object.spec)) ?? []);
    }),
    remove: own.filter(({ spec }) => !names.has(spec.nodeName ?? '')),
  };
}

function created(state: NodesState, node: LinkNode, name: string): ClusterNode {
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'ClusterNode',
    metadata: { name, labels: { [CLUSTER_LABEL]: state.cluster } },
    spec: specOf(state, node, {}),
  };
}

/** The names that a ClusterNode may have, the usual one first. */
function namesFor(cluster: string, node: string): readonly [string, string] {
  return [nodeObjectName(cluster, node), distinctNodeObjectName(cluster, node)];
}

/** Until an agent has said which addresses others can reach, those that the kubelet reports are shown. */
function specOf(state: NodesState, node: LinkNode, before: ClusterNodeSpec): ClusterNodeSpec {
  const { name } = node.metadata;
  const found = state.detected.get(name);
  const reported = {
    ip: node.addresses.find((address) => !isIPv6(address)),
    ip6: node.addresses.find((address) => isIPv6(address)),
  };
  const { interfaceName, ip, ip6, mtu } = before;
  const known = interfaceName === undefined ? reported : { interfaceName, ip, ip6, mtu };
  return {
    clusterName: state.cluster,
    nodeName: name,
    podCIDRs: state.blocks?.get(name) ?? before.podCIDRs ?? [],
    ...(found === undefined
      ? known
      : { interfaceName: found.interfaceName, ip: found.ip, ip6: found.ip6, mtu: found.mtu }),
  };
}

function diffSpec(object: ClusterNode, spec: ClusterNodeSpec): ClusterNodePatch | undefined {
  const changed = FIELDS.filter((field) => !sameJson(object.spec[field], spec[field]));
  if (changed.length === 0) return undefined;
  const { name = '', uid } = object.metadata ?? {};
  return { name, uid, spec: Object.fromEntries(changed.map((field) => [field, spec[field] ?? null])) };
}
