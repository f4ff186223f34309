/** A CPU rate that was measured over a window of time. All times are of the clock that measured. */
export interface RateReading {
  /** In cores. */
  readonly cores: number;
  /** End of the window, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
}

/** What a counter would have shown at a time. */
export interface CounterReading {
  /** Core-seconds. */
  readonly seconds: number;
  readonly timestampMs: number;
}

/** What has run has used some CPU; metrics-server takes 0 for a figure that is not known, and leaves the pod out. */
const LEAST_SECONDS = 0.001;

/**
 * Makes counters of rates. Between two readings the later rate is taken for the whole time between them, so that
 * whoever divides the counter's growth by the time gets back the very rate that was reported, at whatever pace he asks.
 *
 * A counter starts with what its first window holds, so it is small after a restart of this process: to Prometheus
 * that is an ordinary reset, and metrics-server leaves the figure out once.
 */
export class RateIntegrator {
  readonly #counters = new Map<string, CounterReading>();

  /**
   * Takes a reading that may be the one known already, or an older one from another replica of its source.
   *
   * @param key names what runs, and changes when it is restarted.
   * @param startedMs when it began to run, by the clock of the reading.
   */
  add(key: string, reading: RateReading, startedMs = -Infinity): CounterReading {
    const { cores, timestampMs, windowMs } = reading;
    const last = this.#counters.get(key);
    if (last !== undefined && timestampMs <= last.timestampMs) return last;
    const sinceMs = last?.timestampMs ?? Math.max(timestampMs - windowMs, startedMs);
    const grown = (cores * Math.max(0, timestampMs - sinceMs)) / 1000;
    const seconds = last === undefined ? Math.max(LEAST_SECONDS, grown) : last.seconds + grown;
    const counter = { seconds, timestampMs };
    this.#counters.set(key, counter);
    return counter;
  }

  /** Forgets the counters of all keys that shall not be kept. */
  retain(keep: (key: string) => boolean): void {
    for (const key of [...this.#counters.keys()]) {
      if (!keep(key)) this.#counters.delete(key);
    }
  }
}
