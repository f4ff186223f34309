import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../src/lib/errors.js';
import { readOverWebSocket } from './web-socket.js';

/** What became of sessions that were begun one after the other. */
export interface ProbeResult {
  readonly attempts: number;
  /** Each failure, with the time since the start. */
  readonly failures: readonly string[];
  /** The longest time without a session that was served, from its beginning to its end. */
  readonly longestGapMs: number;
}

const INTERVAL_MS = 100;
const LIMIT_MS = 5_000;

/** Begins a new session all the time: `echo` in a pod, over a connection of its own. */
export class SessionProbe {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #failures: string[] = [];
  readonly #startedAt = performance.now();
  #lastGoodAt = performance.now();
  #longestGapMs = 0;
  #attempts = 0;

  constructor(kubeconfig: string, namespace: string, pod: string) {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/exec?command=echo&command=here&stdout=true`;
    this.#running = this.#run(kubeconfig, path);
  }

  async stop(): Promise<ProbeResult> {
    this.#stop.abort();
    await this.#running;
    return { attempts: this.#attempts, failures: this.#failures, longestGapMs: Math.round(this.#longestGapMs) };
  }

  async #run(kubeconfig: string, path: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#attempts += 1;
      const problem = await this.#attempt(kubeconfig, path);
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

  async #attempt(kubeconfig: string, path: string): Promise<string | undefined> {
    const limit = new AbortController();
    try {
      const text = await Promise.race([
        readOverWebSocket(kubeconfig, path, 'v5.channel.k8s.io'),
        sleep(LIMIT_MS, `nothing in ${LIMIT_MS} ms`, { signal: limit.signal }),
      ]);
      return text.includes('here\n') ? undefined : JSON.stringify(text);
    } catch (error) {
      return errorMessage(error);
    } finally {
      limit.abort();
    }
  }
}
