/** How many tokens a bucket holds and how fast they come back. */
export interface TokenBucketOptions {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket without timers, for limits whose excess is dropped. Starts full. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #updatedAtMs: number;

  /** `nowMs` is monotonic time, here and in {@link tryTake}. */
  constructor(options: TokenBucketOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#updatedAtMs = nowMs;
  }

  /** Takes one token; false when there is none. */
  tryTake(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.#updatedAtMs) * this.#options.perSecond) / 1000;
    this.#tokens = Math.min(this.#options.burst, this.#tokens + gained);
    this.#updatedAtMs = Math.max(this.#updatedAtMs, nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
