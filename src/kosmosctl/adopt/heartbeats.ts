import { NODE_LEASE_NAMESPACE } from '../../apis/names.js';
import { isNotFound } from '../../kube/api-error.js';
import { leases } from '../../kube/resource.js';
import { isAborted } from '../../lib/abort.js';
import type { Clock } from '../../lib/clock.js';
import { microTime } from '../../lib/micro-time.js';
import type { ClusterSession } from '../session.js';

/** As often as a kubelet does. */
const INTERVAL_MS = 10_000;

/**
 * Keeps virtual nodes alive while an action lasts in which nobody else does, so that their pods are not evicted. When that
 * fails, it is said after the action has been done.
 */
export async function withHeartbeats<T>(
  host: ClusterSession,
  nodes: readonly string[],
  clock: Clock,
  action: () => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const beating = beat(host, nodes, clock, stop.signal).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  let result: T;
  try {
    result = await action();
  } finally {
    stop.abort(new Error('the action has ended'));
    await beating;
  }
  const failed = await beating;
  if (failed !== undefined) throw failed.error;
  return result;
}

async function beat(
  { client }: ClusterSession,
  nodes: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!isAborted(signal)) {
    try {
      await Promise.all(nodes.map((name) => renew(client, name, clock.now(), signal)));
      await clock.sleep(INTERVAL_MS, signal);
    } catch (error) {
      if (!isAborted(signal)) throw error;
    }
  }
}

/** A node that has no lease yet gets none: it would lack what the manager puts into it. */
async function renew(
  client: ClusterSession['client'],
  name: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    const ref = { namespace: NODE_LEASE_NAMESPACE, name };
    await client.patch(leases, ref, { spec: { renewTime: microTime(nowMs) } }, { type: 'merge', signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
