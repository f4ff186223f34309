import type { KubeObject } from '../apis/core.js';

/** Where components put Events about objects of the host. Never throws, never blocks. */
export interface EventSink {
  /** A Warning event; `reason` is CamelCase. */
  warn(object: KubeObject, reason: string, message: string): void;
  /** A Normal event. */
  note(object: KubeObject, reason: string, message: string): void;
}
