import type { Clock } from '../lib/clock.js';

/** Counts tokens that come back at a fixed rate. It doesn't wait; see `RequestLimiter`. */
export class TokenBucket {
  readonly #ratePerMs: number;
  readonly #burst: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #tokens: number;
  #countedAt: number;

  constructor(options: { readonly qps: number; readonly burst: number; readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#ratePerMs = options.qps / 1000;
    this.#burst = options.burst;
    this.#clock = options.clock;
    this.#tokens = options.burst;
    this.#countedAt = options.clock.monotonic();
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until there is a token; 0 when there is one. */
  waitMs(): number {
    this.#refill();
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#ratePerMs;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#countedAt) * this.#ratePerMs);
    this.#countedAt = now;
  }
}
