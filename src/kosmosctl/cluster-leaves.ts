import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { CLEANUP_TIMEOUT_ANNOTATION } from '../apis/names.js';
import type { KubeClient } from '../kube/client.js';
import { clusters } from '../kube/kosmos-resources.js';
import type { CliContext } from './context.js';
import { CliError } from './failure.js';
import { deleteObject, findObject } from './objects.js';
import { waitUntil, type Probed } from './wait.js';

/** How long a manager gets that is not waited for. */
const FORCED_LIMIT_MS = 20_000;

export interface LeavingCluster {
  readonly name: string;
  /** Don't wait for long for managers, nor let them wait for a member or agents that don't answer. */
  readonly force: boolean;
  readonly waitMs: number;
  readonly report: (detail: string) => void;
  /** What keeps a Cluster that is still there. */
  readonly pendingOf: (cluster: Cluster) => Probed<true>;
}

/** Deletes a Cluster and waits until a manager has let it go. False when none did in the time that `force` leaves. */
export async function clusterLeaves(
  client: KubeClient,
  { name, force, waitMs, report, pendingOf }: LeavingCluster,
  { signal, clock }: CliContext,
): Promise<boolean> {
  if (force) {
    const metadata = { annotations: { [CLEANUP_TIMEOUT_ANNOTATION]: '5s' } };
    await client.patch(clusters, { name }, { metadata }, { type: 'merge', signal });
  }
  await deleteObject(client, clusters, { name }, signal);
  const probe = async (): Promise<Probed<true>> => {
    const cluster = await findObject(client, clusters, { name }, signal);
    return cluster === undefined ? { found: true } : pendingOf(cluster);
  };
  const timeoutMs = force ? FORCED_LIMIT_MS : waitMs;
  try {
    await waitUntil(`Cluster ${name}`, probe, report, { clock, signal, timeoutMs });
    return true;
  } catch (error) {
    if (!force || !(error instanceof CliError)) throw error;
    return false;
  }
}

/** Takes the finalizers of managers that don't run off a Cluster. Returns what it was, if it was still there. */
export async function letClusterGo(
  client: KubeClient,
  name: string,
  ours: readonly string[],
  signal: AbortSignal,
): Promise<Cluster | undefined> {
  const cluster = await findObject(client, clusters, { name }, signal);
  if (cluster === undefined) return undefined;
  const finalizers = (cluster.metadata?.finalizers ?? []).filter((finalizer) => !ours.includes(finalizer));
  await client.patch(clusters, { name }, { metadata: { finalizers } }, { type: 'merge', signal });
  return cluster;
}
