import type { KubeObject } from '../apis/core.js';
import { deepFreeze } from '../lib/deep-freeze.js';
import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { Notifier } from './notifier.js';
import type { ReflectorSink, Snapshot } from './reflector.js';
import { type ObjectKey, objectKey } from './resource.js';
import { isNotNewer, isOlder, parseResourceVersion, type ResourceVersion } from './resource-version.js';
import { type Indexer, IndexedStore } from './store.js';

export interface InformerCacheOptions<T, U> {
  readonly transform: (object: T) => U | undefined;
  readonly indexers: Readonly<Record<string, Indexer<U>>>;
  readonly freeze: boolean;
  readonly logger: Logger;
}

interface Entry<U> {
  readonly object: U;
  readonly version: ResourceVersion | undefined;
}

/**
 * Turns what a reflector sees, and what the caller's own writes returned, into one consistent store.
 *
 * Versions decide. `#seen` is how far the watch has come: of all that happened up to there the store is the truth. An
 * object that a write returned is *assumed* when its version is beyond `#seen`; until the watch gets there, nothing
 * older may replace it, neither an event nor a list that was taken before the write.
 */
export class InformerCache<T extends KubeObject, U> implements ReflectorSink<T> {
  readonly store: IndexedStore<U>;
  readonly notifier: Notifier<U>;
  readonly #options: InformerCacheOptions<T, U>;
  readonly #versions = new Map<ObjectKey, ResourceVersion>();
  readonly #assumed = new Map<ObjectKey, ResourceVersion>();
  #seen: ResourceVersion | undefined;
  #synced = false;

  constructor(options: InformerCacheOptions<T, U>) {
    this.#options = options;
    this.store = new IndexedStore(options.indexers);
    this.notifier = new Notifier(options.logger);
  }

  get synced(): boolean {
    return this.#synced;
  }

  begin(): Snapshot<T> {
    const entries = new Map<ObjectKey, Entry<U>>();
    return {
      add: (object) => {
        const transformed = this.#transform(object);
        if (transformed === undefined) entries.delete(objectKey(object));
        else entries.set(objectKey(object), { object: transformed, version: versionOf(object) });
      },
      remove: (object) => void entries.delete(objectKey(object)),
      commit: (resourceVersion) => this.#replace(entries, parseResourceVersion(resourceVersion)),
    };
  }

  apply(deleted: boolean, object: T): boolean {
    const key = objectKey(object);
    const version = versionOf(object);
    if (isOlder(version, this.#assumed.get(key))) return true;
    const known = this.#versions.get(key);
    if (deleted ? isOlder(version, known) : isNotNewer(version, known)) {
      // The watch has brought what was assumed: it is there for certain now.
      this.#assumed.delete(key);
      this.#advance(version);
      return true;
    }
    const transformed = deleted ? undefined : this.#transform(object);
    // From the past, and unknown: either it was deleted since, or the server mixed up the order. Only a list can tell.
    if (transformed !== undefined && known === undefined && isNotNewer(version, this.#seen)) return false;
    this.#assumed.delete(key);
    this.#put(key, transformed, version);
    this.#advance(version);
    return true;
  }

  progress(resourceVersion: string): boolean {
    const version = parseResourceVersion(resourceVersion);
    this.#advance(version);
    // The watch is past these, and no event came: they don't belong here, or it missed something.
    const missed = [...this.#assumed].filter(([, assumed]) => isNotNewer(assumed, version));
    for (const [key] of missed) this.#assumed.delete(key);
    return missed.length === 0;
  }

  assume(object: T): void {
    const key = objectKey(object);
    const version = versionOf(object);
    if (version === undefined || isNotNewer(version, this.#seen) || isNotNewer(version, this.#versions.get(key)))
      return;
    if (isNotNewer(version, this.#assumed.get(key))) return;
    this.#assumed.set(key, version);
    this.#put(key, this.#transform(object), version);
  }

  #replace(entries: ReadonlyMap<ObjectKey, Entry<U>>, version: ResourceVersion | undefined): void {
    // The server was restored from a backup: its versions begin again, and what is known of the old ones means nothing.
    const restored = isOlder(version, this.#seen);
    for (const [key, assumed] of this.#assumed) {
      if (restored || isNotNewer(assumed, version)) this.#assumed.delete(key);
    }
    this.#seen = version;
    const initial = !this.#synced;
    for (const key of [...this.store.keys()]) {
      if (!entries.has(key) && !this.#assumed.has(key)) this.#put(key, undefined, undefined);
    }
    for (const [key, entry] of entries) {
      if (this.#assumed.has(key)) continue;
      const same = entry.version !== undefined && entry.version === this.#versions.get(key);
      if (!same || restored) this.#put(key, entry.object, entry.version, initial);
    }
    this.#synced = true;
  }

  #put(key: ObjectKey, object: U | undefined, version: ResourceVersion | undefined, initial = false): void {
    const old = this.store.get(key);
    if (object === undefined) {
      if (old === undefined) return;
      this.store.delete(key);
      this.#versions.delete(key);
      this.notifier.notify({ type: 'delete', old });
      return;
    }
    this.store.set(key, this.#options.freeze ? deepFreeze(object) : object);
    if (version === undefined) this.#versions.delete(key);
    else this.#versions.set(key, version);
    this.notifier.notify(old === undefined ? { type: 'add', object, initial } : { type: 'update', old, object });
  }

  #advance(version: ResourceVersion | undefined): void {
    if (!isOlder(version, this.#seen)) this.#seen = version;
  }

  /** An object that can't be transformed is left out; one bad object must not stop all others. */
  #transform(object: T): U | undefined {
    try {
      return this.#options.transform(object);
    } catch (error) {
      this.#options.logger.error('an object could not be transformed', {
        object: objectKey(object),
        error: errorMessage(error),
      });
      return undefined;
    }
  }
}

function versionOf(object: KubeObject): ResourceVersion | undefined {
  return parseResourceVersion(object.metadata?.resourceVersion);
}
