import { NO_RESOURCES, RunningSum } from '../../lib/resource-list.js';
import { sameJson } from '../../lib/same-json.js';
import type { VirtualNodeSpec } from '../cluster/virtual-node-spec.js';
import type { NodeCapacity, NodeUsage, NodeWithUsage } from './capacity.js';
import { isBehind, virtualCapacity } from './capacity.js';
import type { ForeignPod } from './foreign-pod.js';
import type { MemberNode } from './member-node.js';

interface RunningUsage {
  readonly sum: RunningSum;
  pods: number;
}

const UNUSED: NodeUsage = { requests: NO_RESOURCES, pods: 0 };

/**
 * The nodes of one member and the sums of what foreign pods take of each, kept up to date by single changes: a pod
 * event costs one subtraction and one addition, whatever the size of the member. The pods themselves stay in the cache
 * that tells of the changes, and are not held a second time. A pod may be there before its node.
 */
export class MemberInventory {
  readonly #nodes = new Map<string, MemberNode>();
  /** Made when asked for; undefined after a change. */
  #labelKeys: ReadonlySet<string> | undefined;
  readonly #usage = new Map<string, RunningUsage>();

  /** Adds a node or replaces what was known of it. */
  setNode(node: MemberNode): void {
    const before = this.#nodes.get(node.metadata.name);
    if (before === undefined || !sameJson(before.labels, node.labels)) this.#labelKeys = undefined;
    this.#nodes.set(node.metadata.name, node);
  }

  /** The node is gone; its pods go with their own events. */
  deleteNode(name: string): void {
    this.#nodes.delete(name);
    this.#labelKeys = undefined;
  }

  /**
   * A foreign pod changed from what it was to what it is; undefined means that it was not, or is no more, there. Each
   * change has to be told once, with the very values of the cache, as the handlers of an informer are told of it.
   *
   * @returns whether any sum changed.
   */
  changePod(before: ForeignPod | undefined, after: ForeignPod | undefined): boolean {
    if (before?.nodeName === after?.nodeName && before?.requests === after?.requests) return false;
    if (before !== undefined) this.#release(before);
    if (after !== undefined) this.#take(after);
    return true;
  }

  node(name: string): MemberNode | undefined {
    return this.#nodes.get(name);
  }

  /** Keys of the labels that any node has. */
  labelKeys(): ReadonlySet<string> {
    this.#labelKeys ??= new Set([...this.#nodes.values()].flatMap(({ labels }) => Object.keys(labels)));
    return this.#labelKeys;
  }

  /** All nodes of the member, in no particular order. */
  nodes(): Iterable<MemberNode> {
    return this.#nodes.values();
  }

  /** The nodes behind a virtual node, sorted by name. */
  nodesBehind(spec: VirtualNodeSpec): readonly MemberNode[] {
    if (spec.mode === 'node') {
      const node = this.#nodes.get(spec.memberNodeName);
      return node === undefined ? [] : [node];
    }
    return [...this.#nodes.values()]
      .filter((node) => isBehind(spec, node))
      .sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
  }

  /** What the foreign pods on a node take; a live view. */
  usage(nodeName: string): NodeUsage {
    const usage = this.#usage.get(nodeName);
    return usage === undefined ? UNUSED : { requests: usage.sum.value, pods: usage.pods };
  }

  capacity(spec: VirtualNodeSpec): NodeCapacity {
    return virtualCapacity(this.nodesBehind(spec).map((node) => this.#withUsage(node)));
  }

  #withUsage(node: MemberNode): NodeWithUsage {
    return { node, usage: this.usage(node.metadata.name) };
  }

  #take(pod: ForeignPod): void {
    const usage = this.#usageOf(pod);
    usage.sum.add(pod.requests);
    usage.pods += 1;
  }

  #release(pod: ForeignPod): void {
    const usage = this.#usageOf(pod);
    usage.sum.subtract(pod.requests);
    usage.pods -= 1;
    if (usage.pods === 0) this.#usage.delete(pod.nodeName);
  }

  #usageOf(pod: ForeignPod): RunningUsage {
    const usage = this.#usage.get(pod.nodeName) ?? { sum: new RunningSum(), pods: 0 };
    this.#usage.set(pod.nodeName, usage);
    return usage;
  }
}
