import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab/lab.js';
import type { LabProcess } from '../lab/supervisor.js';
import { callsOfAll, callsOfUser } from './api-calls.js';
import { openCluster, type BenchCluster } from './bench-cluster.js';
import { runBurst, type BurstPart, type BurstResult } from './burst.js';
import { ManagerLauncher } from './manager.js';
import { medianOf } from './medians.js';
import type { BenchOptions, Phase } from './options.js';
import { runPaced } from './paced.js';
import { usageOf } from './process-usage.js';
import { callsPerPod, ratiosOf, type CallCounts, type RunResult } from './report.js';
import { rounded, type Latency } from './statistics.js';
import { createShared, NAMESPACE, NATIVE_NODE_LABEL, nodesFor, split, type Placement } from './workload.js';

const WARM_UP_PODS = 100;
const STOP_LIMIT_MS = 30_000;
/** Lets the API servers, and the manager's start, come to rest before a measurement. */
const REST_MS = 3_000;

/** The benchmark of pods on a lab that is there already. Runs where it disturbs nothing: in the lab's client namespace. */
export class PodBench {
  readonly #lab: Lab;
  readonly #options: BenchOptions;
  readonly #log: (line: string) => void;
  readonly #stop = new AbortController();
  readonly #launcher: ManagerLauncher;
  #clusters: readonly BenchCluster[] = [];

  constructor(lab: Lab, options: BenchOptions, log: (line: string) => void) {
    this.#lab = lab;
    this.#options = options;
    this.#log = log;
    this.#launcher = new ManagerLauncher(lab, options);
  }

