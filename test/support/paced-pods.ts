import { setTimeout as sleep } from 'node:timers/promises';
import { latencyOf, type Latency } from '../../hack/bench/statistics.js';
import type { Pod } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { Informer } from '../../src/kube/informer.js';
import { pods } from '../../src/kube/resource.js';
import { isReady } from './federation.js';
import { boundPod } from './workloads.js';

/** A steady flow of new pods to one virtual node. */
export interface PacedOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly node: string;
  /** Prefix of the pods' names; also their label `app`. */
  readonly name: string;
  readonly count: number;
  readonly perSecond: number;
  /** How long to wait for the last one. */
  readonly timeoutMs: number;
}

/** Times from the answer to a pod's creation, bound as it is, to the sight of it as Ready; one that never is, counts as the limit. */
export async function pacedLatency(options: PacedOptions): Promise<Latency> {
  const { client, namespace, node, name, count, perSecond, timeoutMs } = options;
  const boundAt = new Map<string, number>();
  const readyAt = new Map<string, number>();
  const informer = new Informer<Pod>({ client, type: pods, namespace, labelSelector: `app=${name}` });
  const note = (pod: Pod): void => {
    const key = pod.metadata?.name ?? '';
    if (isReady(pod) && !readyAt.has(key)) readyAt.set(key, performance.now());
  };
  informer.addHandler({ onAdd: note, onUpdate: (_old, pod) => note(pod) });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.synced(AbortSignal.timeout(timeoutMs));
  const startedAt = performance.now();
  for (let i = 0; i < count; i += 1) {
    await sleep(Math.max(0, startedAt + (i * 1000) / perSecond - performance.now()));
    const pod = { ...boundPod(node, { namespace, name: `${name}-${i}`, labels: { app: name } }) };
    await client.create(pods, pod);
    boundAt.set(`${name}-${i}`, performance.now());
  }
  const endsAt = performance.now() + timeoutMs;
  while (readyAt.size < count && performance.now() < endsAt) await sleep(50);
  stop.abort();
  await running;
  return latencyOf([...boundAt].map(([key, at]) => Math.max(0, (readyAt.get(key) ?? at + timeoutMs) - at)));
}
