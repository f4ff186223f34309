import type { Clock } from '../lib/clock.js';
import { CliError, EXIT } from './failure.js';

export interface WaitOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/** What a probe says: the thing itself, or why it isn't there yet and what could be done. */
export type Probed<T> = { readonly found: T } | { readonly pending: string; readonly cure?: string | undefined };

const DEFAULT_INTERVAL_MS = 500;

/** Asks again until it is there. When the time is up, the error says what was missing last. */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<Probed<T>>,
  report: (detail: string) => void,
  { clock, signal, timeoutMs, intervalMs = DEFAULT_INTERVAL_MS }: WaitOptions,
): Promise<T> {
  const end = clock.monotonic() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const probed = await probe();
    if ('found' in probed) return probed.found;
    report(probed.pending);
    if (clock.monotonic() >= end) {
      throw new CliError(`${what}: not within ${Math.round(timeoutMs / 1000)} s; ${probed.pending}`, {
        ...(probed.cure !== undefined && { cure: probed.cure }),
        exitCode: EXIT.timedOut,
      });
    }
    await clock.sleep(intervalMs, signal);
  }
}
