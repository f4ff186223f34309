import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../../src/kube/client.js';
import { errorMessage } from '../../src/lib/errors.js';

/** What became of sessions that were begun one after the other. */
export interface ProbeResult {
  readonly attempts: number;
  /** Each failure, with the time since the start. */
  readonly failures: readonly string[];
  /** The longest time without a session that was served, from its beginning to its end. */
  readonly longestGapMs: number;
}

const INTERVAL_MS = 400;
const LIMIT_MS = 5_000;

/**
 * Begins a new session all the time: the last line of a pod's log, which takes the way of all sessions. Programs that are
 * started in containers would keep two cores busy, and so the managers waiting.
 */
export class SessionProbe {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #failures: string[] = [];
  readonly #startedAt = performance.now();
  #lastGoodAt = performance.now();
  #longestGapMs = 0;
  #attempts = 0;

  /** @param pod - one that writes to its log */
  constructor(host: KubeClient, namespace: string, pod: string) {
    this.#running = this.#run(host, `/api/v1/namespaces/${namespace}/pods/${pod}/log?tailLines=1`);
  }

  async stop(): Promise<ProbeResult> {
    this.#stop.abort();
    await this.#running;
    return { attempts: this.#attempts, failures: this.#failures, longestGapMs: Math.round(this.#longestGapMs) };
  }

  async #run(host: KubeClient, path: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#attempts += 1;
      const problem = await this.#attempt(host, path);
      const now = performance.now();
      if (problem === undefined) {
        this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastGoodAt);
        this.#lastGoodAt = now;
      } else {
        this.#failures.push(`after ${((now - this.#startedAt) / 1000).toFixed(1)} s: ${problem}`);
      }
      await sleep(INTERVAL_MS);
    }
    this.#longestGapMs = Math.max(this.#longestGapMs, performance.now() - this.#lastGoodAt);
  }

  async #attempt(host: KubeClient, path: string): Promise<string | undefined> {
    try {
      return (await host.getPath(path, { timeoutMs: LIMIT_MS })) === '' ? 'the log is empty' : undefined;
    } catch (error) {
      return errorMessage(error);
    }
  }
}
