import { sleepOn, type Clock, type Timer } from '../../src/lib/clock.js';

interface Entry {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Lets every promise that can settle without time or I/O do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  readonly #entries = new Set<Entry>();

  constructor(wallMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.#wallOffsetMs = wallMs;
  }

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry: Entry = { dueAt: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#entries.size;
  }

  /** Milliseconds until the next timer; undefined when there is none. */
  get nextTimerInMs(): number | undefined {
    const next = this.#next(Infinity);
    return next === undefined ? undefined : Math.max(0, next.dueAt - this.#monotonicMs);
  }

  /** Moves both clocks forward, firing due timers in order and letting promises settle before and after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#entries.delete(next);
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueAt);
      next.callback();
      await settle();
    }
    this.#monotonicMs = Math.max(this.#monotonicMs, until);
    await settle();
  }

  /** Time passes but nothing fires, as when the event loop is blocked; overdue timers fire with the next `advance`. */
  stall(ms: number): void {
    this.#monotonicMs += ms;
  }

  /** The wall clock jumps; the monotonic clock and the timers don't notice. */
  setWall(ms: number): void {
    this.#wallOffsetMs = ms - this.#monotonicMs;
  }

  #next(until: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.dueAt > until) continue;
      if (
        first === undefined ||
        entry.dueAt < first.dueAt ||
        (entry.dueAt === first.dueAt && entry.order < first.order)
      )
        first = entry;
    }
    return first;
  }
}
