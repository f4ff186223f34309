import type { Pod } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { Informer } from '../../src/kube/informer.js';
import { pods } from '../../src/kube/resource.js';
import { NAMESPACE, POD_SELECTOR } from './workload.js';

/** What the benchmark keeps of a pod. */
interface Seen {
  readonly name: string;
  readonly bound: boolean;
  readonly ready: boolean;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly done: (at: number) => void;
}

function seenOf(pod: Pod): Seen {
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return { name: pod.metadata?.name ?? '', bound: (pod.spec?.nodeName ?? '') !== '', ready };
}

/**
 * Follows the benchmark's pods of one cluster by a watch, and goes on when the API server ends it. All times are this
 * process's own monotonic time, in milliseconds, of seeing a change.
 */
export class PodWatch {
  readonly #informer: Informer<Pod, Seen>;
  readonly #cluster: string;
  readonly #waiters = new Set<Waiter>();
  readonly #boundAt = new Map<string, number>();
  readonly #readyAt = new Map<string, number>();
  #ready = 0;

  constructor(cluster: string, client: KubeClient) {
    this.#cluster = cluster;
    const selectors = { namespace: NAMESPACE, labelSelector: POD_SELECTOR };
    this.#informer = new Informer({ client, type: pods, ...selectors, transform: seenOf });
    this.#informer.addHandler({
      onAdd: (pod) => this.#changed(undefined, pod),
      onUpdate: (old, pod) => this.#changed(old, pod),
      onDelete: (old) => this.#changed(old, undefined),
    });
  }

  /** Watches until aborted; resolves when the watch has begun. */
  async start(signal: AbortSignal): Promise<void> {
    void this.#informer.run(signal);
    await this.#informer.synced(signal);
  }

  /** When so many pods were ready. */
  untilReady(count: number, timeoutMs: number): Promise<number> {
    return this.#until(`${count} pods ready`, () => this.#ready >= count, timeoutMs);
  }

  /** When no pod was left. */
  untilGone(timeoutMs: number): Promise<number> {
    return this.#until('all pods gone', () => this.#informer.store.size === 0, timeoutMs);
  }

  /** Forgets all times. */
  forget(): void {
    this.#boundAt.clear();
    this.#readyAt.clear();
  }

  /** From bound to ready, of each pod that became ready since the last {@link forget}. */
  boundToReadyMs(): number[] {
    return [...this.#readyAt].flatMap(([name, readyAt]) => {
      const boundAt = this.#boundAt.get(name);
      return boundAt === undefined ? [] : [readyAt - boundAt];
    });
  }

  #changed(old: Seen | undefined, pod: Seen | undefined): void {
    const now = performance.now();
    this.#ready += Number(pod?.ready ?? false) - Number(old?.ready ?? false);
    if (pod !== undefined) this.#record(pod, now);
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.done(now);
  }

  #record({ name, bound, ready }: Seen, now: number): void {
    if (bound && !this.#boundAt.has(name)) this.#boundAt.set(name, now);
    if (ready && !this.#readyAt.has(name)) this.#readyAt.set(name, now);
  }

  #until(what: string, isMet: () => boolean, timeoutMs: number): Promise<number> {
    if (isMet()) return Promise.resolve(performance.now());
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        isMet,
        done: (at) => {
          finish();
          resolve(at);
        },
      };
      const timer = setTimeout(() => {
        finish();
        const { size } = this.#informer.store;
        const state = `${size} pods, ${this.#ready} of them ready`;
        reject(new Error(`${this.#cluster}: not ${what} after ${Math.round(timeoutMs / 1000)} s; there are ${state}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }
}
