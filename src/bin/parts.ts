import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import type { Informer } from '../kube/informer.js';

/** What can be switched on and off by itself. */
export interface Part {
  /** Whether its caches of the host are complete. */
  readonly synced: boolean;
  /** Reads the host again at once. */
  reconnect(): void;
  /** Keeps caches and connections, on every replica, until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes, on the leader only, until aborted; may be called again. */
  lead(signal: AbortSignal): Promise<void>;
}

/** The parts of the manager that run, and the cache of Clusters that they share. */
export class Parts implements Part {
  readonly #clusters: Informer<Cluster>;
  readonly #parts: readonly Part[];

  constructor(clusters: Informer<Cluster>, parts: readonly Part[]) {
    this.#clusters = clusters;
    this.#parts = parts;
  }

  get synced(): boolean {
    return this.#clusters.hasSynced && this.#parts.every((part) => part.synced);
  }

  reconnect(): void {
    this.#clusters.reconnect();
    for (const part of this.#parts) part.reconnect();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#clusters.run(signal), ...this.#parts.map((part) => part.run(signal))]);
  }

  async lead(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.lead(signal)));
  }
}
