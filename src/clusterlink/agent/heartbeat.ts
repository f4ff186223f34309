import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import { CLUSTER_LABEL, HOST_CLUSTER_LABEL } from '../../apis/names.js';
import type { KubeClient } from '../../kube/client.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { type HeartbeatLease, renewHeartbeat } from '../../runtime/heartbeat-lease.js';

/** Collaborators of {@link Heartbeat}. */
export interface HeartbeatDeps {
  readonly client: Pick<KubeClient, 'patch' | 'create'>;
  /** The node's config as the API server has it. */
  readonly current: () => NodeConfig | undefined;
  /** Where the Lease is. */
  readonly namespace: string;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** As a kubelet's. */
const INTERVAL_MS = 10_000;

/**
 * Renews the agent's Lease in its own cluster, as long as the node has a config: the manager, which reads it, then knows
 * that what the agent reported last still counts. The Lease belongs to the config, and goes with it.
 */
export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  /** What the last renewal failed with; empty when it did not. */
  #trouble = '';

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
  }

  /** Renews until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, current } = this.#deps;
    while (!signal.aborted) {
      const config = current();
      if (config !== undefined) await this.#tryToRenew(config, signal);
      await clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** Without a Lease the agent works all the same, so a failure is said once. */
  async #tryToRenew(config: NodeConfig, signal: AbortSignal): Promise<void> {
    const { logger } = this.#deps;
    try {
      await this.#renew(config, signal);
      this.#trouble = '';
    } catch (error) {
      if (signal.aborted) return;
      const trouble = errorMessage(error);
      if (trouble !== this.#trouble) logger.warn('the Lease of the agent could not be renewed', { error: trouble });
      this.#trouble = trouble;
    }
  }

  async #renew({ metadata = {} }: NodeConfig, signal: AbortSignal): Promise<void> {
    const { client, namespace, nodeName, clock } = this.#deps;
    const { name = '', uid = '', labels = {} } = metadata;
    const owner = { apiVersion: 'kosmos.io/v1alpha1', kind: 'NodeConfig', name, uid };
    const lease: HeartbeatLease = {
      ...{ namespace, name: `kosmos-agent-${nodeName}`, holder: nodeName },
      metadata: { labels: ownLabels(labels), ownerReferences: [owner] },
      // The config may be another one of the same name.
      keepMetadata: true,
    };
    await renewHeartbeat(client, lease, { nowMs: clock.now(), signal });
  }
}

/** By which the manager finds what belongs to it. */
function ownLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const own = [HOST_CLUSTER_LABEL, CLUSTER_LABEL].filter((label) => labels[label] !== undefined);
  return Object.fromEntries(own.map((label) => [label, labels[label] ?? '']));
}
