import { LRUCache } from 'lru-cache';
import type { ObjectReference } from '../apis/core.js';
import { TokenBucket } from '../lib/token-bucket.js';

/** Who says it, as in core/v1. */
export interface EventSource {
  readonly component: string;
  readonly host?: string | undefined;
}

/** Something that happened to an object, before it is an Event in the API. */
export interface Occurrence {
  readonly object: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly source: EventSource;
}

/** An Event that exists in the API. */
export interface KnownEvent {
  readonly namespace: string;
  readonly name: string;
  readonly count: number;
}

/** How an occurrence is to be written. */
export interface Correlated {
  /** For {@link EventCorrelator.remember}. */
  readonly key: string;
  readonly message: string;
  /** The Event to count up; absent when a new one is needed. */
  readonly known?: KnownEvent | undefined;
}

/** Occurrences that differ by their message only. */
interface Group {
  messages: Set<string>;
  lastAtMs: number;
}

const CACHE_SIZE = 4096;
const SPAM_LIMIT = { burst: 25, perSecond: 1 / 300 };
const GROUP_LIMIT = 10;
const GROUP_WINDOW_MS = 600_000;

function keyOf(parts: readonly (string | undefined)[]): string {
  // Any character that can't be in the parts keeps ("ab", "c") and ("a", "bc") apart.
  return parts.join('\u0000');
}

function subjectKey({ object, type, source }: Occurrence): string {
  const { apiVersion, kind, namespace, name, uid } = object;
  return keyOf([source.component, source.host, apiVersion, kind, namespace, name, uid, type]);
}

/**
 * Keeps Events few, with the rules and limits of client-go's correlator: an object gets at most 25 in a burst and then
 * one in 5 minutes; the same occurrence counts up one Event; from the tenth message of one reason within 10 minutes on,
 * they share one Event.
 */
export class EventCorrelator {
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: CACHE_SIZE });
  readonly #groups = new LRUCache<string, Group>({ max: CACHE_SIZE });
  readonly #known = new LRUCache<string, KnownEvent>({ max: CACHE_SIZE });

  /** False when the object has had too many Events. `nowMs` is monotonic time. */
  admit(occurrence: Occurrence, nowMs: number): boolean {
    const key = subjectKey(occurrence);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(SPAM_LIMIT, nowMs);
      this.#buckets.set(key, bucket);
    }
    return bucket.tryTake(nowMs);
  }

  /** Decides which Event an occurrence belongs to. `nowMs` is monotonic time. */
  correlate(occurrence: Occurrence, nowMs: number): Correlated {
    const { reason, message } = occurrence;
    const groupKey = keyOf([subjectKey(occurrence), reason]);
    let group = this.#groups.get(groupKey);
    if (group === undefined || nowMs - group.lastAtMs > GROUP_WINDOW_MS) {
      group = { messages: new Set(), lastAtMs: nowMs };
      this.#groups.set(groupKey, group);
    }
    group.lastAtMs = nowMs;
    const shared = group.messages.size >= GROUP_LIMIT - 1 && !group.messages.has(message);
    if (!shared) group.messages.add(message);
    const key = shared ? groupKey : keyOf([groupKey, message]);
    const text = shared ? `(combined from similar events): ${message}` : message;
    return { key, message: text, known: this.#known.get(key) };
  }

  /** Remembers the Event that was written for a key. */
  remember(key: string, event: KnownEvent): void {
    this.#known.set(key, event);
  }
}
