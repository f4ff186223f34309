import type { Clock } from '../../../lib/clock.js';
import type { Member } from '../../cluster/member.js';
import type { ServedNode } from '../endpoint.js';
import { KubeletFetch } from './kubelet-fetch.js';
import { KubeletReader } from './kubelet-reader.js';
import { MetricsReader } from './metrics-reader.js';
import { ownPods } from './own-pods.js';
import { StatsDenied } from './stats-answer.js';
import type { StatsRequest, Missing, StatsAnswer, StatsKind, StatsReader } from './stats-answer.js';
import { StatsCache } from './stats-cache.js';

/** Where figures come from: kubelets are exact, the metrics API is approximate. */
export type UsedSource = 'Kubelets' | 'MetricsAPI';

/** Hears where figures come from and what is missing; for metrics. */
export interface StatsObserver {
  source(cluster: string, source: UsedSource): void;
  missing(cluster: string, node: string, missing: Missing): void;
}

export interface MemberStatsOptions {
  readonly member: Member;
  readonly observer: StatsObserver;
  readonly clock: Clock;
}

/** How long a refusal of `nodes/proxy` is believed. */
const DENIAL_MS = 60_000;

/** Figures of all virtual nodes of one member: chooses where they come from, and asks the member no more than needed. */
export class MemberStats {
  readonly #options: MemberStatsOptions;
  readonly #kubelets: StatsReader;
  readonly #metrics: StatsReader;
  readonly #exact: StatsCache<StatsAnswer>;
  #deniedUntilMs = -Infinity;
  #source: UsedSource | undefined;

  constructor(options: MemberStatsOptions) {
    const { member, clock } = options;
    this.#options = options;
    this.#kubelets = new KubeletReader(new KubeletFetch({ client: member.client, clock }));
    this.#metrics = new MetricsReader({ member, clock });
    this.#exact = new StatsCache(clock, ({ body }) => body.length);
  }

  /** @throws EndpointError when there is no answer to give. */
  async read(kind: StatsKind, node: ServedNode): Promise<StatsAnswer> {
    const { member, observer } = this.#options;
    const request = { nodeName: node.name, behind: member.nodesBehind?.(node.name) ?? [], pods: ownPods(node) };
    const answer = (await this.#readKubelets(kind, request)) ?? (await this.#readMetrics(kind, request));
    if (answer.missing !== undefined) observer.missing(member.config.name, node.name, answer.missing);
    return answer;
  }

  /** Undefined when they are not wanted, or the member refuses. */
  async #readKubelets(kind: StatsKind, request: StatsRequest): Promise<StatsAnswer | undefined> {
    const { member, clock } = this.#options;
    if (member.config.statsSource !== 'Kubelets' || clock.monotonic() < this.#deniedUntilMs) return undefined;
    try {
      const answer = await this.#exact.get(`${kind} ${request.nodeName}`, () => this.#kubelets.read(kind, request));
      this.#use('Kubelets');
      return answer;
    } catch (error) {
      if (!(error instanceof StatsDenied)) throw error;
      this.#deniedUntilMs = clock.monotonic() + DENIAL_MS;
      return undefined;
    }
  }

  #readMetrics(kind: StatsKind, request: StatsRequest): Promise<StatsAnswer> {
    this.#use('MetricsAPI');
    return this.#metrics.read(kind, request);
  }

  #use(source: UsedSource): void {
    const { member, observer } = this.#options;
    if (this.#source === source) return;
    this.#source = source;
    observer.source(member.config.name, source);
    if (source === member.config.statsSource) member.logger.info('figures of the member are read', { source });
    else member.logger.warn('the member does not allow to read its kubelets; figures are approximate', { source });
  }
}
