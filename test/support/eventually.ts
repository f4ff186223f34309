import { setTimeout as sleep } from 'node:timers/promises';

/** How long something may take, and how often it is looked at. */
export interface EventuallyOptions {
  /** @default 45000 */
  readonly timeoutMs?: number;
  /** @default 150 */
  readonly intervalMs?: number;
}

/**
 * Runs a check that reads real servers until it doesn't throw, and returns what it returns. When the time is up it
 * throws what the check said last, so that a failed test shows the real state.
 */
export async function eventually<T>(check: () => Promise<T> | T, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 45_000, intervalMs = 150 } = options;
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= endsAt) throw error;
    }
    await sleep(intervalMs);
  }
}

/** Runs a check over and over for a time; the first failure ends it. For things that must not happen. */
export async function always(check: () => Promise<void> | void, durationMs: number): Promise<void> {
  const endsAt = performance.now() + durationMs;
  do {
    await check();
    await sleep(250);
  } while (performance.now() < endsAt);
}
