import type { LeafMode } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { VirtualNodeSpec } from '../cluster/virtual-node-spec.js';
import type { NodeCapacity } from './capacity.js';
import type { MemberNode } from './member-node.js';

/** Everything that decides how a virtual node looks. */
export interface VirtualNodeFacts {
  readonly clusterName: string;
  readonly spec: VirtualNodeSpec;
  /** The nodes behind it, as `MemberInventory.nodesBehind` gives them. */
  readonly behind: readonly MemberNode[];
  readonly capacity: NodeCapacity;
  /** Version of the member's API server, for instance `v1.36.3`. */
  readonly memberVersion: string;
  readonly kubelet: KubeletEndpoint;
}

/** Where the host's API server finds the kubelet API of the virtual node: in the manager. */
export interface KubeletEndpoint {
  /** IP addresses, at most one of each family. */
  readonly addresses: readonly string[];
  readonly port: number;
}

/** Where the host's API server finds the kubelet APIs of all virtual nodes. */
export interface KubeletEndpoints {
  /** IP addresses, at most one of each family. */
  readonly addresses: readonly string[];
  /** The port of one node; throws when there is none left for it. */
  readonly portOf: (node: string) => number;
}

/** The value that all nodes share; undefined when they differ, lack it, or there are none. */
export function agreed(
  nodes: readonly MemberNode[],
  read: (node: MemberNode) => string | undefined,
): string | undefined {
  const [first, ...others] = nodes.map(read);
  return first !== undefined && first !== '' && others.every((value) => value === first) ? first : undefined;
}

/** The one node behind a virtual node that mirrors it; undefined in the other modes and while that node is missing. */
export function mirrored(facts: {
  readonly spec: { readonly mode: LeafMode };
  readonly behind: readonly MemberNode[];
}): MemberNode | undefined {
  return facts.spec.mode === 'node' ? facts.behind[0] : undefined;
}
