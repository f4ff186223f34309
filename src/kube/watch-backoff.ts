import type { Clock, Random } from '../lib/clock.js';

const FIRST_MS = 800;
/** After this time without a failure the next one is the first again. */
const HEALTHY_AFTER_MS = 120_000;

/** Delays between tries of a list or watch: 0.8 s doubling to a limit, plus up to as much again at random. */
export class WatchBackoff {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #random: Random;
  readonly #longestMs: number;
  #nextMs = FIRST_MS;
  #lastFailureAt = -Infinity;

  constructor(options: {
    readonly clock: Pick<Clock, 'monotonic'>;
    readonly random: Random;
    /** Without the random part. */
    readonly longestMs: number;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#longestMs = options.longestMs;
  }

  /** Counts a failure and says how long to wait, at least `atLeastMs`. */
  delayMs(atLeastMs = 0): number {
    const now = this.#clock.monotonic();
    if (now - this.#lastFailureAt > HEALTHY_AFTER_MS) this.#nextMs = FIRST_MS;
    const delay = Math.max(this.#nextMs * (1 + this.#random()), atLeastMs);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#longestMs);
    this.#lastFailureAt = now + delay;
    return delay;
  }

  /** All is well: the next delay is the first again. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }
}
