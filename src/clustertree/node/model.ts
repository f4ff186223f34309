import type { Node, Taint } from '../../apis/core.js';
import {
  ARCH_LABEL,
  BETA_OS_LABEL,
  CLUSTER_LABEL,
  EXCLUDE_LOAD_BALANCERS_LABEL,
  HOSTNAME_LABEL,
  NODE_CLUSTER_ANNOTATION,
  NODE_LABEL,
  NODE_MANAGED_ANNOTATION,
  NODE_MODE_ANNOTATION,
  NODE_MODE_CLUSTER,
  NODE_MODE_PARTY,
  OS_LABEL,
  PROVIDER_ID_PREFIX,
  REGION_LABEL,
  ROLE_LABEL,
  ZONE_LABEL,
} from '../../apis/names.js';
import type { LeafMode } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { Labels } from '../../lib/label-selector.js';
import { isLabelValue } from '../../lib/label-syntax.js';
import { renderManagedKeys, taintKey } from '../cluster/managed-keys.js';
import type { MemberNode } from './member-node.js';
import type { VirtualNodeFacts } from './node-facts.js';
import { agreed, mirrored } from './node-facts.js';

const MODE_ANNOTATIONS: Readonly<Record<LeafMode, string | undefined>> = {
  all: NODE_MODE_CLUSTER,
  node: undefined,
  party: NODE_MODE_PARTY,
};

/** A member's own view of its nodes' roles means nothing in the host. */
const ROLE_LABELS_NOT_COPIED = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
  'node-role.kubernetes.io/node',
];

/**
 * Taints that node controllers and cloud controllers set and clear by themselves. The host's own controllers derive
 * them from the conditions of the virtual node, and would fight over copies.
 */
const CONTROLLER_TAINT_PREFIXES = ['node.kubernetes.io/', 'node.cloudprovider.kubernetes.io/'];

/**
 * Metadata and spec that the virtual node should have, with the record of {@link ManagedKeys}; without status. Can be
 * created as it is; `diffNode` compares it with what is there.
 */
export function desiredNode(facts: Omit<VirtualNodeFacts, 'capacity' | 'memberVersion' | 'kubelet'>): Node {
  const { clusterName, spec } = facts;
  const member = mirrored(facts);
  const labels = desiredLabels(facts);
  const taints = desiredTaints(spec.taints, member);
  const mode = MODE_ANNOTATIONS[spec.mode];
  const annotations: Record<string, string> = { [NODE_CLUSTER_ANNOTATION]: clusterName };
  if (mode !== undefined) annotations[NODE_MODE_ANNOTATION] = mode;
  const unschedulable = member?.unschedulable === true;
  annotations[NODE_MANAGED_ANNOTATION] = renderManagedKeys({
    labels: Object.keys(labels),
    annotations: Object.keys(annotations),
    taints: taints.map(taintKey),
    unschedulable,
  });
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: spec.nodeName, labels, annotations },
    spec: {
      providerID: `${PROVIDER_ID_PREFIX}${clusterName}/${spec.nodeName}`,
      ...(taints.length > 0 ? { taints } : {}),
      ...(unschedulable ? { unschedulable } : {}),
    },
  };
}

/** Later ones win: what the member says, then what the user says, then what makes it a virtual node. */
function desiredLabels(facts: Pick<VirtualNodeFacts, 'clusterName' | 'spec' | 'behind'>): Labels {
  const { clusterName, spec, behind } = facts;
  const identity: Record<string, string> = {
    [NODE_LABEL]: 'true',
    [ROLE_LABEL]: spec.labels[ROLE_LABEL] ?? 'agent',
    [CLUSTER_LABEL]: clusterName,
    [EXCLUDE_LOAD_BALANCERS_LABEL]: 'true',
  };
  // A node's name may be longer than a label; then the member's own choice stays, which it had to make as well.
  if (isLabelValue(spec.nodeName)) identity[HOSTNAME_LABEL] = spec.nodeName;
  const member = mirrored(facts);
  return {
    ...(member === undefined ? {} : copiedLabels(member)),
    ...agreedLabels(behind),
    ...spec.labels,
    ...identity,
  };
}

function copiedLabels(member: MemberNode): Labels {
  return Object.fromEntries(Object.entries(member.labels).filter(([key]) => !ROLE_LABELS_NOT_COPIED.includes(key)));
}

/** Architecture, system and topology, each only when it is true of every node behind. */
function agreedLabels(behind: readonly MemberNode[]): Labels {
  const labels: Record<string, string | undefined> = {
    [ARCH_LABEL]: agreed(behind, ({ info }) => info.architecture),
    [OS_LABEL]: agreed(behind, ({ info }) => info.operatingSystem),
    [BETA_OS_LABEL]: agreed(behind, ({ info }) => info.operatingSystem),
    [REGION_LABEL]: agreed(behind, (node) => node.labels[REGION_LABEL]),
    [ZONE_LABEL]: agreed(behind, (node) => node.labels[ZONE_LABEL]),
  };
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function desiredTaints(own: readonly Taint[], member: MemberNode | undefined): readonly Taint[] {
  const taken = new Set(own.map(taintKey));
  const copied = (member?.taints ?? [])
    .filter(({ key }) => !CONTROLLER_TAINT_PREFIXES.some((prefix) => key.startsWith(prefix)))
    .filter((taint) => !taken.has(taintKey(taint)))
    .map(({ key, value, effect }) => (value ? { key, value, effect } : { key, effect }));
  return [...own, ...copied];
}

/** Whether the node is a virtual node of this Cluster; Kosmos' own (Go) ones are recognised too. */
export function isOurs(node: Node, clusterName: string): boolean {
  return nodeConflict(node, clusterName) === undefined;
}

/** Why a node can't be used as a virtual node of the Cluster, in words for the user; undefined when it can. */
export function nodeConflict(node: Node, clusterName: string): string | undefined {
  const name = node.metadata?.name ?? '';
  if (node.metadata?.labels?.[NODE_LABEL] !== 'true') return `node ${name} exists and is not a virtual node`;
  const owner = node.metadata.annotations?.[NODE_CLUSTER_ANNOTATION];
  if (owner === clusterName) return undefined;
  return owner === undefined
    ? `virtual node ${name} exists and names no Cluster that it belongs to`
    : `virtual node ${name} exists and belongs to Cluster ${owner}`;
}
