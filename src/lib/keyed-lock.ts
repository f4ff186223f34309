/** Runs at most one task per key at a time, in the order in which they were asked for. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether a task of that key is running or waits. */
  isBusy(key: string): boolean {
    return this.#last.has(key);
  }

  /** The task's own result; how tasks before it ended doesn't matter. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    this.#last.set(key, mine);
    const forget = (): void => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}
