import { isForbidden, isNotFound } from '../../kube/api-error.js';
import { errorMessage } from '../../lib/errors.js';

/** What is known of one kind of objects that a cluster may or may not have. */
export interface Source<T> {
  /** `absent`: the cluster doesn't serve them, or not to us. `unknown`: it has not answered. */
  readonly state: 'known' | 'absent' | 'unknown';
  readonly objects: readonly T[];
  /** Why they are not known, in the API server's words. */
  readonly message?: string | undefined;
}

/** What of an informer is looked at. */
export interface SourceCache<T> {
  readonly hasSynced: boolean;
  readonly connected: boolean;
  readonly lastError: unknown;
  readonly store: { list(): readonly T[] };
}

/** Objects that nobody looks for. */
export const NO_SOURCE: Source<never> = { state: 'absent', objects: [] };

/**
 * Reads a cache. One that was filled stays known while its watch is down, for what it held did not go away with the
 * connection; but a kind that the server no longer has is absent.
 */
export function sourceOf<T>(cache: SourceCache<T>): Source<T> {
  const { hasSynced, connected, lastError, store } = cache;
  const failed = !connected && lastError !== undefined;
  if (failed && isNotFound(lastError)) return { ...NO_SOURCE, message: errorMessage(lastError) };
  if (hasSynced) return { state: 'known', objects: store.list() };
  if (failed && isForbidden(lastError)) return { ...NO_SOURCE, message: errorMessage(lastError) };
  return { state: 'unknown', objects: [], ...(failed && { message: errorMessage(lastError) }) };
}
