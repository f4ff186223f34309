/**
 * First in, first out, each key at most once, any key removable, all in O(1).
 *
 * It is a Map with one iterator that is kept: a new iterator for each `shift` would step over all that was removed
 * before (200,000 shifts: 6.3 s instead of 0.2 s).
 */
export class KeyedFifo<V> {
  readonly #entries = new Map<string, V>();
  readonly #iterator = this.#entries.entries();

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Appends a key; one that is present keeps its place and gets the new value. */
  push(key: string, value: V): void {
    this.#entries.set(key, value);
  }

  /** Takes out the oldest key. */
  shift(): readonly [key: string, value: V] | undefined {
    // An iterator that once came to the end would stay there. All that is present is ahead of it: what it passed is gone.
    if (this.#entries.size === 0) return undefined;
    const next = this.#iterator.next();
    if (next.done === true) return undefined;
    this.#entries.delete(next.value[0]);
    return next.value;
  }

  /** Takes out a key wherever it is, and returns its value. */
  remove(key: string): V | undefined {
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
