import { setImmediate } from 'node:timers/promises';
import type { Clock, Timer } from '../../src/lib/clock.js';

/** A clock on which every sleep is over at once, and counts all the same; for code that also waits for real I/O. */
export class HastyClock implements Clock {
  /** Milliseconds that were slept. */
  slept = 0;
  /** Called after each sleep: the time in which others do their work. */
  meanwhile: () => void = () => undefined;
  readonly #startMs: number;

  constructor(wallMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.#startMs = wallMs;
  }

  now(): number {
    return this.#startMs + this.slept;
  }

  monotonic(): number {
    return this.slept;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept += delayMs;
    await setImmediate();
    this.meanwhile();
    signal?.throwIfAborted();
  }
}
