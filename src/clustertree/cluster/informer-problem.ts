import { errorMessage } from '../../lib/errors.js';

/** What of an informer tells whether it can do its work. */
export interface InformerHealth {
  readonly hasSynced: boolean;
  readonly lastError: unknown;
  readonly lastSyncAgeMs: number;
}

/** A watch that broke is open again within this time, unless there is more to it. */
const WATCH_GRACE_MS = 10_000;

/** The first reason why one of the caches is not filled, or no longer kept up to date, in the API server's own words. */
export function informerProblem(informers: Iterable<InformerHealth>): string | undefined {
  for (const { hasSynced, lastError, lastSyncAgeMs } of informers) {
    if (lastError === undefined) continue;
    if (!hasSynced || lastSyncAgeMs >= WATCH_GRACE_MS) return errorMessage(lastError);
  }
  return undefined;
}
