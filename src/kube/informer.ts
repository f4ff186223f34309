import type { KubeObject } from '../apis/core.js';
import { type Clock, type Random, systemClock, systemRandom } from '../lib/clock.js';
import { type Logger, silentLogger } from '../lib/logger.js';
import type { KubeClient, Selectors } from './client.js';
import { InformerCache } from './informer-cache.js';
import type { InformerHandler } from './notifier.js';
import { Reflector, type ReflectorObserver } from './reflector.js';
import type { ResourceType } from './resource.js';
import type { Indexer, Store } from './store.js';
import { withoutManagedFields } from './transform.js';

/** What to watch, and what to keep of it. */
export interface InformerOptions<T extends KubeObject, U> extends Selectors {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly type: ResourceType<T>;
  /**
   * What to keep of an object; undefined leaves it out (and drops it when it was in). Must be pure; must not change its
   * argument. @default `withoutManagedFields`
   */
  readonly transform?: ((object: T) => U | undefined) | undefined;
  readonly indexers?: Readonly<Record<string, Indexer<U>>> | undefined;
  /** Objects per page of a list. @default 500 */
  readonly pageSize?: number | undefined;
  /** Ask the server to stream the first list (WatchList), falling back to paged lists. @default false */
  readonly watchList?: boolean | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly logger?: Logger | undefined;
  readonly observer?: ReflectorObserver | undefined;
  /** Freeze all objects, so that a change to one is an error; for tests. @default false */
  readonly freeze?: boolean | undefined;
}

/**
 * A local copy of all objects of one kind that match the selectors, kept up to date by a watch. `T` is the object on
 * the wire, `U` what the transform keeps of it.
 */
export class Informer<T extends KubeObject, U = T> {
  readonly #cache: InformerCache<T, U>;
  readonly #reflector: Reflector<T>;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #connected = false;
  #lastError: unknown;
  #connectedUntil = -Infinity;

  constructor(options: InformerOptions<T, U>) {
    const { logger = silentLogger, clock = systemClock, random = systemRandom } = options;
    this.#clock = clock;
    this.#cache = new InformerCache<T, U>({
      // Without a transform U is T: the type parameter's default says so, and TypeScript can't see it here.
      transform: options.transform ?? ((object) => withoutManagedFields(object) as unknown as U),
      indexers: options.indexers ?? {},
      freeze: options.freeze ?? false,
      logger,
    });
    this.#reflector = new Reflector({
      ...options,
      sink: this.#cache,
      pageSize: options.pageSize ?? 500,
      watchList: options.watchList ?? false,
      clock,
      random,
      logger,
      onConnected: (connected) => this.#setConnected(connected),
      onFailure: (error) => {
        this.#lastError = error;
      },
    });
  }

  get store(): Store<U> {
    return this.#cache.store;
  }

  /** True from the first complete list on, for ever; handlers have been told of all objects in it. */
  get hasSynced(): boolean {
    return this.#cache.synced;
  }

  /**
   * Whether the store is being kept up to date at this moment. While it is false, an object that is missing from the
   * store may well exist: unknown is not absent.
   */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why the last list or watch failed; undefined once the store is kept up to date again. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** For how long the store has not been kept up to date: 0 while connected, Infinity when it never was. */
  get lastSyncAgeMs(): number {
    return this.#connected ? 0 : this.#clock.monotonic() - this.#connectedUntil;
  }

  /** Handlers are told of everything that is in the store already. The returned function removes the handler. */
  addHandler(handler: InformerHandler<U>): () => void {
    return this.#cache.notifier.add(handler, this.#cache.store.list());
  }

  /** Hears of each change of `connected`; must not throw. The returned function removes the listener. */
  onConnectionChange(listener: (connected: boolean) => void): () => void {
    this.#connectionListeners.add(listener);
    return () => this.#connectionListeners.delete(listener);
  }

  /** Resolves once `hasSynced` is true; rejects with the signal's reason. */
  synced(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.hasSynced) {
        resolve();
        return;
      }
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onSynced = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(onSynced);
        reject(signal.reason as Error);
      };
      this.#waiting.add(onSynced);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Puts an object that a write just returned into the store at once, unless the watch has come further already. What
   * is older than it, events and lists alike, will not replace it.
   */
  assume(object: T): void {
    this.#cache.assume(object);
  }

  /** Lists and watches until the signal is aborted, then resolves. Call it once. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }

  /** Starts over at once instead of waiting, and drops a connection that may be dead; see {@link Reflector.reconnect}. */
  reconnect(): void {
    this.#reflector.reconnect();
  }

  #setConnected(connected: boolean): void {
    if (this.#connected && !connected) this.#connectedUntil = this.#clock.monotonic();
    const changed = this.#connected !== connected;
    this.#connected = connected;
    if (changed) for (const listener of [...this.#connectionListeners]) listener(connected);
    if (connected) this.#lastError = undefined;
    if (!this.hasSynced) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
