import type { ObjectKey } from '../kube/resource.js';
import type { BackoffOptions } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { errorMessage, FederationError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { WorkQueue, type AddOptions, type WorkQueueObserver } from './work-queue.js';

/** What a reconcile gets beside its key. */
export interface ReconcileContext {
  /** Aborted when the controller stops; pass it to every call. */
  readonly signal: AbortSignal;
  /** 1 for the first try; more after failures. */
  readonly attempt: number;
}

/** How a reconcile ended when it didn't throw. */
export interface Result {
  /** Reconcile the key again after this time, even if nothing changes. */
  readonly requeueAfterMs?: number | undefined;
}

/**
 * Makes the world agree with what is wanted for one key. Level-based: the key doesn't say what happened; the reconciler
 * reads the present state, compares, acts, and must be able to do so at any time and repeatedly. Throwing means trying
 * again with back-off, except for errors whose `retry` is `never`: these wait for the next change.
 */
export interface Reconciler {
  reconcile(key: ObjectKey, context: ReconcileContext): Promise<Result>;
}

/** How one reconcile ended. */
export type ReconcileOutcome = 'success' | 'requeue' | 'error' | 'terminal' | 'stopped';

/** What a controller reports. Must not throw. */
export interface ControllerObserver {
  readonly queue?: WorkQueueObserver | undefined;
  reconciled(outcome: ReconcileOutcome, durationMs: number): void;
}

/** How a controller is made. */
export interface ControllerOptions {
  /** For logs. */
  readonly name: string;
  readonly reconciler: Reconciler;
  /** Keys in work at the same time; default 1. */
  readonly concurrency?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: ControllerObserver | undefined;
  /** Delays after failures; default 5 ms doubling up to 60 s. */
  readonly backoff?: BackoffOptions | undefined;
}

/**
 * Runs a {@link Reconciler} for keys that are enqueued: never twice at the same time for one key, never on a key less
 * than once after its last enqueue. An idle controller costs one pending promise and no timer.
 */
export class Controller {
  readonly name: string;
  readonly #reconciler: Reconciler;
  readonly #concurrency: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #observer: ControllerObserver | undefined;
  readonly #queue: WorkQueue;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #active = 0;
  #slotFreed: (() => void) | undefined;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#reconciler = options.reconciler;
    this.#concurrency = options.concurrency ?? 1;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ controller: options.name });
    this.#observer = options.observer;
    this.#queue = new WorkQueue({
      clock: options.clock,
      backoff: options.backoff,
      observer: options.observer?.queue,
    });
  }

  /** Keys that are ready and wait for a free worker. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** True when no key is queued or in work; keys that wait for their time don't count. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#queue.inWork === 0;
  }

  /** Has the key reconciled as soon as possible. Allowed before `run`; ignored after its end. */
  enqueue(key: ObjectKey, options?: AddOptions): void {
    this.#queue.add(key, options);
  }

  /** Has the key reconciled after `delayMs`; of several delays for a key the shortest counts. */
  enqueueAfter(key: ObjectKey, delayMs: number, options?: AddOptions): void {
    this.#queue.addAfter(key, delayMs, options);
  }

  /**
   * Works until the signal aborts, then lets the reconciles in flight end (their signal is aborted) and drops all other
   * keys. Never rejects because of a reconcile. Can be called once.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'new') throw new FederationError('INTERNAL', `controller ${this.name} was started twice`);
    this.#state = 'running';
    let stopped: Promise<void> | undefined;
    const stop = (): void => {
      stopped ??= this.#queue.shutDown();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    await this.#dispatch(signal);
    await stopped;
    this.#state = 'stopped';
  }

  /** Gives keys to at most `concurrency` reconciles at a time. */
  async #dispatch(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#active >= this.#concurrency) await new Promise<void>((resolve) => (this.#slotFreed = resolve));
      const key = await this.#queue.get();
      if (key === undefined) return;
      this.#active += 1;
      void this.#work(key, signal);
    }
  }

  /** Never rejects. */
  async #work(key: ObjectKey, signal: AbortSignal): Promise<void> {
    const startedAtMs = this.#clock.monotonic();
    const attempt = this.#queue.retries(key) + 1;
    let outcome: ReconcileOutcome;
    try {
      const { requeueAfterMs } = await this.#reconciler.reconcile(key, { signal, attempt });
      this.#queue.forget(key);
      outcome = requeueAfterMs === undefined ? 'success' : 'requeue';
      if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs);
    } catch (error) {
      outcome = signal.aborted ? 'stopped' : this.#failed(key, attempt, error);
    }
    this.#observer?.reconciled(outcome, this.#clock.monotonic() - startedAtMs);
    this.#queue.done(key);
    this.#active -= 1;
    this.#slotFreed?.();
    this.#slotFreed = undefined;
  }

  #failed(key: ObjectKey, attempt: number, error: unknown): ReconcileOutcome {
    if (error instanceof FederationError && error.retry === 'never') {
      this.#queue.forget(key);
      this.#logger.warn('reconcile failed for good', { key, code: error.code, error: errorMessage(error) });
      return 'terminal';
    }
    const firstMs = error instanceof FederationError ? error.firstRetryMs : undefined;
    const retryAfterMs = this.#queue.addRateLimited(key, { firstMs });
    this.#logger.warn('reconcile failed', { key, attempt, retryAfterMs, ...describe(error) });
    return 'error';
  }
}

/** The stack is worth its length only for errors that nobody foresaw. */
function describe(error: unknown): Record<string, unknown> {
  if (error instanceof FederationError) return { code: error.code, error: errorMessage(error) };
  return { error: errorMessage(error), ...(error instanceof Error ? { stack: error.stack } : {}) };
}
