import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../lib/clock.js';

/** Scrapes come every 10 s and more; several scrapers within this time cost the member one request. */
export const STATS_TTL_MS = 5_000;
const MAX_ENTRIES = 1_000;
/** Answers of `/metrics/cadvisor` are large. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/**
 * Answers that are good for 5 s. Whoever asks while one is being fetched shares it; a failure is told to all of them,
 * and not kept.
 */
export class StatsCache<Value extends object> {
  readonly #cache: LRUCache<string, Value, () => Promise<Value>>;

  /** @param sizeOf about how many characters a value takes. */
  constructor(clock: Pick<Clock, 'monotonic'>, sizeOf: (value: Value) => number = () => 1) {
    this.#cache = new LRUCache<string, Value, () => Promise<Value>>({
      max: MAX_ENTRIES,
      maxSize: MAX_CHARACTERS,
      sizeCalculation: (value) => Math.max(1, sizeOf(value)),
      ttl: STATS_TTL_MS,
      // No timer of the cache's own; and a start at 0 would be taken for none.
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() + 1 },
      fetchMethod: (_key, _stale, { context: fetch }) => fetch(),
    });
  }

  /** The value that is known, or the one that `fetch` gives. */
  get(key: string, fetch: () => Promise<Value>): Promise<Value> {
    return this.#cache.forceFetch(key, { context: fetch });
  }
}
