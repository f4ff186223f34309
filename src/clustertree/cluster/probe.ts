import type { Clock, Random } from '../../lib/clock.js';
import { ApiError } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { UnreachableReason } from './conditions.js';
import { probeFailure } from './probe-failure.js';

/** What the last probe of a member's API server found. `version` is its gitVersion, once known. */
export type ProbeResult =
  | { readonly reachable: true; readonly version: string | undefined }
  | {
      readonly reachable: false;
      readonly version: string | undefined;
      readonly reason: UnreachableReason;
      readonly message: string;
    };

export interface ProbeOptions {
  readonly client: Pick<KubeClient, 'getPath'>;
  readonly clock: Clock;
  readonly random: Random;
  /** From the start of one probe to the start of the next, while the member answers. */
  readonly intervalMs?: number;
  /** The same while it doesn't. */
  readonly awayIntervalMs?: number;
  /** How long one probe may take. */
  readonly timeoutMs?: number;
}

export const PROBE_INTERVAL_MS = 10_000;
/** A member that is back should not wait for ten seconds to be noticed. */
const AWAY_INTERVAL_MS = 2_000;
const PROBE_TIMEOUT_MS = 5_000;
const SHORTEST_REST_MS = 100;
/** A first failure is checked again after this time, so that one lost packet isn't an outage. */
const CONFIRM_MS = 1_000;
/** A member may be upgraded while it is connected. */
const VERSION_EVERY_MS = 60_000;

/**
 * Asks a member's API server for `/readyz` every ten seconds, and more often while there is no answer. Listeners are
 * called after each probe, so that what depends on a fresh answer (leases of virtual nodes) runs only then.
 */
export class Probe {
  readonly #options: ProbeOptions;
  readonly #listeners = new Set<(result: ProbeResult) => void>();
  readonly #returnListeners = new Set<() => void>();
  #result: ProbeResult | undefined;
  #version: string | undefined;
  #versionReadAt = -Infinity;
  /** Set while it rests between two probes. */
  #pause: AbortController | undefined;
  #hurried = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** Undefined before the first probe ended. */
  get result(): ProbeResult | undefined {
    return this.#result;
  }

  get reachable(): boolean {
    return this.#result?.reachable === true;
  }

  /** Calls `listener` after every probe; returns how to stop that. */
  onResult(listener: (result: ProbeResult) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` when the member answers again after it did not, before those of {@link onResult}. */
  onReturn(listener: () => void): () => void {
    this.#returnListeners.add(listener);
    return () => this.#returnListeners.delete(listener);
  }

  /** Has the next probe follow at once: something else has noticed that the member may be away. */
  check(): void {
    if (!this.reachable) return;
    if (this.#pause === undefined) this.#hurried = true;
    else this.#pause.abort();
  }

  /** Probes until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, intervalMs = PROBE_INTERVAL_MS, awayIntervalMs = AWAY_INTERVAL_MS } = this.#options;
    while (!signal.aborted) {
      const start = clock.monotonic();
      let result = await this.#probe(signal);
      if (!result.reachable && this.#result?.reachable === true) {
        await clock.sleep(CONFIRM_MS, signal).catch(() => undefined);
        result = await this.#probe(signal);
      }
      this.#publish(result, signal);
      const interval = (result.reachable ? intervalMs : awayIntervalMs) * (0.95 + 0.1 * random());
      await this.#rest(Math.max(interval - (clock.monotonic() - start), SHORTEST_REST_MS), signal);
    }
  }

  async #rest(delayMs: number, signal: AbortSignal): Promise<void> {
    const hurried = this.#hurried;
    this.#hurried = false;
    if (hurried || signal.aborted) return;
    const pause = new AbortController();
    this.#pause = pause;
    const wake = (): void => pause.abort();
    signal.addEventListener('abort', wake, { once: true });
    await this.#options.clock.sleep(delayMs, pause.signal).catch(() => undefined);
    signal.removeEventListener('abort', wake);
    this.#pause = undefined;
  }

  async #probe(signal: AbortSignal): Promise<ProbeResult> {
    const { client, clock, timeoutMs = PROBE_TIMEOUT_MS } = this.#options;
    try {
      await client.getPath('/readyz', { signal, timeoutMs });
      if (clock.monotonic() - this.#versionReadAt >= VERSION_EVERY_MS) await this.#readVersion(signal);
      return { reachable: true, version: this.#version };
    } catch (error) {
      return { reachable: false, version: this.#version, ...probeFailure(error) };
    }
  }

  /** A member that is ready but doesn't tell its version is ready all the same. */
  async #readVersion(signal: AbortSignal): Promise<void> {
    const { client, clock, timeoutMs = PROBE_TIMEOUT_MS } = this.#options;
    try {
      const body = JSON.parse(await client.getPath('/version', { signal, timeoutMs })) as { gitVersion?: string };
      this.#version = body.gitVersion;
      this.#versionReadAt = clock.monotonic();
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof SyntaxError)) throw error;
    }
  }

  /** What a probe found that was given up says nothing about the member. */
  #publish(result: ProbeResult, signal: AbortSignal): void {
    if (signal.aborted) return;
    const isBack = result.reachable && this.#result?.reachable === false;
    this.#result = result;
    if (isBack) for (const listener of [...this.#returnListeners]) listener();
    for (const listener of [...this.#listeners]) listener(result);
  }
}
