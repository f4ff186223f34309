/** A value and the time it is due at. */
interface Entry<V> {
  readonly key: string;
  dueAt: number;
  /** Keeps values of the same time in the order of their arrival. */
  readonly order: number;
  value: V;
  index: number;
}

/** A binary min-heap of keyed values by time. A key is in it at most once. All changes are O(log n). */
export class DelayHeap<V> {
  readonly #heap: Entry<V>[] = [];
  readonly #byKey = new Map<string, Entry<V>>();
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Time of the first value; undefined when the heap is empty. */
  get firstDueAt(): number | undefined {
    return this.#heap[0]?.dueAt;
  }

  /** The value that waits under this key. */
  get(key: string): V | undefined {
    return this.#byKey.get(key)?.value;
  }

  /** Adds a value. A key that waits already gets the new value and keeps the earlier of the two times. */
  put(key: string, dueAt: number, value: V): void {
    const present = this.#byKey.get(key);
    if (present === undefined) {
      const entry = { key, dueAt, order: this.#order++, value, index: this.#heap.length };
      this.#heap.push(entry);
      this.#byKey.set(key, entry);
      this.#up(entry);
      return;
    }
    present.value = value;
    if (dueAt >= present.dueAt) return;
    present.dueAt = dueAt;
    this.#up(present);
  }

  /** Takes out the first value if it is due at `now`. */
  takeDue(now: number): { readonly key: string; readonly value: V } | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueAt > now) return undefined;
    this.#byKey.delete(first.key);
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#place(last, 0);
      this.#down(last);
    }
    return first;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #place(entry: Entry<V>, index: number): void {
    entry.index = index;
    this.#heap[index] = entry;
  }

  #up(entry: Entry<V>): void {
    while (entry.index > 0) {
      const { index } = entry;
      const parent = this.#heap[(index - 1) >> 1];
      if (parent === undefined || !before(entry, parent)) return;
      const parentIndex = parent.index;
      this.#place(parent, index);
      this.#place(entry, parentIndex);
    }
  }

  #down(entry: Entry<V>): void {
    for (;;) {
      const { index } = entry;
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left;
      if (child === undefined || !before(child, entry)) return;
      const childIndex = child.index;
      this.#place(child, index);
      this.#place(entry, childIndex);
    }
  }
}

function before(left: Entry<unknown>, right: Entry<unknown>): boolean {
  return left.dueAt < right.dueAt || (left.dueAt === right.dueAt && left.order < right.order);
}
