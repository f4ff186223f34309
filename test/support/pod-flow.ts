import { setTimeout as sleep } from 'node:timers/promises';
import { latencyOf, type Latency } from '../../hack/bench/statistics.js';
import type { Pod } from '../../src/apis/core.js';
import { isNotFound } from '../../src/kube/api-error.js';
import type { KubeClient } from '../../src/kube/client.js';
import { Informer } from '../../src/kube/informer.js';
import { pods } from '../../src/kube/resource.js';
import { isReady } from './federation.js';
import { boundPod } from './workloads.js';

/** Pods that come and go all the time. */
export interface PodFlowOptions {
  readonly host: KubeClient;
  readonly members: readonly KubeClient[];
  readonly namespace: string;
  /** Virtual nodes, each in turn. */
  readonly nodes: readonly string[];
  readonly image: string;
  readonly perSecond: number;
  /** How long a pod is left alone after it is ready. */
  readonly lifeMs: number;
}

/** When what was seen of one pod, by this process's own clock. */
interface Times {
  readonly createdAt: number;
  copiedAt?: number;
  readyInMemberAt?: number;
  readyInHostAt?: number;
  deletedAt?: number;
  goneAt?: number;
}

/** How long the managers took for each pod. */
export interface FlowResult {
  /** From its creation in the host to its copy in the member. */
  readonly copied: Latency;
  /** From ready in the member to ready in the host. */
  readonly shown: Latency;
  /** From the request to delete it to its end in the host; the container's own time is in it. */
  readonly removed: Latency;
}

const SETTLE_MS = 60_000;
const LABEL = 'flow';

/** Makes pods at a steady rate, deletes each a while after it was ready, and notes when both sides showed what. */
export class PodFlow {
  readonly #options: PodFlowOptions;
  readonly #times = new Map<string, Times>();
  readonly #watching = new AbortController();
  readonly #making = new AbortController();
  readonly #deletions: Promise<void>[] = [];
  readonly #done: Promise<unknown>[] = [];

  private constructor(options: PodFlowOptions) {
    this.#options = options;
  }

  /** Begins; resolves when all is being watched. */
  static async start(options: PodFlowOptions): Promise<PodFlow> {
    const flow = new PodFlow(options);
    await flow.#watch(options.host, (times, pod) => {
      if (pod === undefined) times.goneAt ??= performance.now();
      else if (isReady(pod) && times.readyInHostAt === undefined) flow.#becameReady(times, pod);
    });
    for (const member of options.members) {
      await flow.#watch(member, (times, pod) => {
        if (pod !== undefined) times.copiedAt ??= performance.now();
        if (pod !== undefined && isReady(pod)) times.readyInMemberAt ??= performance.now();
      });
    }
    flow.#done.push(flow.#make());
    return flow;
  }

  /** How many pods there were so far. */
  get count(): number {
    return this.#times.size;
  }

  /** Ends the flow, waits until all its pods have come and gone, and says how long they took. */
  async stop(): Promise<FlowResult> {
    this.#making.abort();
    const all = [...this.#times.values()];
    const endsAt = performance.now() + SETTLE_MS;
    while (all.some(({ goneAt }) => goneAt === undefined) && performance.now() < endsAt) await sleep(50);
    await Promise.all(this.#deletions);
    this.#watching.abort();
    await Promise.all(this.#done);
    const lost = [...this.#times].filter(([, { readyInHostAt, goneAt }]) => (readyInHostAt && goneAt) === undefined);
    if (lost.length > 0) {
      const each = lost.map(([name, times]) => `${name} (${stuckAt(times)})`);
      throw new Error(`${lost.length} of ${all.length} pods were never ready and gone: ${each.join(', ')}`);
    }
    return {
      copied: latencyOf(all.map(({ createdAt, copiedAt }) => (copiedAt ?? Infinity) - createdAt)),
      shown: latencyOf(all.map((one) => Math.max(0, (one.readyInHostAt ?? Infinity) - (one.readyInMemberAt ?? 0)))),
      removed: latencyOf(all.map(({ deletedAt, goneAt }) => (goneAt ?? Infinity) - (deletedAt ?? 0))),
    };
  }

  async #make(): Promise<void> {
    const { host, namespace, nodes, image, perSecond } = this.#options;
    const startedAt = performance.now();
    for (let index = 0; !this.#making.signal.aborted; index += 1) {
      const name = `${LABEL}-${index}`;
      const spec = { containers: [{ name: 'main', image }], terminationGracePeriodSeconds: 1 };
      const node = nodes[index % nodes.length] ?? '';
      this.#times.set(name, { createdAt: performance.now() });
      await host.create(pods, boundPod(node, { namespace, name, labels: { [LABEL]: 'yes' }, spec }));
      const due = startedAt + ((index + 1) * 1000) / perSecond;
      await sleep(Math.max(0, due - performance.now()), undefined, { signal: this.#making.signal }).catch(
        () => undefined,
      );
    }
  }

  #becameReady(times: Times, pod: Pod): void {
    times.readyInHostAt = performance.now();
    const { host, lifeMs } = this.#options;
    const { namespace = '', name = '' } = pod.metadata ?? {};
    const deletion = sleep(lifeMs, undefined, { signal: this.#making.signal })
      .catch(() => undefined)
      .then(() => {
        times.deletedAt = performance.now();
        return host.delete(pods, { namespace, name });
      })
      .then(
        () => undefined,
        (error: unknown) => {
          if (!isNotFound(error)) throw error;
        },
      );
    this.#deletions.push(deletion);
  }

  async #watch(client: KubeClient, note: (times: Times, pod: Pod | undefined) => void): Promise<void> {
    const { namespace } = this.#options;
    const informer = new Informer<Pod>({ client, type: pods, namespace, labelSelector: `${LABEL}=yes` });
    const seen = (pod: Pod, present: Pod | undefined): void => {
      const times = this.#times.get(pod.metadata?.name ?? '');
      if (times !== undefined) note(times, present);
    };
    informer.addHandler({
      onAdd: (pod) => seen(pod, pod),
      onUpdate: (_old, pod) => seen(pod, pod),
      onDelete: (pod) => seen(pod, undefined),
    });
    this.#done.push(informer.run(this.#watching.signal));
    await informer.synced(AbortSignal.timeout(SETTLE_MS));
  }
}

/** How far a pod got. */
function stuckAt({ copiedAt, readyInMemberAt, readyInHostAt }: Times): string {
  if (copiedAt === undefined) return 'no copy';
  if (readyInMemberAt === undefined) return 'not ready in the member';
  return readyInHostAt === undefined ? 'not ready in the host' : 'not gone';
}
