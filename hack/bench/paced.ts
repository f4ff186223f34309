import { setTimeout as sleep } from 'node:timers/promises';
import { pods } from '../../src/kube/resource.js';
import type { BenchCluster } from './bench-cluster.js';
import { latencyOf, type Latency } from './statistics.js';
import { NAMESPACE, POD_SELECTOR, singlePod, type Needs, type Placement } from './workload.js';

const LIMIT_MS = 120_000;

/** How pods are created one by one. */
export interface Pace {
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly needs: Needs;
}

/** Creates pods one by one and tells how long they took from bound to ready; they are gone from `clusters` at the end. */
export async function runPaced(
  host: BenchCluster,
  clusters: readonly BenchCluster[],
  placement: Placement,
  pace: Pace,
): Promise<Latency> {
  const count = pace.ratePerSecond * pace.seconds;
  host.watch.forget();
  const startedAt = performance.now();
  const created: Promise<unknown>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = startedAt + (index * 1000) / pace.ratePerSecond;
    await sleep(Math.max(0, due - performance.now()));
    created.push(host.client.create(pods, singlePod(`paced-${index}`, placement, pace.needs)));
  }
  await Promise.all(created);
  await host.watch.untilReady(count, LIMIT_MS);
  const latency = latencyOf(host.watch.boundToReadyMs());
  const collection = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${encodeURIComponent(POD_SELECTOR)}`;
  await host.lab.api.text('DELETE', collection, { timeoutMs: 60_000 });
  await Promise.all(clusters.map(({ watch }) => watch.untilGone(LIMIT_MS)));
  return latency;
}
