import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../hack/lab/lab.js';
import { isNotFound } from '../../src/kube/api-error.js';
import type { KubeClient } from '../../src/kube/client.js';
import { leases, pods } from '../../src/kube/resource.js';
import type { Kubectl } from './kubectl.js';
import { managerPods, stillWorks, type ReplicaSession } from './replica-sessions.js';

/** What happened while all managers were replaced. */
export interface RollingUpdate {
  readonly seconds: number;
  /** For each handing over of the leadership, the time in which nobody had the Lease. */
  readonly withoutLeaderMs: readonly number[];
  /** Sessions through the manager that was still there when the first one had gone. */
  readonly survived: readonly ReplicaSession[];
}

const NAMESPACE = 'kosmos-system';
const LEASE = { namespace: NAMESPACE, name: 'kosmos-manager' };
const POLL_MS = 200;
const LIMIT_MS = 120_000;

/**
 * Replaces all managers as an update does. When the first one has gone, and the second one has not been told to end, all
 * of the given sessions that go through the second one must work.
 */
export async function rollManagers(
  lab: Lab,
  host: KubeClient,
  kubectl: Kubectl,
  sessions: readonly ReplicaSession[],
): Promise<RollingUpdate> {
  const before = new Set(await managerPods(lab.host));
  const leaders = new LeaderWatch(host);
  const startedAt = performance.now();
  await kubectl.output(['-n', NAMESPACE, 'rollout', 'restart', 'deployment/kosmos-manager']);
  const survivor = await untilOneIsLeft(lab, host, before);
  const survived = sessions.filter(({ replica }) => replica === survivor);
  await Promise.all(survived.map(stillWorks));
  const args = ['-n', NAMESPACE, 'rollout', 'status', 'deployment/kosmos-manager', `--timeout=${LIMIT_MS / 1000}s`];
  await kubectl.output(args, 'WebSocket', { timeoutMs: LIMIT_MS });
  await untilGone(host, [...before]);
  const seconds = (performance.now() - startedAt) / 1000;
  kubectl.close();
  return { seconds, withoutLeaderMs: await leaders.stop(), survived };
}

/** Name of the one old manager that goes on when the other has been told to end. */
async function untilOneIsLeft(lab: Lab, host: KubeClient, before: ReadonlySet<string>): Promise<string> {
  const endsAt = performance.now() + LIMIT_MS;
  while (performance.now() < endsAt) {
    const left = (await managerPods(lab.host)).filter((name) => before.has(name));
    const [survivor] = left;
    if (survivor !== undefined && left.length === 1) {
      await untilGone(
        host,
        [...before].filter((name) => name !== survivor),
      );
      return survivor;
    }
    await sleep(POLL_MS);
  }
  throw new Error('no manager was told to end');
}

async function untilGone(host: KubeClient, names: readonly string[]): Promise<void> {
  const endsAt = performance.now() + LIMIT_MS;
  for (const name of names) {
    for (;;) {
      const isGone = await host.get(pods, { namespace: NAMESPACE, name }).then(
        () => false,
        (error: unknown) => {
          if (isNotFound(error)) return true;
          throw error;
        },
      );
      if (isGone) break;
      if (performance.now() > endsAt) throw new Error(`${name} does not end`);
      await sleep(POLL_MS);
    }
  }
}

/** Notes when the Lease is in nobody's hands. */
class LeaderWatch {
  readonly #stop = new AbortController();
  readonly #gaps: number[] = [];
  readonly #running: Promise<void>;

  constructor(host: KubeClient) {
    this.#running = this.#run(host);
  }

  async stop(): Promise<readonly number[]> {
    this.#stop.abort();
    await this.#running;
    return this.#gaps;
  }

  async #run(host: KubeClient): Promise<void> {
    let freeSince: number | undefined;
    let last: string | undefined;
    while (!this.#stop.signal.aborted) {
      const { spec } = await host.get(leases, LEASE);
      const holder = spec?.holderIdentity ?? '';
      if (holder === '') freeSince ??= performance.now();
      else {
        const now = performance.now();
        if (last !== undefined && holder !== last) this.#gaps.push(Math.round(now - (freeSince ?? now)));
        freeSince = undefined;
        last = holder;
      }
      await sleep(POLL_MS);
    }
  }
}
