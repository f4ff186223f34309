import type { Lease } from '../../apis/core.js';
import { ownedSelector, type Ownership } from '../../clustertree/cluster/ownership.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { leases } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';

export interface AgentLeasesOptions {
  readonly cluster: string;
  readonly client: KubeClient;
  readonly ownership: Ownership;
  readonly createInformer: InformerFactory;
  readonly clock: Clock;
}

/** What is kept of a Lease. */
interface AgentLease {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly node: string;
  readonly renewTime: string;
}

/** Three renewals are missing. */
export const SILENT_MS = 35_000;

/**
 * The Leases of a cluster's agents. Whether an agent is alive is judged by how long ago, on the local clock, its Lease was
 * seen to change, as leader election does; the times in it are those of another clock. An agent without a Lease, or in a
 * cluster that doesn't answer, is not known to be silent.
 */
export class AgentLeases {
  readonly #informer: Informer<Lease, AgentLease>;
  readonly #clock: Clock;
  /** When the Lease of a node's agent changed last, or since when that could have been seen. */
  readonly #changedAt = new Map<string, number>();

  constructor({ cluster, client, ownership, createInformer, clock }: AgentLeasesOptions) {
    this.#clock = clock;
    this.#informer = createInformer({
      // In the namespace of the agents, which is not the same in every cluster; labels tell whose they are.
      ...{ cluster, client, type: leases, transform: trimLease },
      labelSelector: ownedSelector(ownership),
    });
    const changed = ({ node }: AgentLease): void => void this.#changedAt.set(node, clock.monotonic());
    this.#informer.addHandler({
      onAdd: changed,
      onUpdate: (before, lease) => {
        if (before.renewTime !== lease.renewTime) changed(lease);
      },
      onDelete: ({ node }) => this.#changedAt.delete(node),
    });
    // While the cluster was away, nobody could renew anything.
    this.#informer.onConnectionChange(() => this.#informer.store.list().forEach(changed));
  }

  /** Whether the agent of a node is known to have stopped renewing its Lease. */
  isSilent(node: string): boolean {
    const changedAt = this.#changedAt.get(node);
    return this.#informer.connected && changedAt !== undefined && this.#clock.monotonic() - changedAt > SILENT_MS;
  }

  /** Watches until aborted. */
  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }
}

function trimLease({ metadata, spec }: Lease): AgentLease {
  const { name = '', namespace = '' } = metadata ?? {};
  return { metadata: { name, namespace }, node: spec?.holderIdentity ?? '', renewTime: spec?.renewTime ?? '' };
}
