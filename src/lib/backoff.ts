import type { Random } from './clock.js';

/** Growing delays between attempts. */
export interface BackoffOptions {
  /** Delay after the first failure. */
  readonly initialMs: number;
  /** No delay is longer than this, jitter included. */
  readonly maxMs: number;
  /** Each delay is this many times the one before; default 2. */
  readonly factor?: number | undefined;
  /** Up to this share of a delay is taken off at random, so that many callers spread out; 0 (default) to 1. */
  readonly jitter?: number | undefined;
}

/**
 * The delay in milliseconds before the next attempt after `failures` failures in a row (0 counts as 1).
 * `random` is needed only with jitter.
 */
export function backoffDelayMs(options: BackoffOptions, failures: number, random?: Random): number {
  const { initialMs, maxMs, factor = 2, jitter = 0 } = options;
  const delayMs = Math.min(maxMs, initialMs * factor ** Math.max(0, failures - 1));
  return random === undefined ? delayMs : delayMs * (1 - jitter * random());
}

/** The delays of one series of attempts. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random | undefined;
  #failures = 0;

  constructor(options: BackoffOptions, random?: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures since the start or the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns the delay in milliseconds before the next attempt. */
  nextMs(): number {
    return backoffDelayMs(this.#options, ++this.#failures, this.#random);
  }

  /** Starts over with the shortest delay. */
  reset(): void {
    this.#failures = 0;
  }
}
