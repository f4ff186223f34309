import type { Event } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import { Reflector, type ReflectorObserver, type ReflectorSink } from '../../kube/reflector.js';
import { events } from '../../kube/resource.js';
import type { Clock, Random } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';

export interface MemberEventsOptions {
  readonly client: KubeClient;
  /** Kind of the objects that the events are about. */
  readonly about: 'Pod' | 'PersistentVolumeClaim';
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer?: ReflectorObserver | undefined;
  /** Calls back when the member answers again after an outage; returns how to stop that. */
  readonly onReturn: (listener: () => void) => () => void;
  /** Called for each event that happens from now on; those that are there already were copied when they happened. */
  readonly onEvent: (event: Event) => void;
}

/** Watches the member's Events about objects of one kind and keeps none of them. */
export async function watchMemberEvents(options: MemberEventsOptions, signal: AbortSignal): Promise<void> {
  const sink: ReflectorSink<Event> = {
    begin: () => ({ add: () => undefined, remove: () => undefined, commit: () => undefined }),
    apply: (deleted, event) => {
      if (!deleted) options.onEvent(event);
      return true;
    },
    progress: () => true,
  };
  const reflector = new Reflector({
    ...options,
    type: events,
    fieldSelector: `involvedObject.kind=${options.about}`,
    sink,
    pageSize: 1,
    changesOnly: true,
    watchList: false,
    onConnected: () => undefined,
  });
  const removeListener = options.onReturn(() => reflector.reconnect());
  await reflector.run(signal);
  removeListener();
}
