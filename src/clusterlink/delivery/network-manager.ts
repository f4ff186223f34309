import type { NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Clock, Timer } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { sourceOf } from '../cluster/source.js';
import { Planner } from '../planner/planner.js';
import type { PlanProblem } from '../planner/problems.js';
import type { PlannerSettings } from '../planner/settings.js';
import type { NetworkPlan, PlanListener } from './delivery.js';
import { feedPlanner, type PlanSources } from './planner-feed.js';

export interface NetworkManagerOptions extends PlanSources {
  /** @default Kosmos' numbers */
  readonly settings?: PlannerSettings | undefined;
  /** Told how long a plan took. */
  readonly onPlanned: (seconds: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Changes that come in this time after another are planned for together... */
const GATHER_MS = 200;
/** ...but none waits longer than this. */
const LONGEST_WAIT_MS = 2_000;
const LOOK_AGAIN_MS = 200;

/** Keeps the plan for all nodes up to date, from the Clusters and ClusterNodes of the host. Leader only. */
export class NetworkManager implements NetworkPlan {
  readonly #options: NetworkManagerOptions;
  readonly #listeners = new Set<PlanListener>();
  /** Undefined before the first plan of a term. */
  #planner: Planner | undefined;
  /** The Cluster of each NodeConfig that is planned. */
  #clusterOf = new Map<string, string>();
  #problems: ReadonlyMap<string, readonly string[]> = new Map();
  #timer: Timer | undefined;
  #waitingSince: number | undefined;

  constructor(options: NetworkManagerOptions) {
    this.#options = options;
  }

  get planned(): boolean {
    return this.#planner !== undefined;
  }

  config(name: string): NodeConfigSpec | undefined {
    return this.#planner?.config(name);
  }

  namesOf(cluster: string): ReadonlySet<string> {
    return new Set([...this.#clusterOf].flatMap(([name, owner]) => (owner === cluster ? [name] : [])));
  }

  /** What is wrong with a Cluster, each message with the other side if there is one; but for a missing gateway. */
  problemsOf(cluster: string): readonly string[] {
    return this.#problems.get(cluster) ?? [];
  }

  onChange(listener: PlanListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Plans until aborted, then forgets the plan; may be called again. */
  async lead(signal: AbortSignal): Promise<void> {
    const { clusters, clusterNodes } = this.#options;
    try {
      // A plan from half of the inputs would take away what the other half wants.
      await Promise.all([clusters.synced(signal), clusterNodes.synced(signal), this.#formerKnown(signal)]);
    } catch (error) {
      if (!signal.aborted) throw error;
      return;
    }
    const planner = new Planner(this.#options.settings);
    const stops = feedPlanner(planner, this.#options, () => this.#changed(planner));
    this.#replan(planner);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (const stop of stops) stop();
    this.#rest();
    this.#planner = undefined;
    this.#clusterOf.clear();
    this.#problems = new Map();
  }

  /** Until it is known which MACs there were, or that the host has nothing that could tell. */
  async #formerKnown(signal: AbortSignal): Promise<void> {
    const { formerConfigs, clock } = this.#options;
    while (sourceOf(formerConfigs).state === 'unknown') await clock.sleep(LOOK_AGAIN_MS, signal);
  }

  #changed(planner: Planner): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    this.#waitingSince ??= now;
    this.#timer?.cancel();
    const latest = this.#waitingSince + LONGEST_WAIT_MS - now;
    this.#timer = clock.schedule(Math.max(0, Math.min(GATHER_MS, latest)), () => this.#replan(planner));
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waitingSince = undefined;
  }

  #replan(planner: Planner): void {
    const { onPlanned, clock, logger } = this.#options;
    this.#rest();
    const startedAt = clock.monotonic();
    try {
      const { changed, removed, problems } = planner.plan();
      this.#planner = planner;
      const touched = this.#touch(planner, changed, removed);
      const before = this.#problems;
      this.#problems = byCluster(problems);
      onPlanned((clock.monotonic() - startedAt) / 1000);
      const names = new Set([...touched.keys(), ...before.keys(), ...this.#problems.keys()]);
      for (const cluster of names) this.#tell(cluster, touched.get(cluster) ?? new Set());
    } catch (error) {
      // The last plan stays in force; the next change may be the one that mends it.
      logger.error('the network could not be planned', { error: errorMessage(error) });
    }
  }

  /** Names of the NodeConfigs to look at, by the name of their Cluster. */
  #touch(
    planner: Planner,
    changed: ReadonlySet<string>,
    removed: ReadonlySet<string>,
  ): ReadonlyMap<string, ReadonlySet<string>> {
    const touched = new Map<string, Set<string>>();
    const note = (name: string, cluster: string): void => {
      const names = touched.get(cluster) ?? new Set();
      touched.set(cluster, names.add(name));
    };
    for (const name of removed) {
      note(name, this.#clusterOf.get(name) ?? '');
      this.#clusterOf.delete(name);
    }
    for (const name of changed) {
      const cluster = planner.config(name)?.clusterName ?? '';
      this.#clusterOf.set(name, cluster);
      note(name, cluster);
    }
    return touched;
  }

  #tell(cluster: string, names: ReadonlySet<string>): void {
    for (const listener of [...this.#listeners]) listener(cluster, names);
  }
}

/** Without those that the condition of a Cluster has a reason of their own for. */
function byCluster(problems: readonly PlanProblem[]): ReadonlyMap<string, readonly string[]> {
  const messages = new Map<string, string[]>();
  for (const { reason, clusters, message } of problems) {
    if (reason === 'NoGateway') continue;
    for (const cluster of clusters) messages.set(cluster, [...(messages.get(cluster) ?? []), message]);
  }
  return messages;
}
