import type { Event, Pod } from '../../apis/core.js';
import { CLUSTER_LABEL, FIELD_MANAGER } from '../../apis/names.js';
import { ApiError, isAlreadyExists, isNotFound, isTooManyRequests } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { events, keyOf, objectKey, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { TokenBucket, type TokenBucketOptions } from '../../lib/token-bucket.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import { hostUidOf } from '../cluster/ownership.js';

/**
 * The host's copy of an Event about a member pod. It keeps the member event's name, which is unique per pod, so that the
 * copy of a repeated event is found again without remembering anything.
 */
export function mirroredEvent(event: Event, hostPod: Pod, clusterName: string): Event {
  const { namespace, name, uid } = hostPod.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: event.metadata.name, labels: { [CLUSTER_LABEL]: clusterName } },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, fieldPath: event.involvedObject.fieldPath },
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: event.source,
    firstTimestamp: event.firstTimestamp,
    lastTimestamp: event.lastTimestamp,
    count: event.count,
    eventTime: event.eventTime,
    series: event.series,
    action: event.action,
    reportingComponent: event.reportingComponent,
    reportingInstance: event.reportingInstance,
  };
}

/** What may change in a repeated event. */
function eventPatch(event: Event): object {
  const { count, lastTimestamp, message, series } = event;
  return { count, lastTimestamp, message, series };
}

export interface EventMirrorOptions {
  readonly host: KubeClient;
  readonly clusterName: string;
  readonly hostPod: (key: ObjectKey) => Pod | undefined;
  readonly memberPod: (key: ObjectKey) => Pod | undefined;
  /** Called once per event that was given up because too many were waiting. */
  readonly onDropped: () => void;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly maxPending?: number;
  /** Events per second on the long run, and at once after a quiet time. @default 30 and 60 */
  readonly pace?: TokenBucketOptions;
}

/** Enough for the burst of a large Deployment; beyond it ordinary events are dropped, and counted. */
const MAX_PENDING = 2_000;
/** So that the Events of a large Deployment don't take the host's API server from its pods. */
const PACE: TokenBucketOptions = { perSecond: 30, burst: 60 };

/**
 * Copies Events about member pods to their host pods, at a pace of its own, so that it never delays pods. It is fed by a
 * watch, and run by a controller that takes warnings first. Repetitions that come in faster than they are copied are
 * merged, and events of pods that are gone by then cost nothing.
 */
export class EventMirror implements Reconciler {
  readonly #options: EventMirrorOptions;
  readonly #pending = new Map<ObjectKey, Event>();
  readonly #bucket: TokenBucket;

  constructor(options: EventMirrorOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.pace ?? PACE, options.clock.monotonic());
  }

  /**
   * Takes an event of the member; returns the key to put into the queue, or undefined when it is about no pod of ours or
   * when too many wait already.
   */
  offer(event: Event): ObjectKey | undefined {
    const { kind, namespace, name = '', uid } = event.involvedObject;
    if (kind !== 'Pod') return undefined;
    const memberPod = this.#options.memberPod(keyOf({ namespace, name }));
    if (memberPod === undefined || memberPod.metadata?.uid !== uid) return undefined;
    const key = objectKey(event);
    const full = this.#pending.size >= (this.#options.maxPending ?? MAX_PENDING);
    if (full && event.type === 'Normal' && !this.#pending.has(key)) {
      this.#options.onDropped();
      return undefined;
    }
    this.#pending.set(key, event);
    return key;
  }

  async reconcile(key: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    if (!this.#isWanted(key)) return {};
    await this.#takeTurn(context.signal);
    // It may have been repeated, or its pod may have gone, while it waited.
    const event = this.#pending.get(key);
    if (event === undefined) return {};
    const hostPod = this.#hostPodOf(event);
    try {
      if (hostPod !== undefined) await this.#write(event, hostPod, context.signal);
    } catch (error) {
      // The event waits until it is tried again, and a newer repetition takes its place.
      if (!isRefusal(error)) throw error;
      this.#options.onDropped();
    }
    if (this.#pending.get(key) === event) this.#pending.delete(key);
    return {};
  }

  /** Forgets an event of a pod that is gone, so that it takes no other event's turn. */
  #isWanted(key: ObjectKey): boolean {
    const event = this.#pending.get(key);
    const isWanted = event !== undefined && this.#hostPodOf(event) !== undefined;
    if (!isWanted) this.#pending.delete(key);
    return isWanted;
  }

  async #takeTurn(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!this.#bucket.tryTake(clock.monotonic())) {
      await clock.sleep(this.#bucket.waitMs(clock.monotonic()), signal);
    }
  }

  #hostPodOf(event: Event): Pod | undefined {
    const { namespace, name = '' } = event.involvedObject;
    const podKey = keyOf({ namespace, name });
    const hostPod = this.#options.hostPod(podKey);
    const memberPod = this.#options.memberPod(podKey);
    return memberPod !== undefined && hostUidOf(memberPod) === hostPod?.metadata?.uid ? hostPod : undefined;
  }

  async #write(event: Event, hostPod: Pod, signal: AbortSignal): Promise<void> {
    const { host, clusterName } = this.#options;
    const options = { fieldManager: FIELD_MANAGER, signal };
    const ref = { namespace: hostPod.metadata?.namespace, name: event.metadata.name ?? '' };
    const repeated = (event.count ?? event.series?.count ?? 1) > 1;
    try {
      if (repeated) {
        await host.patch(events, ref, eventPatch(event), { ...options, type: 'merge' });
        return;
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      await host.create(events, mirroredEvent(event, hostPod, clusterName), options);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

/** The host will not have this event: its namespace is going away, or it is not well-formed there. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode < 500 && !isTooManyRequests(error);
}
