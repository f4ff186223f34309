/** How many tokens a bucket holds and how fast they come back. */
export interface TokenBucketOptions {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket without timers: callers drop what exceeds it, or wait. Starts full. All times are monotonic. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #updatedAtMs: number;

  constructor(options: TokenBucketOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#updatedAtMs = nowMs;
  }

  /** Takes one token; false when there is none. */
  tryTake(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until there is a token; 0 when there is one. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) * 1000) / this.#options.perSecond;
  }

  #refill(nowMs: number): void {
    const gained = (Math.max(0, nowMs - this.#updatedAtMs) * this.#options.perSecond) / 1000;
    this.#tokens = Math.min(this.#options.burst, this.#tokens + gained);
    this.#updatedAtMs = Math.max(this.#updatedAtMs, nowMs);
  }
}
