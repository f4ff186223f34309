import type { Clock } from '../../lib/clock.js';

/** By then the programs are loaded and the first config is applied. */
const FIRST_MS = 5_000;
const INTERVAL_MS = 30_000;

/**
 * Gives unused memory back to the kernel until the signal aborts. The allocator keeps what was freed for the next time:
 * 9 MiB after the start of an agent, which it never needs again, and some after each large config.
 *
 * @param trim - gives back what there is; takes 25 ms the first time and less than 1 ms when there is nothing
 */
export async function keepSmall(trim: () => void, clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<void> {
  for (let waitMs = FIRST_MS; !signal.aborted; waitMs = INTERVAL_MS) {
    const isOver = await clock.sleep(waitMs, signal).then(
      () => false,
      () => true,
    );
    if (!isOver) trim();
  }
}
