import type { Clock, Random } from '../../lib/clock.js';
import type { Controller } from '../../runtime/controller.js';
import { onCurrent } from './on-current.js';
import type { WaitingKeys } from './waiting-keys.js';

export interface SteadyControllerOptions {
  readonly controller: Controller;
  /** Keys that had to be put off because a cache could not be trusted. */
  readonly waiting: WaitingKeys;
  /** Whether the caches can be acted on. */
  readonly isCurrent: () => boolean;
  /** Everything that there is to judge. */
  readonly keys: () => Iterable<string>;
  readonly clock: Clock;
  readonly random: Random;
}

/** How often everything is judged again, whatever the watches said. */
const RESYNC_MS = 5 * 60_000;

/**
 * Runs a controller of one member until aborted. What had to wait is queued again once the caches can be trusted, and
 * everything whenever they could not and now can, and every five minutes.
 */
export async function runSteadily(options: SteadyControllerOptions, signal: AbortSignal): Promise<void> {
  const { controller, waiting, isCurrent, keys, clock, random } = options;
  const enqueueAll = (): void => {
    for (const key of new Set(keys())) controller.enqueue(key, { priority: 'low' });
  };
  const stop = onCurrent(clock, isCurrent, (became) => {
    for (const key of waiting.take()) controller.enqueue(key);
    if (became) enqueueAll();
  });
  try {
    await Promise.all([controller.run(signal), resync(enqueueAll, clock, random, signal)]);
  } finally {
    stop();
  }
}

async function resync(enqueueAll: () => void, clock: Clock, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(RESYNC_MS * (0.9 + 0.2 * random()), signal).catch(() => undefined);
    enqueueAll();
  }
}
