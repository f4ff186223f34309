import type { Node } from '../../apis/core.js';
import { FederationError } from '../../lib/errors.js';
import type { Indexer, Store } from '../../kube/store.js';

/** The ports that virtual nodes may have. */
export interface PortRange {
  readonly first: number;
  readonly count: number;
}

/** Finds virtual nodes by the port that they publish. */
export const KUBELET_PORT_INDEX = 'kubeletPort';
export const kubeletPortIndexer: Indexer<Node> = (node) => {
  const port = recordedPort(node);
  return port === undefined ? [] : [String(port)];
};

/** The port of its kubelet API that a Node publishes. */
export function recordedPort(node: Node | undefined): number | undefined {
  return node?.status?.daemonEndpoints?.kubeletEndpoint?.Port || undefined;
}

/**
 * Which virtual node has which port of the kubelet API. The Node objects are the record: all replicas read the same from
 * them, and a restart changes nothing. Should two nodes publish one port, the first by name has it.
 */
export class KubeletPorts {
  readonly #range: PortRange;
  readonly #nodes: Store<Node>;
  /** Given out here and not yet seen in a Node object. */
  readonly #reserved = new Map<string, number>();
  #next = 0;

  /** `nodes` must have the index {@link KUBELET_PORT_INDEX}. */
  constructor(range: PortRange, nodes: Store<Node>) {
    this.#range = range;
    this.#nodes = nodes;
  }

  /** The port at which a node is to be served; undefined while none is recorded for it, or another node has it. */
  servedPort(name: string): number | undefined {
    const port = recordedPort(this.#nodes.get(name));
    return port !== undefined && this.#isInRange(port) && this.#holder(port) === name ? port : undefined;
  }

  /**
   * The port that a node should publish: the one that it has, else a free one, which stays reserved for it. For the
   * leader alone. @throws FederationError when all ports are taken.
   */
  portOf(name: string): number {
    const served = this.servedPort(name);
    if (served !== undefined) {
      this.#reserved.delete(name);
      return served;
    }
    const reserved = this.#reserved.get(name);
    if (reserved !== undefined && this.#holder(reserved) === undefined) return reserved;
    const port = this.#freePort();
    this.#reserved.set(name, port);
    return port;
  }

  #freePort(): number {
    const { first, count } = this.#range;
    const reserved = new Set(this.#reserved.values());
    for (let tried = 0; tried < count; tried += 1) {
      const port = first + ((this.#next + tried) % count);
      if (reserved.has(port) || this.#holder(port) !== undefined) continue;
      this.#next = port - first + 1;
      return port;
    }
    throw new FederationError('CONFIG_INVALID', `all ${count} ports of the kubelet API are taken by virtual nodes`);
  }

  #isInRange(port: number): boolean {
    return port >= this.#range.first && port < this.#range.first + this.#range.count;
  }

  #holder(port: number): string | undefined {
    const names = this.#nodes.byIndex(KUBELET_PORT_INDEX, String(port)).map((node) => node.metadata?.name ?? '');
    return names.sort()[0];
  }
}
