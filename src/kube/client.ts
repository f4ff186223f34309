import type { KubeObject } from '../apis/core.js';
import type { ObjectRef, ResourceType } from './resource.js';

/** Every call may be given up; the promise then rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whole-request deadline; the client's default (30 s) when absent. */
  readonly timeoutMs?: number | undefined;
}

export interface Selectors {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends CallOptions, Selectors {
  /** Objects per page; all of them in one answer when absent. */
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

/** One page of a list. */
export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Present when there are more pages. */
  readonly continueToken?: string | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly subresource?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  /** `Strict` makes an unknown field an error instead of a silent loss. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
}

/** `apply` is server-side apply. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchOptions extends WriteOptions {
  readonly type: PatchType;
  /** Take over fields of other managers; for `apply` only. */
  readonly force?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number | undefined;
  /** The delete fails with 409 when the object is no longer this one. */
  readonly preconditions?:
    { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
}

export interface WatchOptions extends Selectors {
  readonly signal: AbortSignal;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'NotOlderThan' | undefined;
  /** Ask for the present objects first, then a bookmark (WatchList, KEP-3157). */
  readonly sendInitialEvents?: boolean | undefined;
  /** The server ends the watch after this time. */
  readonly timeoutSeconds?: number | undefined;
}

/** One line of a watch; for `ERROR` the object is a Status. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/**
 * Typed access to one API server. Failures are `ApiError` (the server answered with a Status) or `TransportError`
 * (it did not answer). Nothing is retried here except what the server itself asked to be retried (429, `Retry-After`).
 */
export interface KubeClient {
  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options?: CallOptions): Promise<T>;
  /** One page. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  update<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: unknown, options: PatchOptions): Promise<T>;
  delete<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /**
   * Opens a watch on a connection of its own. The iterable ends when the server closes cleanly and throws when the
   * connection breaks, is silent for too long, or carries something that is not JSON.
   */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): Promise<AsyncIterable<WatchEvent<T>>>;
  /** The body of a GET on any path, for instance `/readyz` or `/version`. */
  getPath(path: string, options?: CallOptions): Promise<string>;
  /**
   * What the API server's own clock says, in milliseconds since the epoch, to the second. For comparing with other times
   * of that server, never with those of this machine.
   */
  serverTime(options?: CallOptions): Promise<number>;
  /** Ends all connections; calls in flight fail. */
  close(): Promise<void>;
}
