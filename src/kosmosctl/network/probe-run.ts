import type { Pod } from '../../apis/core.js';
import { decodeReport, type ProbePlan, type ProbeReport } from '../../clusterlink/floater/plan.js';
import { pods, resourcePath } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import type { CliContext } from '../context.js';
import { nameOf } from '../fields.js';
import { FLOATER, probePod } from './manifests.js';
import { deletePodSoon } from '../objects.js';
import { podProblem } from '../rollout.js';
import type { Site } from './site.js';
import { resultOf, trialKey, type Trial, type TrialResult } from './trial.js';

/** How probes are made. */
export interface ProbeSettings {
  readonly timeoutMs: number;
  /** Targets that a node tries at the same time. */
  readonly concurrency: number;
  /** How long a pod may take to begin. */
  readonly waitMs: number;
}

/** A pod has one plan, which has to fit into its environment; also, so many results at most are in a log. */
export const TRIALS_PER_POD = 200;
const POLL_MS = 400;
/** A pod that says nothing new for this time won't any more. */
const SILENCE_MS = 120_000;

/** Makes all trials of one node, and tells each result as soon as it is known. Returns what went wrong with the pods. */
export class ProbeRun {
  readonly #site: Site;
  readonly #settings: ProbeSettings;
  readonly #context: CliContext;
  readonly #onResult: (result: TrialResult) => void;

  constructor(site: Site, settings: ProbeSettings, context: CliContext, onResult: (result: TrialResult) => void) {
    this.#site = site;
    this.#settings = settings;
    this.#context = context;
    this.#onResult = onResult;
  }

  /** `round` tells the pods of one call from those of another. Undefined when all trials were made. */
  async run(node: string, trials: readonly Trial[], round: number): Promise<string | undefined> {
    const { signal } = this.#context;
    try {
      for (let at = 0; at < trials.length; at += TRIALS_PER_POD) {
        const chunk = trials.slice(at, at + TRIALS_PER_POD);
        const problem = await this.#runPod(node, chunk, round * 1_000 + at / TRIALS_PER_POD);
        if (problem !== undefined) return problem;
      }
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      // One bad node is not to spoil the check of the others.
      return errorMessage(error);
    }
  }

  async #runPod(node: string, trials: readonly Trial[], index: number): Promise<string | undefined> {
    const { client } = this.#site.session;
    const { signal } = this.#context;
    const pod = probePod(this.#site.settings, node, index, this.#planOf(trials));
    const ref = { namespace: this.#site.settings.namespace, name: nameOf(pod) };
    await client.create(pods, pod, { signal });
    const problem = await this.#follow(ref, new Map(trials.map((trial) => [trialKey(trial), trial])));
    await deletePodSoon(client, ref, signal);
    return problem;
  }

  #planOf(trials: readonly Trial[]): ProbePlan {
    const { timeoutMs, concurrency } = this.#settings;
    const targets = trials.map((trial) => ({
      ...{ id: trialKey(trial), probes: trial.probes },
      ...(trial.ip === undefined ? { name: NAME } : { ip: trial.ip }),
    }));
    return { port: this.#site.settings.port, timeoutMs, concurrency, targets };
  }

  /** Reads the log until all results are there, or none come any more. */
  async #follow(ref: { namespace: string; name: string }, left: Map<string, Trial>): Promise<string | undefined> {
    const { client } = this.#site.session;
    const { clock, signal } = this.#context;
    let lastNews = clock.monotonic();
    for (;;) {
      const pod = await client.get(pods, ref, { signal });
      const phase = pod.status?.phase ?? 'Pending';
      if (phase !== 'Pending' && (await this.#readLog(ref, left)) > 0) lastNews = clock.monotonic();
      if (left.size === 0) return undefined;
      const problem = this.#problemOf(pod, phase, clock.monotonic() - lastNews);
      if (problem !== undefined) return problem;
      await clock.sleep(POLL_MS, signal);
    }
  }

  /** Why a pod won't tell anything more; undefined while it may. */
  #problemOf(pod: Pod, phase: string, silentMs: number): string | undefined {
    if (phase === 'Succeeded' || phase === 'Failed') return endOf(pod);
    const patience = phase === 'Pending' ? this.#settings.waitMs : SILENCE_MS;
    if (silentMs < patience) return undefined;
    return podProblem(pod)?.problem ?? `${nameOf(pod)} stays ${phase}`;
  }

  async #readLog(ref: { namespace: string; name: string }, left: Map<string, Trial>): Promise<number> {
    const path = `${resourcePath(pods, ref, 'log')}?container=${FLOATER}`;
    const text = await this.#site.session.client.getPath(path, { signal: this.#context.signal });
    let fresh = 0;
    for (const report of text.split('\n').flatMap((line) => decodeReport(line) ?? []))
      fresh += this.#take(report, left);
    return fresh;
  }

  #take(report: ProbeReport, left: Map<string, Trial>): number {
    const trial = left.get(report.id);
    if (trial === undefined) return 0;
    left.delete(report.id);
    this.#onResult(resultOf(trial, report));
    return 1;
  }
}

/** Every cluster has it. */
const NAME = 'kubernetes.default.svc';

function endOf(pod: Pod): string {
  const { message, reason, containerStatuses = [] } = pod.status ?? {};
  const code = containerStatuses[0]?.state?.terminated?.exitCode;
  return `${nameOf(pod)} has ended too early${code === undefined ? '' : ` with ${code}`}: ${message ?? reason ?? 'see its log'}`;
}
