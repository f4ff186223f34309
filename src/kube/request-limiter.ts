import type { Clock, Timer } from '../lib/clock.js';
import { TokenBucket } from '../lib/token-bucket.js';

/**
 * Who goes first when requests have to wait: `stream` (watches; they are few and everything depends on them), then
 * `normal`, then `low`, which gets only what the others leave. Within one class it is first come, first served.
 */
export type RequestClass = 'stream' | 'normal' | 'low';

const CLASSES: readonly RequestClass[] = ['stream', 'normal', 'low'];

/** Half of a token's rounding error must not make a timer fire a hair too early and spin. */
const ROUNDING_MS = 0.001;

export interface RequestLimiterOptions {
  readonly qps: number;
  readonly burst: number;
  /** Requests of the classes `normal` and `low` that may be under way at once. */
  readonly maxInFlight: number;
  readonly clock: Clock;
}

interface Waiter {
  readonly grant: () => void;
  cancelled: boolean;
}

/**
 * Decides when a request may be sent: a token bucket for the rate, and a limit of requests under way, so that nothing
 * ever waits inside the connection pool, where it could neither be overtaken nor given up.
 */
export class RequestLimiter {
  readonly #bucket: TokenBucket;
  readonly #maxInFlight: number;
  readonly #clock: Clock;
  readonly #queues: Record<RequestClass, Waiter[]> = { stream: [], normal: [], low: [] };
  #inFlight = 0;
  #timer: Timer | undefined;

  constructor(options: RequestLimiterOptions) {
    const { qps, burst, clock } = options;
    this.#bucket = new TokenBucket({ perSecond: qps, burst }, clock.monotonic());
    this.#maxInFlight = options.maxInFlight;
    this.#clock = clock;
  }

  /**
   * Resolves when the request may be sent, with a function that must be called once it is over (harmless when called
   * again). Rejects with the signal's reason.
   */
  acquire(requestClass: RequestClass, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const waiter: Waiter = {
        cancelled: false,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(this.#release(requestClass));
        },
      };
      const onAbort = (): void => {
        waiter.cancelled = true;
        reject(signal.reason as Error);
        this.#pump();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queues[requestClass].push(waiter);
      this.#pump();
    });
  }

  #release(requestClass: RequestClass): () => void {
    if (requestClass === 'stream') return () => undefined;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#inFlight -= 1;
      this.#pump();
    };
  }

  #pump(): void {
    for (let requestClass = this.#nextClass(); requestClass !== undefined; requestClass = this.#nextClass()) {
      if (!this.#bucket.tryTake(this.#clock.monotonic())) {
        this.#wakeLater();
        return;
      }
      if (requestClass !== 'stream') this.#inFlight += 1;
      this.#queues[requestClass].shift()?.grant();
    }
    // Nobody waits for a token any more, and a leftover timer would keep the process alive.
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The class of the waiter that goes next; undefined when there is none that could. */
  #nextClass(): RequestClass | undefined {
    return CLASSES.find((requestClass) => {
      const queue = this.#queues[requestClass];
      while (queue[0]?.cancelled) queue.shift();
      return queue.length > 0 && (requestClass === 'stream' || this.#inFlight < this.#maxInFlight);
    });
  }

  #wakeLater(): void {
    const waitMs = this.#bucket.waitMs(this.#clock.monotonic());
    this.#timer ??= this.#clock.schedule(waitMs + ROUNDING_MS, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}
