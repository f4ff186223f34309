import type { Clock } from '../../../lib/clock.js';
import type { Member } from '../../cluster/member.js';
import { EndpointError } from '../endpoint.js';
import { CounterSum } from './counter-sum.js';
import { renderExposition } from './exposition.js';
import { UsageMeter, type MemberUsage } from './member-usage.js';
import { fetchMetrics } from './metrics-fetch.js';
import { scrapeError } from './resource-families.js';
import { EXPOSITION_TYPE, JSON_TYPE } from './stats-answer.js';
import type { StatsReader, StatsRequest, Missing, StatsAnswer, StatsKind } from './stats-answer.js';
import { StatsCache } from './stats-cache.js';
import { usageFamilies } from './usage-families.js';
import { usageSummary } from './usage-summary.js';
import { virtualUsage, type VirtualUsage } from './virtual-usage.js';

/** What was read of the member at one time. */
interface Snapshot {
  readonly usage: MemberUsage;
  readonly problem: string | undefined;
}

export interface MetricsReaderOptions {
  readonly member: Pick<Member, 'client' | 'ownership' | 'pods'>;
  readonly clock: Clock;
}

/** Approximate figures, from the metrics API of a member: CPU and working set. One list serves all virtual nodes. */
export class MetricsReader implements StatsReader {
  readonly #options: MetricsReaderOptions;
  readonly #meter = new UsageMeter();
  readonly #snapshots: StatsCache<Snapshot>;
  readonly #sums = new Map<string, CounterSum>();

  constructor(options: MetricsReaderOptions) {
    this.#options = options;
    this.#snapshots = new StatsCache(options.clock);
  }

  async read(kind: StatsKind, request: StatsRequest): Promise<StatsAnswer> {
    if (kind === 'cadvisor' || kind === 'probes') {
      throw new EndpointError(404, `/metrics/${kind} needs the kubelets of the member, see statsSource of its Cluster`);
    }
    const { usage, problem } = await this.#snapshots.get('usage', () => this.#measure());
    const nothing = usage.nodes.size === 0 && usage.pods.size === 0;
    if (kind !== 'resource' && nothing && problem !== undefined) throw new EndpointError(503, problem);
    const { nodeName, behind, pods } = request;
    const cpu = this.#sums.get(nodeName) ?? new CounterSum();
    this.#sums.set(nodeName, cpu);
    const own = virtualUsage({ usage, behind: behind.map(({ name }) => name), pods, cpu });
    const missing = missingOf(request, usage, own);
    if (kind !== 'resource') {
      return { contentType: JSON_TYPE, body: JSON.stringify(usageSummary(nodeName, own)), missing };
    }
    const families = [...usageFamilies(own), ...scrapeError(problem !== undefined || missing.nodes > 0)];
    return { contentType: EXPOSITION_TYPE, body: renderExposition(families), missing };
  }

  async #measure(): Promise<Snapshot> {
    const { client, ownership, pods: memberPods } = this.#options.member;
    const { nodes = [], pods = [], problem } = await fetchMetrics(client, ownership);
    const usage = this.#meter.measure({ nodes, pods }, (key) => memberPods.store.get(key));
    if (problem === undefined) {
      const uids = memberPods.store.list().map(({ metadata }) => metadata?.uid ?? '');
      this.#meter.retain(new Set(usage.nodes.keys()), new Set(uids));
    }
    return { usage, problem };
  }
}

function missingOf({ behind, pods }: StatsRequest, usage: MemberUsage, own: VirtualUsage): Missing {
  return {
    nodes: behind.filter(({ name }) => !usage.nodes.has(name)).length,
    pods: pods.pods.length - own.pods.length,
  };
}
