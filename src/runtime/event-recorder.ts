import type { Event, KubeObject, ObjectReference } from '../apis/core.js';
import { ApiError, isNotFound } from '../kube/api-error.js';
import type { KubeClient } from '../kube/client.js';
import { events, keyOf, type ResourceType } from '../kube/resource.js';
import { isAborted } from '../lib/abort.js';
import { Backoff } from '../lib/backoff.js';
import type { Clock, Random } from '../lib/clock.js';
import { errorMessage, FederationError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { truncateUtf8 } from '../lib/text.js';
import { TokenBucket } from '../lib/token-bucket.js';
import { EventCorrelator, type Correlated, type EventSource, type Occurrence } from './event-correlator.js';

/** What an Event says. */
export interface EventDetails {
  readonly type: 'Normal' | 'Warning';
  /** One word in UpperCamelCase, at most 128 characters. */
  readonly reason: string;
  /** For people; cut at 1024 bytes. */
  readonly message: string;
  /** The recorder's own when absent; of the original for mirrored Events. */
  readonly source?: EventSource | undefined;
}

/** Tells users what happens to their objects. */
export interface EventRecorder {
  /** Never throws and never waits; an Event may be dropped. */
  record(object: ObjectReference, event: EventDetails): void;
}

/** Why an Event was not written. */
export type EventDropReason = 'invalid' | 'rateLimit' | 'overflow' | 'rejected' | 'failed';

/** How a recorder is made. */
export interface ApiEventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly source: EventSource;
  /** Events that wait to be written; more are dropped. Default 1000. */
  readonly capacity?: number | undefined;
  /** Writes per second after a burst of five times as many, so that Events never crowd out real work. Default 20. */
  readonly writesPerSecond?: number | undefined;
  /** Must not throw. */
  readonly onDrop?: ((reason: EventDropReason) => void) | undefined;
}

interface Waiting {
  readonly occurrence: Occurrence;
  readonly correlated: Correlated;
  readonly timestamp: string;
}

const REASON = /^[A-Z][A-Za-z0-9]{0,127}$/;
const MESSAGE_BYTES = 1024;
const NAME_LENGTH = 253;
const NAME_SUFFIX_DIGITS = 16;
const ATTEMPTS = 12;
const BURST_SECONDS = 5;

/** The reference that {@link EventRecorder.record} takes, from an object out of a cache (which may lack its kind). */
export function referenceTo(type: ResourceType<KubeObject>, object: KubeObject): ObjectReference {
  const { namespace, name = '', uid } = object.metadata ?? {};
  return { apiVersion: type.apiVersion, kind: type.kind, namespace, name, uid };
}

/** Writes core/v1 Events, one at a time, in the background. */
export class ApiEventRecorder implements EventRecorder {
  readonly #options: ApiEventRecorderOptions;
  readonly #correlator = new EventCorrelator();
  readonly #waiting: { occurrence: Occurrence; timestamp: string }[] = [];
  readonly #pace: TokenBucket;
  #wake: (() => void) | undefined;

  constructor(options: ApiEventRecorderOptions) {
    const perSecond = options.writesPerSecond ?? 20;
    this.#options = options;
    this.#pace = new TokenBucket({ burst: perSecond * BURST_SECONDS, perSecond }, options.clock.monotonic());
  }

  record(object: ObjectReference, event: EventDetails): void {
    const { clock, capacity = 1000, source } = this.#options;
    const { type, reason } = event;
    const message = truncateUtf8(event.message, MESSAGE_BYTES);
    const occurrence: Occurrence = { object, type, reason, message, source: event.source ?? source };
    if (!REASON.test(reason) || object.name === '') this.#drop('invalid', occurrence);
    else if (!this.#correlator.admit(occurrence, clock.monotonic())) this.#drop('rateLimit', occurrence);
    else if (this.#waiting.length >= capacity) this.#drop('overflow', occurrence);
    else {
      this.#waiting.push({ occurrence, timestamp: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z') });
      this.#wake?.();
    }
  }

  /** Writes what was recorded, before and from now on, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#wake?.();
    signal.addEventListener('abort', onAbort, { once: true });
    while (!isAborted(signal)) {
      const next = this.#waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else await this.#deliver(next.occurrence, next.timestamp, signal);
    }
    signal.removeEventListener('abort', onAbort);
  }

  async #deliver(occurrence: Occurrence, timestamp: string, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const correlated = this.#correlator.correlate(occurrence, clock.monotonic());
    const backoff = new Backoff({ initialMs: 1000, maxMs: 10_000, jitter: 0.5 }, random);
    for (;;) {
      try {
        while (!this.#pace.tryTake(clock.monotonic())) {
          await clock.sleep(this.#pace.waitMs(clock.monotonic()), signal);
        }
        await this.#write({ occurrence, correlated, timestamp }, signal);
        return;
      } catch (error) {
        const delayMs = backoff.nextMs();
        if (isAborted(signal)) return;
        const final = isFinal(error);
        if (final || backoff.failures >= ATTEMPTS) {
          this.#drop(final ? 'rejected' : 'failed', occurrence, error);
          return;
        }
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  }

  async #write(waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const { correlated, timestamp } = waiting;
    const { key, message, known } = correlated;
    if (known !== undefined) {
      const patch = { count: known.count + 1, lastTimestamp: timestamp, message };
      const gone = await client.patch(events, known, patch, { type: 'merge', signal }).then(
        () => false,
        (error: unknown) => {
          if (isNotFound(error)) return true;
          throw error;
        },
      );
      if (!gone) {
        this.#correlator.remember(key, { ...known, count: patch.count });
        return;
      }
    }
    const event = this.#newEvent(waiting);
    await client.create(events, event, { signal });
    const { namespace = '', name = '' } = event.metadata;
    this.#correlator.remember(key, { namespace, name, count: 1 });
  }

  #newEvent({ occurrence, correlated, timestamp }: Waiting): Event {
    const { object, type, reason, source } = occurrence;
    return {
      metadata: { namespace: object.namespace ?? 'default', name: this.#name(object) },
      involvedObject: object,
      type,
      reason,
      message: truncateUtf8(correlated.message, MESSAGE_BYTES),
      source,
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
    };
  }

  #name(object: ObjectReference): string {
    const digit = (): string => Math.floor(this.#options.random() * 16).toString(16);
    const suffix = Array.from({ length: NAME_SUFFIX_DIGITS }, digit).join('');
    const prefix = object.name.slice(0, NAME_LENGTH - 1 - NAME_SUFFIX_DIGITS).replace(/[-.]+$/, '');
    return `${prefix}.${suffix}`;
  }

  #drop(why: EventDropReason, { object, reason }: Occurrence, error?: unknown): void {
    this.#options.onDrop?.(why);
    const fields = { why, kind: object.kind, object: keyOf(object), reason };
    this.#options.logger.debug(
      'event dropped',
      error === undefined ? fields : { ...fields, error: errorMessage(error) },
    );
  }
}

/** The server understood and refused, or this process may not write. */
function isFinal(error: unknown): boolean {
  if (error instanceof ApiError) return error.statusCode < 500 && error.statusCode !== 429;
  return error instanceof FederationError && (error.retry === 'never' || error.code === 'NOT_LEADER');
}
