import type { ObjectKey } from '../kube/resource.js';
import { backoffDelayMs, type BackoffOptions } from '../lib/backoff.js';
import type { Clock, Timer } from '../lib/clock.js';
import { DelayHeap } from '../lib/delay-heap.js';
import { KeyedFifo } from '../lib/keyed-fifo.js';

/** `high` keys (live changes) are handed out before `low` ones (initial lists, resyncs). */
export type Priority = 'high' | 'low';

/** What happens in a queue, for metrics. Must not throw. */
export interface WorkQueueObserver {
  /** A key was queued; `depth` keys are queued now. */
  queued(depth: number): void;
  /** A key was handed out after `waitedMs` in the queue; `depth` keys are left. */
  taken(depth: number, waitedMs: number): void;
  /** A key was given back after `workedMs`. */
  finished(workedMs: number): void;
  /** A key will be tried again with back-off. */
  retried(): void;
}

/** How a queue is made. */
export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Delays of `addRateLimited`; default 5 ms doubling up to 60 s. */
  readonly backoff?: BackoffOptions | undefined;
  readonly observer?: WorkQueueObserver | undefined;
}

/** How a key is added. */
export interface AddOptions {
  /** Default `high`; for a delayed add of a key in work, the priority that it was taken with. */
  readonly priority?: Priority | undefined;
}

/** How a key is added after a failure. */
export interface RetryOptions extends AddOptions {
  /** The delay after the first failure; the queue's own when absent. */
  readonly firstMs?: number | undefined;
}

interface InWork {
  readonly priority: Priority;
  readonly takenAtMs: number;
}

type Waiter = (key: ObjectKey | undefined) => void;

const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 5, maxMs: 60_000 };

