/** A pending callback of a {@link Clock}. */
export interface Timer {
  /** Prevents the callback from running; harmless after it ran. */
  cancel(): void;
}

/**
 * The only source of time in the product, injected everywhere so that tests can move it by hand.
 * Times of other machines are never compared with it.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; for timestamps that people and API servers read. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. For measuring durations. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs` milliseconds. */
  schedule(delayMs: number, callback: () => void): Timer;
  /** Resolves after `delayMs` milliseconds; rejects with the signal's reason when aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Returns a number in [0, 1), as `Math.random` does. */
export type Random = () => number;

/** Node fires a timer at once when its delay exceeds a signed 32-bit number of milliseconds. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Shared by every Clock: a sleep built on `schedule`. */
export function sleepOn(clock: Pick<Clock, 'schedule'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (delayMs, callback) => {
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS));
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

/** The machine's own randomness; good for jitter, not for secrets. */
export const systemRandom: Random = () => Math.random();
