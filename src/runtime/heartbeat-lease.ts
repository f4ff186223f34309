import type { Lease } from '../apis/core.js';
import { isAlreadyExists, isNotFound } from '../kube/api-error.js';
import type { KubeClient } from '../kube/client.js';
import { leases } from '../kube/resource.js';
import { microTime } from '../lib/micro-time.js';

/** As kubelet's default `nodeLeaseDurationSeconds`. */
const LEASE_DURATION_SECONDS = 40;

/** A Lease by which something shows that it is alive. */
export interface HeartbeatLease {
  readonly namespace: string;
  readonly name: string;
  readonly holder: string;
  /** What a new one gets: labels, owners. */
  readonly metadata: Omit<NonNullable<Lease['metadata']>, 'name' | 'namespace'>;
  /** Whether each renewal brings these up to date as well. */
  readonly keepMetadata: boolean;
}

export interface RenewalOptions {
  /** The present time, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly fieldManager?: string;
  readonly signal: AbortSignal;
}

/** Renews the Lease, or makes it when it is missing. One call, except the first time. */
export async function renewHeartbeat(
  client: Pick<KubeClient, 'patch' | 'create'>,
  { namespace, name, holder, metadata, keepMetadata }: HeartbeatLease,
  { nowMs, ...options }: RenewalOptions,
): Promise<void> {
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: LEASE_DURATION_SECONDS,
    renewTime: microTime(nowMs),
  };
  const changes = keepMetadata ? { metadata, spec } : { spec };
  try {
    await client.patch(leases, { namespace, name }, changes, { type: 'merge', ...options });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name, ...metadata },
      spec,
    };
    await client.create(leases, lease, options).catch((reason: unknown) => {
      if (!isAlreadyExists(reason)) throw reason;
    });
  }
}
