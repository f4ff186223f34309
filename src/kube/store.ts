import type { ObjectKey } from './resource.js';

/** What an informer holds. Objects in it belong to it: never change them. */
export interface Store<U> {
  get(key: ObjectKey): U | undefined;
  /** A new array of all objects. */
  list(): U[];
  keys(): IterableIterator<ObjectKey>;
  readonly size: number;
  /** The objects that the indexer gave this value; a new array. Throws on an unknown index. */
  byIndex(index: string, value: string): U[];
}

/** Names the values under which an object is found; none leaves it out of the index. */
export type Indexer<U> = (object: U) => readonly string[];

interface Index<U> {
  readonly valuesOf: Indexer<U>;
  readonly entries: Map<string, Map<ObjectKey, U>>;
}

/** A map with secondary keys. */
export class IndexedStore<U> implements Store<U> {
  readonly #objects = new Map<ObjectKey, U>();
  readonly #indexes: ReadonlyMap<string, Index<U>>;

  constructor(indexers: Readonly<Record<string, Indexer<U>>> = {}) {
    this.#indexes = new Map(
      Object.entries(indexers).map(([name, valuesOf]) => [name, { valuesOf, entries: new Map() }]),
    );
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): U | undefined {
    return this.#objects.get(key);
  }

  list(): U[] {
    return [...this.#objects.values()];
  }

  keys(): IterableIterator<ObjectKey> {
    return this.#objects.keys();
  }

  byIndex(index: string, value: string): U[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`there is no index ${index}`);
    return [...(found.entries.get(value)?.values() ?? [])];
  }

  set(key: ObjectKey, object: U): void {
    this.#removeFromIndexes(key);
    this.#objects.set(key, object);
    for (const { valuesOf, entries } of this.#indexes.values()) {
      for (const value of valuesOf(object)) {
        const entry = entries.get(value);
        if (entry) entry.set(key, object);
        else entries.set(value, new Map([[key, object]]));
      }
    }
  }

  delete(key: ObjectKey): void {
    this.#removeFromIndexes(key);
    this.#objects.delete(key);
  }

  #removeFromIndexes(key: ObjectKey): void {
    if (this.#indexes.size === 0) return;
    const old = this.#objects.get(key);
    if (old === undefined) return;
    for (const { valuesOf, entries } of this.#indexes.values()) {
      for (const value of valuesOf(old)) {
        const entry = entries.get(value);
        entry?.delete(key);
        if (entry?.size === 0) entries.delete(value);
      }
    }
  }
}
