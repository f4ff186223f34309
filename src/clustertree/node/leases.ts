import type { Node } from '../../apis/core.js';
import { FIELD_MANAGER, NODE_LEASE_NAMESPACE } from '../../apis/names.js';
import { isAlreadyExists, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { leases } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { microTime } from '../../lib/micro-time.js';

/** As kubelet's default `nodeLeaseDurationSeconds`. */
const LEASE_DURATION_SECONDS = 40;

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
    const name = node.metadata?.name ?? '';
    const ref = { namespace: NODE_LEASE_NAMESPACE, name };
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: LEASE_DURATION_SECONDS,
      renewTime: microTime(this.#clock.now()),
    };
    try {
      await this.#client.patch(leases, ref, { spec }, { type: 'merge', fieldManager: FIELD_MANAGER, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid: node.metadata?.uid ?? '' }];
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { ...ref, ownerReferences },
        spec,
      };
      await this.#client.create(leases, lease, { fieldManager: FIELD_MANAGER, signal }).catch((reason: unknown) => {
        if (!isAlreadyExists(reason)) throw reason;
      });
    }
  }
}