/**
 * A queue of keys with client-go's semantics: a queued key is queued once; a key is never handed out twice at the same
 * time; a key that is added while it is handed out is queued again when it is given back.
 *
 *       add ────────────▶ queued (high, low) ──get──▶ in work ──done──▶ gone
 *        ▲                     ▲                        │ add
 *     addAfter,                └──────── done ──────── dirty
 *     addRateLimited (one heap, one timer)
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: BackoffOptions;
  readonly #observer: WorkQueueObserver | undefined;
  /** Queued keys and the monotonic times since when. */
  readonly #high = new KeyedFifo<number>();
  readonly #low = new KeyedFifo<number>();
  readonly #inWork = new Map<ObjectKey, InWork>();
  readonly #dirty = new Map<ObjectKey, Priority>();
  readonly #delayed = new DelayHeap<Priority>();
  readonly #failures = new Map<ObjectKey, number>();
  /** In order of arrival; a Set so that an aborted one leaves in O(1). */
  readonly #waiters = new Set<Waiter>();
  readonly #drained: (() => void)[] = [];
  #timer: Timer | undefined;
  #timerDueAtMs = Infinity;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#observer = options.observer;
  }

  /** Keys that are ready to be handed out. */
  get length(): number {
    return this.#high.size + this.#low.size;
  }

  /** Keys that are handed out and not given back. */
  get inWork(): number {
    return this.#inWork.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Queues a key, or raises the priority of a queued one. Ignored after shutdown. */
  add(key: ObjectKey, options?: AddOptions): void {
    if (!this.#closed) this.#queue(key, options?.priority ?? 'high');
  }

  /** Queues a key after `delayMs`. A key that waits already keeps the earlier time and the higher priority. */
  addAfter(key: ObjectKey, delayMs: number, options?: AddOptions): void {
    if (this.#closed) return;
    if (!(delayMs > 0)) {
      this.add(key, options);
      return;
    }
    const wanted = options?.priority ?? this.#inWork.get(key)?.priority ?? 'high';
    const priority = this.#delayed.get(key) === 'high' ? 'high' : wanted;
    this.#delayed.put(key, this.#clock.monotonic() + delayMs, priority);
    this.#arm();
  }

  /**
   * Counts a failure of the key and queues it after the back-off that follows from the number of its failures;
   * returns that delay in milliseconds.
   */
  addRateLimited(key: ObjectKey, options?: RetryOptions): number {
    const failures = this.retries(key) + 1;
    const initialMs = options?.firstMs ?? this.#backoff.initialMs;
    const delayMs = backoffDelayMs({ ...this.#backoff, initialMs }, failures);
    if (this.#closed) return delayMs;
    this.#failures.set(key, failures);
    this.#observer?.retried();
    this.addAfter(key, delayMs, options);
    return delayMs;
  }

  /** Forgets the failures of a key. */
  forget(key: ObjectKey): void {
    this.#failures.delete(key);
  }

  /** Failures of a key since it was last forgotten. */
  retries(key: ObjectKey): number {
    return this.#failures.get(key) ?? 0;
  }

  /**
   * Waits for a key. Whoever gets one must give it back with {@link done}. Resolves to undefined after shutdown, or when
   * the signal aborts first.
   */
  get(signal?: AbortSignal): Promise<ObjectKey | undefined> {
    if (signal?.aborted) return Promise.resolve(undefined);
    const key = this.#take();
    if (key !== undefined || this.#closed) return Promise.resolve(key);
    return new Promise((resolve) => {
      const waiter: Waiter = (handed) => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        resolve(handed);
      };
      const onAbort = (): void => waiter(undefined);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Gives a key back; it is queued again at once if it was added meanwhile. */
  done(key: ObjectKey): void {
    const work = this.#inWork.get(key);
    if (work === undefined) return;
    this.#inWork.delete(key);
    this.#observer?.finished(this.#clock.monotonic() - work.takenAtMs);
    const priority = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (priority !== undefined) this.#queue(key, priority);
    this.#settleDrain();
  }

  /**
   * Takes no further keys and drops those that wait for their time. With `drain`, queued keys are still handed out;
   * otherwise they are dropped as well. Resolves when no key is queued or in work.
   */
  shutDown(options: { readonly drain?: boolean } = {}): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
    if (options.drain !== true) {
      this.#high.clear();
      this.#low.clear();
      this.#dirty.clear();
    }
    if (this.length === 0) for (const waiter of [...this.#waiters]) waiter(undefined);
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#settleDrain();
    });
  }

  #queue(key: ObjectKey, priority: Priority): void {
    if (this.#inWork.has(key)) {
      if (priority === 'high' || !this.#dirty.has(key)) this.#dirty.set(key, priority);
      return;
    }
    if (this.#high.has(key) || (priority === 'low' && this.#low.has(key))) return;
    const lowSinceMs = this.#low.remove(key);
    (priority === 'high' ? this.#high : this.#low).push(key, lowSinceMs ?? this.#clock.monotonic());
    if (lowSinceMs === undefined) this.#observer?.queued(this.length);
    this.#handOut();
  }

  #handOut(): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) return;
    const key = this.#take();
    if (key !== undefined) waiter(key);
  }

  #take(): ObjectKey | undefined {
    const priority = this.#high.size > 0 ? 'high' : 'low';
    const first = (priority === 'high' ? this.#high : this.#low).shift();
    if (first === undefined) return undefined;
    const [key, sinceMs] = first;
    const takenAtMs = this.#clock.monotonic();
    this.#inWork.set(key, { priority, takenAtMs });
    this.#observer?.taken(this.length, takenAtMs - sinceMs);
    return key;
  }

  #arm(): void {
    const dueAtMs = this.#delayed.firstDueAt;
    if (dueAtMs === undefined || (this.#timer !== undefined && dueAtMs >= this.#timerDueAtMs)) return;
    this.#timer?.cancel();
    this.#timerDueAtMs = dueAtMs;
    this.#timer = this.#clock.schedule(dueAtMs - this.#clock.monotonic(), () => {
      this.#timer = undefined;
      const now = this.#clock.monotonic();
      for (let due = this.#delayed.takeDue(now); due !== undefined; due = this.#delayed.takeDue(now))
        this.#queue(due.key, due.value);
      this.#arm();
    });
  }

  #settleDrain(): void {
    if (!this.#closed || this.length > 0 || this.#inWork.size > 0) return;
    for (const waiter of [...this.#waiters]) waiter(undefined);
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
