import type { ObjectReference } from '../../src/apis/core.js';
import type { EventDetails, EventRecorder } from '../../src/runtime/event-recorder.js';

/** Keeps what was recorded. */
export class FakeEventRecorder implements EventRecorder {
  readonly events: ({ readonly object: ObjectReference } & EventDetails)[] = [];

  record(object: ObjectReference, event: EventDetails): void {
    this.events.push({ object, ...event });
  }

  /** `Kind name: Type Reason` of each, for short expectations. */
  get summary(): string[] {
    return this.events.map(({ object, type, reason }) => `${object.kind} ${object.name}: ${type} ${reason}`);
  }
}
