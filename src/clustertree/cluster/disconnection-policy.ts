import { tryParseDuration } from '../../lib/duration.js';

/**
 * What happens to the pods of a member that can't be reached: the host's own taints and toleration times decide
 * (`Evict`), they decide only after a while (`EvictAfter`), or the pods stay bound until the member is back (`Keep`).
 */
export type DisconnectionPolicy =
  { readonly kind: 'Evict' } | { readonly kind: 'EvictAfter'; readonly afterMs: number } | { readonly kind: 'Keep' };

export const DEFAULT_DISCONNECTION_POLICY: DisconnectionPolicy = Object.freeze({ kind: 'Evict' });

const EVICT_AFTER = 'EvictAfter=';

/**
 * Reads the annotation `kosmos.io/disconnection-policy` of a Cluster, namespace or pod: `Evict`, `Keep` or
 * `EvictAfter=<duration>`. Undefined when it is none of them.
 */
export function parseDisconnectionPolicy(text: string): DisconnectionPolicy | undefined {
  if (text === 'Evict' || text === 'Keep') return Object.freeze({ kind: text });
  if (!text.startsWith(EVICT_AFTER)) return undefined;
  const afterMs = tryParseDuration(text.slice(EVICT_AFTER.length));
  return afterMs === undefined ? undefined : Object.freeze({ kind: 'EvictAfter', afterMs });
}
