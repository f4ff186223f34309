import type { KubeObject } from '../apis/core.js';
import type { Clock, Random } from '../lib/clock.js';
import { errorMessage, FederationError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { ApiError, isExpired, isResourceVersionTooLarge, isTooManyRequests } from './api-error.js';
import type { KubeClient, Selectors, WatchEvent, WatchOptions } from './client.js';
import type { ResourceType } from './resource.js';
import { compareResourceVersions, parseResourceVersion } from './resource-version.js';
import { TransportError } from './transport-error.js';
import { WatchBackoff } from './watch-backoff.js';

/** A consistent picture of all objects in the making; nothing changes before `commit`. */
export interface Snapshot<T> {
  add(object: T): void;
  remove(object: T): void;
  /** Replaces everything by this picture, which was taken at `resourceVersion`. */
  commit(resourceVersion: string): void;
}

/** Where a reflector puts what it sees. None of these may throw. */
export interface ReflectorSink<T> {
  begin(): Snapshot<T>;
  /** One change. False when it doesn't fit to what is known, so that everything must be listed again. */
  apply(deleted: boolean, object: T): boolean;
  /** All changes up to this version have been applied. False as above. */
  progress(resourceVersion: string): boolean;
}

/** Told what happens, for metrics. None of these may throw. */
export interface ReflectorObserver {
  listed?(resource: string, objects: number, seconds: number): void;
  event?(resource: string): void;
  /** `clean`: the server closed; `expired`: 410; `unordered`: events that don't fit; `error`: the server said so. */
  watchEnded?(resource: string, reason: 'clean' | 'expired' | 'unordered' | 'broken' | 'error'): void;
}

export interface ReflectorOptions<T extends KubeObject> extends Selectors {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly type: ResourceType<T>;
  readonly sink: ReflectorSink<T>;
  readonly pageSize: number;
  /** Changes from now on only: the present objects are not listed, and the sink's pictures are empty. */
  readonly changesOnly?: boolean | undefined;
  /** Get the first picture through the watch itself (WatchList); a server that can't is listed. */
  readonly watchList: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer?: ReflectorObserver | undefined;
  /** Called with every change of `connected`. */
  readonly onConnected: (connected: boolean) => void;
  /** Called with what made a list or a watch fail, each time that it is put off. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

const INITIAL_EVENTS_END_ANNOTATION = 'k8s.io/initial-events-end';
const SHORTEST_WATCH_SECONDS = 300;
/** A watch that ends within this time and brings nothing counts as a failure, or we would open watches in a hot loop. */
const SHORT_WATCH_MS = 1000;
/** A watch that lived this long was a good one: what ends it is no sign of a server that can't cope. */
const GOOD_WATCH_MS = 10_000;
/** For a server that answers, and says no: it may be overloaded. */
const LONGEST_REFUSED_DELAY_MS = 30_000;
/** For one that can't be reached: trying costs it nothing, and all waits for the moment when it is back. */
const LONGEST_UNREACHABLE_DELAY_MS = 2500;
/** Server errors in a row after which a new list is tried instead of the same watch again. */
const ERRORS_BEFORE_RELIST = 3;

/** Events that can't be: the sink asks for a list. */
class UnorderedError extends FederationError {
  constructor() {
    super('INTERNAL', 'the watch does not fit to what is known');
  }
}

/**
 * Keeps a sink equal to what the API server has: a consistent list, then a watch from its version on, resumed where it
 * ended; a new list when the server has forgotten that version (410). Failures are retried for ever with growing delays.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #selectors: Selectors;
  readonly #refused: WatchBackoff;
  readonly #unreachable: WatchBackoff;
  #watchList: boolean;
  /** Where to resume; undefined when a list is needed. */
  #version: string | undefined;
  #serverErrors = 0;
  #relistedAtOnce = false;
  /** Aborted to start over at once. */
  #attempt = new AbortController();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    const { namespace, labelSelector, fieldSelector } = options;
    this.#selectors = { namespace, labelSelector, fieldSelector };
    this.#refused = new WatchBackoff({ ...options, longestMs: LONGEST_REFUSED_DELAY_MS });
    this.#unreachable = new WatchBackoff({ ...options, longestMs: LONGEST_UNREACHABLE_DELAY_MS });
    this.#watchList = options.watchList;
  }

  /** Works until the signal is aborted; then resolves, with the connection closed. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#attempt.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      this.#attempt = new AbortController();
      const attempt = this.#attempt.signal;
      try {
        if (this.#version === undefined && !this.#watchList) await this.#list(attempt);
        await this.#watch(attempt);
        this.#options.observer?.watchEnded?.(this.#options.type.plural, 'clean');
      } catch (error) {
        await this.#recover(error, attempt);
      }
    }
    signal.removeEventListener('abort', stop);
    this.#options.onConnected(false);
  }

  /**
   * Starts over at once, from where it was: ends a wait, and a connection, which may be dead on one side only. To be
   * called when a server that did not answer does again; without it the next try may be a minute away.
   */
  reconnect(): void {
    this.#refused.reset();
    this.#unreachable.reset();
    this.#attempt.abort(new Error('the server is back'));
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { clock, observer, type, pageSize } = this.#options;
    const startedAt = clock.monotonic();
    let count: number;
    try {
      count = this.#options.changesOnly ? await this.#skipPresent(signal) : await this.#listPages(pageSize, signal);
    } catch (error) {
      // The token of the next page has expired: the list takes longer than the server keeps versions.
      if (!isExpired(error)) throw error;
      count = await this.#listPages(undefined, signal);
    }
    observer?.listed?.(type.plural, count, (clock.monotonic() - startedAt) / 1000);
  }

  async #listPages(limit: number | undefined, signal: AbortSignal): Promise<number> {
    const { client, type, sink } = this.#options;
    const snapshot = sink.begin();
    let version: string | undefined;
    let continueToken: string | undefined;
    let count = 0;
    do {
      // No resource version: a consistent read of the newest state, never a lagging cache.
      const page = await client.list(type, { ...this.#selectors, limit, continueToken, signal });
      for (const object of page.items) snapshot.add(object);
      count += page.items.length;
      version ??= page.resourceVersion;
      continueToken = page.continueToken;
    } while (continueToken !== undefined);
    snapshot.commit(version);
    this.#version = version;
    return count;
  }

  /** The smallest list that there is says what version the server is at. */
  async #skipPresent(signal: AbortSignal): Promise<number> {
    const { client, type, sink } = this.#options;
    const { resourceVersion } = await client.list(type, { ...this.#selectors, limit: 1, signal });
    sink.begin().commit(resourceVersion);
    this.#version = resourceVersion;
    return 0;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, type, clock } = this.#options;
    const startedAt = clock.monotonic();
    const snapshot = this.#version === undefined ? this.#options.sink.begin() : undefined;
    const events = await client.watch(type, this.#watchOptions(signal));
    let received: boolean;
    try {
      received = await this.#consume(events, snapshot);
    } finally {
      if (clock.monotonic() - startedAt >= GOOD_WATCH_MS) this.#refused.reset();
    }
    if (!received && clock.monotonic() - startedAt < SHORT_WATCH_MS) throw broken('the server ends the watch at once');
  }

  /** Takes all events in until the clean end; says whether there were any. */
  async #consume(events: AsyncIterable<WatchEvent<T>>, begun: Snapshot<T> | undefined): Promise<boolean> {
    const { type, observer, onConnected } = this.#options;
    let received = false;
    let snapshot = begun;
    if (!snapshot) onConnected(true);
    for await (const event of events) {
      if (event.type === 'ERROR') throw new ApiError(event.object, { statusCode: 500 });
      received = true;
      this.#serverErrors = 0;
      observer?.event?.(type.plural);
      if (!snapshot) {
        this.#apply(event);
      } else if (this.#collect(snapshot, event)) {
        snapshot = undefined;
        onConnected(true);
      }
    }
    if (snapshot) throw broken('the watch ended before the first picture was complete');
    return received;
  }

  #watchOptions(signal: AbortSignal): WatchOptions {
    const timeoutSeconds = Math.round(SHORTEST_WATCH_SECONDS * (1 + this.#options.random()));
    const start =
      this.#version === undefined
        ? ({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const)
        : { resourceVersion: this.#version };
    return { ...this.#selectors, ...start, timeoutSeconds, signal };
  }

  /** An event of the first phase of a WatchList; true when that phase is over. */
  #collect(snapshot: Snapshot<T>, event: WatchEvent<T>): boolean {
    const { metadata } = event.object;
    if (event.type === 'DELETED') snapshot.remove(event.object);
    else if (event.type !== 'BOOKMARK') snapshot.add(event.object);
    else if (metadata?.annotations?.[INITIAL_EVENTS_END_ANNOTATION] === 'true') {
      const version = metadata.resourceVersion ?? '';
      snapshot.commit(version);
      this.#version = version;
      return true;
    }
    return false;
  }

  #apply(event: WatchEvent<T>): void {
    const { sink } = this.#options;
    const version = event.object.metadata?.resourceVersion;
    const fits =
      event.type === 'BOOKMARK'
        ? version === undefined || sink.progress(version)
        : sink.apply(event.type === 'DELETED', event.object);
    if (!fits) throw new UnorderedError();
    this.#relistedAtOnce = false;
    if (version !== undefined) this.#version = laterOf(this.#version, version);
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { logger, observer, type, onConnected } = this.#options;
    const resource = type.plural;
    const reason = reasonOf(error);
    onConnected(false);
    if (signal.aborted) return;
    observer?.watchEnded?.(resource, reason);
    if (this.#watchList && this.#version === undefined && isRefusal(error)) {
      this.#watchList = false;
      logger.info('the server cannot stream the first list', { resource });
      return;
    }
    if (this.#needsList(error)) this.#version = undefined;
    if ((reason === 'expired' || reason === 'unordered') && !this.#relistedAtOnce) {
      this.#relistedAtOnce = true;
      logger.info('listing again', { resource, reason });
      return;
    }
    await this.#backOff(error, signal);
  }

  async #backOff(error: unknown, signal: AbortSignal): Promise<void> {
    const { logger, type, clock, onFailure } = this.#options;
    onFailure?.(error);
    const atLeastMs = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const backoff = isUnreachable(error) ? this.#unreachable : this.#refused;
    const delayMs = Math.round(backoff.delayMs(atLeastMs));
    logger.warn('list or watch failed', { resource: type.plural, error: errorMessage(error), retryInMs: delayMs });
    try {
      await clock.sleep(delayMs, signal);
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
  }

  #needsList(error: unknown): boolean {
    if (error instanceof UnorderedError) return true;
    if (!(error instanceof ApiError)) return false;
    if (isExpired(error) || isResourceVersionTooLarge(error)) return true;
    if (isTooManyRequests(error) || isUnreachable(error)) return false;
    if (error.statusCode < 500) return true;
    this.#serverErrors += 1;
    if (this.#serverErrors < ERRORS_BEFORE_RELIST) return false;
    this.#serverErrors = 0;
    return true;
  }
}

function reasonOf(error: unknown): 'expired' | 'unordered' | 'broken' | 'error' {
  if (error instanceof UnorderedError) return 'unordered';
  if (isExpired(error) || isResourceVersionTooLarge(error)) return 'expired';
  return error instanceof ApiError ? 'error' : 'broken';
}

function broken(message: string): TransportError {
  return new TransportError('WATCH_BROKEN', message, { mayHaveArrived: true });
}

/** No answer, or that of a balancer which has no server behind it. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof ApiError) return error.reason === '' && error.statusCode > 500;
  return error instanceof TransportError && error.code !== 'WATCH_BROKEN';
}

/** An answer that says that the server doesn't know this kind of watch (feature gate off, or an older server). */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.statusCode === 400 || error.statusCode === 422);
}

/** Never goes back, since an event that came late must not be asked for again. */
function laterOf(current: string | undefined, version: string): string {
  if (current === undefined) return version;
  const [a, b] = [parseResourceVersion(current), parseResourceVersion(version)];
  if (a === undefined || b === undefined) return version;
  return (compareResourceVersions(a, b) ?? -1) < 0 ? version : current;
}
