import type { Node } from '../../apis/core.js';
import { FIELD_MANAGER, NODE_LEASE_NAMESPACE } from '../../apis/names.js';
import type { KubeClient } from '../../kube/client.js';
import type { Clock } from '../../lib/clock.js';
import { renewHeartbeat } from '../../runtime/heartbeat-lease.js';

/** Heartbeats of virtual nodes: one Lease each, as a kubelet has. */
export class NodeLeases {
  readonly #client: KubeClient;
  readonly #clock: Clock;

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Renews the lease of a virtual node; makes it when it is missing. One call, except the first time. */
  async renew(node: Node, signal: AbortSignal): Promise<void> {
    const { name = '', uid = '' } = node.metadata ?? {};
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
    await renewHeartbeat(
      this.#client,
      { namespace: NODE_LEASE_NAMESPACE, name, holder: name, metadata: { ownerReferences }, keepMetadata: false },
      { nowMs: this.#clock.now(), fieldManager: FIELD_MANAGER, signal },
    );
  }
}
