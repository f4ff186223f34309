import type { KubeObject } from '../apis/core.js';
import type { ResourceType } from '../kube/resource.js';
import { referenceTo, type EventRecorder } from './event-recorder.js';

/** Where a component puts Events about objects of one type. Never throws, never waits. */
export interface EventSink<T extends KubeObject> {
  /** A Warning event; `reason` is one word in UpperCamelCase. */
  warn(object: T, reason: string, message: string): void;
}

export function createEventSink<T extends KubeObject>(recorder: EventRecorder, type: ResourceType<T>): EventSink<T> {
  return {
    warn: (object, reason, message) => recorder.record(referenceTo(type, object), { type: 'Warning', reason, message }),
  };
}
