import type { Resources } from '../../lib/resource-list.js';
import { remainingResources, RunningSum } from '../../lib/resource-list.js';
import { matchesLabels } from '../../lib/label-selector.js';
import { unitQuantity } from '../../lib/quantity.js';
import type { VirtualNodeSpec } from '../cluster/virtual-node-spec.js';
import type { MemberNode } from './member-node.js';

/** What the foreign pods on one node of the member take. */
export interface NodeUsage {
  readonly requests: Resources;
  readonly pods: number;
}

/** A node of the member with what is taken of it. */
export interface NodeWithUsage {
  readonly node: MemberNode;
  readonly usage: NodeUsage;
}

/** `status.capacity` and `status.allocatable` of a virtual node. */
export interface NodeCapacity {
  readonly capacity: Resources;
  readonly allocatable: Resources;
}

/** Whether the node of the member stands behind the virtual node. */
export function isBehind(spec: VirtualNodeSpec, node: MemberNode): boolean {
  switch (spec.mode) {
    case 'all':
      return true;
    case 'node':
      return node.metadata.name === spec.memberNodeName;
    case 'party':
      return matchesLabels(spec.selector, node.labels);
  }
}

/**
 * Adds up the nodes behind a virtual node. Capacity is what the available ones can give to pods, allocatable is what
 * foreign pods leave of that. Our own pods don't count: the host's scheduler reckons with them itself.
 */
export function virtualCapacity(behind: Iterable<NodeWithUsage>): NodeCapacity {
  const total = new RunningSum();
  const taken = new RunningSum();
  let pods = 0;
  for (const { node, usage } of behind) {
    if (!node.available) continue;
    total.add(node.allocatable);
    taken.add(usage.requests);
    pods += usage.pods;
  }
  taken.add(new Map([['pods', unitQuantity(pods)]]));
  const capacity = new Map(total.value);
  return { capacity, allocatable: remainingResources(capacity, taken.value) };
}
