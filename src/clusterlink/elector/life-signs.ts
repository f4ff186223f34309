import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { LinkNode } from '../cluster/link-node.js';
import type { Candidate } from './choose.js';
import type { Verdict } from './evidence.js';

/** What is known of a node. */
export interface Signs {
  /** Of those who probe it. */
  readonly verdict: Verdict;
  /** Its agent does not renew its Lease any more. */
  readonly silent: boolean;
  /** With what its agent said last. */
  readonly config: NodeConfig | undefined;
}

/**
 * Remembers which nodes of a cluster were found dead. A dead gateway is no candidate any more, so nobody probes it, and
 * silence must not count as life: it would be elected again, found dead again, and so on.
 */
export class LifeSigns {
  /** What its agent had said last when the node was found dead. */
  readonly #dead = new Map<string, string>();

  /**
   * The health of a node: what those say who probe it. The kubelet's word counts as well, for a node that it gives up is
   * about to lose its pods; its silence only where nobody reaches the node, since after an outage of the API server all
   * kubelets seem silent. The same goes for the agent's own silence. A dead node whose agent says something new may be
   * alive again; probes have to find out.
   */
  healthOf(node: LinkNode, { verdict, silent, config }: Signs): Candidate['health'] {
    const { name } = node.metadata;
    const word = wordOf(config);
    if (verdict === 'reachable') this.#dead.delete(name);
    if (verdict === 'unreachable') this.#dead.set(name, word);
    if (node.ready === 'False' || verdict === 'unreachable') return 'unhealthy';
    if (verdict === 'reachable') return 'healthy';
    if (node.ready === 'Unknown' || silent) return 'unhealthy';
    return this.#dead.get(name) === word ? 'unhealthy' : 'unknown';
  }

  /** Forgets all other nodes. */
  keep(nodes: ReadonlyMap<string, unknown>): void {
    for (const name of [...this.#dead.keys()]) if (!nodes.has(name)) this.#dead.delete(name);
  }
}

function wordOf(config: NodeConfig | undefined): string {
  const { observedGeneration, lastSyncTime = '' } = config?.status ?? {};
  return `${observedGeneration ?? ''} ${lastSyncTime}`;
}
