interface Progress {
  /** The reading from which on the node counts. */
  base: number;
  last: number;
}

/**
 * The sum of the same counter of several nodes, which must only grow although nodes come, go, restart and sometimes
 * don't answer: a reader that divides growth by time would see a jump as a burst of work that never was.
 *
 * - The first round adds up whole counters, so that the sum of nodes that stay is exact, and the same in every replica.
 * - A node that comes later counts from its first reading on.
 * - What a node has contributed stays when it goes, or when it alone didn't answer; when it is back it has come anew.
 * - A round without any answer changes nothing: the next one covers the longer time, of all nodes alike.
 */
export class CounterSum {
  readonly #progress = new Map<string, Progress>();
  /** Contributions of nodes that have gone, and of counters that have started over. */
  #settled = 0;
  #started = false;

  /**
   * Takes the readings of one round, by node.
   *
   * @returns the sum in the unit of the readings; undefined for a round without any.
   */
  add(readings: ReadonlyMap<string, number>): number | undefined {
    if (readings.size === 0) return undefined;
    for (const node of [...this.#progress.keys()]) {
      if (!readings.has(node)) this.#settle(node);
    }
    for (const [node, value] of readings) this.#take(node, value);
    this.#started = true;
    return this.#settled + [...this.#progress.values()].reduce((sum, { last, base }) => sum + last - base, 0);
  }

  #take(node: string, value: number): void {
    const known = this.#progress.get(node);
    if (known === undefined) {
      this.#progress.set(node, { base: this.#started ? value : 0, last: value });
      return;
    }
    if (value < known.last) {
      // The node was restarted; what it has counted since is new.
      this.#settled += known.last - known.base;
      known.base = 0;
    }
    known.last = value;
  }

  #settle(node: string): void {
    const known = this.#progress.get(node);
    if (known === undefined) return;
    this.#settled += known.last - known.base;
    this.#progress.delete(node);
  }
}

/** The middle of several times, so that it advances as they do even when the clocks differ; undefined without any. */
export function meanTime(timesMs: Iterable<number>): number | undefined {
  const times = [...timesMs];
  if (times.length === 0) return undefined;
  return Math.round(times.reduce((sum, time) => sum + time, 0) / times.length);
}
