import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCluster } from './bench-cluster.js';
import { rounded } from './statistics.js';
import { deployment, deployments, NAMESPACE, type Needs, type Placement } from './workload.js';

/** A Deployment of a burst. */
export interface BurstPart {
  readonly cluster: BenchCluster;
  readonly replicas: number;
  readonly placement: Placement;
  readonly needs: Needs;
}

/** How long a burst took. */
export interface BurstResult {
  /** From the creation of the Deployments to the last pod seen ready. */
  readonly readyMs: number;
  readonly podsPerSecond: number;
  /** From the deletion of the Deployments to the last pod seen gone. */
  readonly goneMs: number;
}

/** Called at moments of a burst. */
export interface BurstObserver {
  /** All pods are ready, and what trails behind has had time to happen. */
  settled?(): void;
}

/** For what goes on behind the last ready pod: Events, the status of the Deployment. */
const SETTLE_MS = 3_000;

function limitMs(pods: number): number {
  return 120_000 + 250 * pods;
}

/**
 * Creates the Deployments at the same time, waits until all their pods are ready, deletes them and waits until no pod is
 * left in any of `clusters`.
 */
export async function runBurst(
  parts: readonly BurstPart[],
  clusters: readonly BenchCluster[],
  observer: BurstObserver = {},
): Promise<BurstResult> {
  const name = 'burst';
  const largest = Math.max(...parts.map(({ replicas }) => replicas));
  const startedAt = performance.now();
  const ready = parts.map(async ({ cluster, replicas, placement, needs }) => {
    await cluster.client.create(deployments, deployment(name, replicas, placement, needs));
    return cluster.watch.untilReady(replicas, limitMs(largest));
  });
  const readyMs = Math.max(...(await Promise.all(ready))) - startedAt;
  await sleep(SETTLE_MS);
  observer.settled?.();
  const deletedAt = performance.now();
  const ref = { namespace: NAMESPACE, name };
  await Promise.all(
    parts.map(({ cluster }) => cluster.client.delete(deployments, ref, { propagationPolicy: 'Background' })),
  );
  const gone = clusters.map(({ watch }) => watch.untilGone(limitMs(largest)));
  const goneMs = Math.max(...(await Promise.all(gone))) - deletedAt;
  await sleep(SETTLE_MS);
  const podsPerSecond = rounded(largest / (readyMs / 1000), 1);
  return { readyMs: Math.round(readyMs), podsPerSecond, goneMs: Math.round(goneMs) };
}
