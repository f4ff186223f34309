import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Clock } from '../../lib/clock.js';

interface Beat {
  readonly sign: string;
  readonly at: number;
}

/**
 * Knows for how long each agent of a cluster has been silent. Agents' clocks are never looked at: what counts is when a
 * report changed, by the clock here.
 */
export class AgentPulse {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #beats = new Map<string, Beat>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Takes note of what all agents of the cluster say now; those that are missing are forgotten. */
  see(configs: readonly NodeConfig[]): void {
    const now = this.#clock.monotonic();
    const names = new Set<string>();
    for (const { spec, status } of configs) {
      const name = spec.nodeName ?? '';
      names.add(name);
      const sign = status?.lastSyncTime;
      if (sign !== undefined && this.#beats.get(name)?.sign !== sign) this.#beats.set(name, { sign, at: now });
    }
    for (const name of [...this.#beats.keys()]) if (!names.has(name)) this.#beats.delete(name);
  }

  /** Milliseconds since the agent of a node last said something new; undefined when it never has. */
  silenceMs(node: string): number | undefined {
    const beat = this.#beats.get(node);
    return beat === undefined ? undefined : this.#clock.monotonic() - beat.at;
  }
}