  /** Measures everything as often as asked; the result has the medians. */
  async run(): Promise<RunResult> {
    await this.#prepare();
    try {
      const runs: RunResult[] = [];
      for (let index = 1; index <= this.#options.repeat; index += 1) {
        this.#log(`run ${index} of ${this.#options.repeat}`);
        runs.push(await this.#once());
      }
      return medianOf(runs);
    } finally {
      this.#stop.abort();
      await Promise.all(this.#clusters.map(({ client }) => client.close()));
    }
  }

  async #prepare(): Promise<void> {
    const { pods, members } = this.#options;
    const memberPods = Math.max(...split(pods, members));
    for (const cluster of this.#lab.clusters) {
      const count = nodesFor(cluster === this.#lab.host ? pods : memberPods);
      this.#log(`${cluster.name}: ${count} KWOK nodes`);
      const names = Array.from({ length: count }, (_, index) => `${cluster.name}-kwok${index + 1}`);
      await cluster.addKwokNodes(names.map((name) => ({ name, labels: { [NATIVE_NODE_LABEL]: 'true' } })));
      await cluster.ensureNamespace(NAMESPACE);
    }
    const { signal } = this.#stop;
    this.#clusters = await Promise.all(this.#lab.clusters.map((cluster) => openCluster(cluster, signal)));
    if (this.#options.config) await createShared(this.#host.client);
    if (this.#has('virtual')) await this.#launcher.prepare();
    this.#log('warming up');
    await runBurst(this.#everywhere(Math.min(pods, WARM_UP_PODS)), this.#clusters);
  }

  async #once(): Promise<RunResult> {
    const { pods } = this.#options;
    const native = this.#has('native') ? await this.#burst('native', [this.#inHost(pods, 'native')]) : undefined;
    const pacedNative = this.#has('paced') ? await this.#paced('native') : undefined;
    const floor = this.#has('floor') ? await this.#burst('floor', this.#everywhere(pods)) : undefined;
    const measured = { native, floor, paced: { native: pacedNative } };
    const through = this.#has('virtual') ? await this.#throughManager() : {};
    const run = { ...measured, ...through, paced: { ...measured.paced, virtual: through.paced?.virtual } };
    return { ...run, ratios: ratiosOf(run) };
  }

  async #throughManager(): Promise<Omit<RunResult, 'ratios'>> {
    this.#log('starting the manager');
    const manager = await this.#launcher.start();
    try {
      const burst = await this.#virtualBurst(manager);
      const paced = this.#has('paced') ? { virtual: await this.#paced('virtual') } : undefined;
      return { ...burst, paced };
    } finally {
      await stop(manager);
    }
  }

  async #virtualBurst(manager: LabProcess): Promise<Omit<RunResult, 'ratios'>> {
    const { pods } = this.#options;
    await sleep(REST_MS);
    const callsBefore = await this.#calls();
    const before = usageOf(manager.pid);
    let created = before;
    const settled = (): void => {
      created = usageOf(manager.pid);
    };
    const virtual = await this.#burst('virtual', [this.#inHost(pods, 'virtual')], settled);
    const after = usageOf(manager.pid);
    const callsAfter = await this.#calls();
    return {
      virtual,
      manager: {
        cpuMsPerPod: rounded((created.cpuMs - before.cpuMs) / pods, 2),
        cpuMsPerPodLife: rounded((after.cpuMs - before.cpuMs) / pods, 2),
        peakRssMiB: rounded(after.peakRssMiB, 1),
      },
      calls: byCluster(callsBefore, callsAfter, 'manager', pods),
      allCalls: byCluster(callsBefore, callsAfter, 'all', pods),
    };
  }

  async #burst(name: string, parts: readonly BurstPart[], settled?: () => void): Promise<BurstResult> {
    this.#log(`${name}: ${parts.map(({ cluster, replicas }) => `${replicas} pods in ${cluster.name}`).join(', ')}`);
    await sleep(REST_MS);
    const result = await runBurst(parts, this.#clusters, settled === undefined ? {} : { settled });
    this.#log(`${name}: ${JSON.stringify(result)}`);
    return result;
  }

  async #paced(placement: Placement): Promise<Latency> {
    const { rate, seconds, config, token } = this.#options;
    this.#log(`paced ${placement}: ${rate} pods/s for ${seconds} s`);
    await sleep(REST_MS);
    const pace = { ratePerSecond: rate, seconds, needs: { config, token } };
    const latency = await runPaced(this.#host, this.#clusters, placement, pace);
    this.#log(`paced ${placement}: ${JSON.stringify(latency)}`);
    return latency;
  }

  /** In the order of the clusters: the host first. */
  async #calls(): Promise<CallCounts[]> {
    const texts = await Promise.all(this.#lab.clusters.map((cluster) => cluster.metrics()));
    return texts.map((text) => ({ manager: callsOfUser(text), all: callsOfAll(text) }));
  }

  get #host(): BenchCluster {
    const host = this.#clusters[0];
    if (host === undefined) throw new Error('the lab has no host cluster');
    return host;
  }

  #inHost(replicas: number, placement: Placement): BurstPart {
    const { config, token } = this.#options;
    return { cluster: this.#host, replicas, placement, needs: { config, token } };
  }

  /** So many pods in the host and, split over them, in the members. */
  #everywhere(pods: number): BurstPart[] {
    const { config, token } = this.#options;
    const members = this.#clusters.slice(1);
    const shares = split(pods, members.length);
    const inMembers = members.map((cluster, index) => ({ cluster, replicas: shares[index] ?? 0 }));
    const parts = [{ cluster: this.#host, replicas: pods }, ...inMembers];
    return parts.map((part) => ({ ...part, placement: 'native', needs: { config, token } }));
  }

  #has(phase: Phase): boolean {
    return this.#options.phases.includes(phase);
  }
}

function byCluster(
  before: readonly CallCounts[],
  after: readonly CallCounts[],
  whose: keyof CallCounts,
  pods: number,
): NonNullable<RunResult['calls']> {
  const pick = (counts: readonly CallCounts[]): CallCounts[keyof CallCounts][] => counts.map((count) => count[whose]);
  const [from, to] = [pick(before), pick(after)];
  return {
    host: callsPerPod(from.slice(0, 1), to.slice(0, 1), pods),
    member: callsPerPod(from.slice(1), to.slice(1), pods),
  };
}

async function stop(manager: LabProcess): Promise<void> {
  manager.kill('SIGTERM');
  const timer = setTimeout(() => manager.kill('SIGKILL'), STOP_LIMIT_MS);
  await manager.wait();
  clearTimeout(timer);
}
