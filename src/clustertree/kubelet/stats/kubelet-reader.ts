import { EndpointError } from '../endpoint.js';
import { CounterSum } from './counter-sum.js';
import { mergeFamilies, renderExposition, type MetricFamily } from './exposition.js';
import type { KubeletFetch } from './kubelet-fetch.js';
import { createCounterSums, nodeSeries, parseNodeText, type CounterSums } from './node-series.js';
import { podSeries } from './pod-series.js';
import { scrapeError } from './resource-families.js';
import { EXPOSITION_TYPE, JSON_TYPE } from './stats-answer.js';
import type { StatsReader, StatsRequest, Missing, StatsAnswer, StatsKind } from './stats-answer.js';
import { parseSummary } from './summary-parse.js';
import { virtualSummary } from './summary.js';

const PATHS: Readonly<Record<StatsKind, string>> = {
  resource: '/metrics/resource',
  summary: '/stats/summary',
  cpuAndMemory: '/stats/summary?only_cpu_and_memory=true',
  cadvisor: '/metrics/cadvisor',
  probes: '/metrics/probes',
};

/** Exact figures, from the kubelets of a member. */
export class KubeletReader implements StatsReader {
  readonly #fetch: Pick<KubeletFetch, 'read'>;
  readonly #seriesSums = new Map<string, CounterSums>();
  readonly #summarySums = new Map<string, CounterSum>();

  constructor(fetch: Pick<KubeletFetch, 'read'>) {
    this.#fetch = fetch;
  }

  read(kind: StatsKind, request: StatsRequest): Promise<StatsAnswer> {
    switch (kind) {
      case 'resource':
        return this.#resource(request);
      case 'summary':
      case 'cpuAndMemory':
        return this.#summary(kind, request);
      case 'cadvisor':
      case 'probes':
        return this.#podMetrics(kind, request);
    }
  }

  async #resource(request: StatsRequest): Promise<StatsAnswer> {
    const { nodeName, behind, pods } = request;
    const sums = this.#seriesSums.get(nodeName) ?? createCounterSums();
    this.#seriesSums.set(nodeName, sums);
    const texts = await this.#fetch.read(nodesToAsk('resource', request), PATHS.resource, (text, node) => ({
      ...{ ...parseNodeText(text), ofPods: podSeries(text, node, pods) },
    }));
    const answers = [...texts.values()];
    const ofNodes = behind.flatMap(({ name }): readonly [string, readonly MetricFamily[]][] => {
      const families = texts.get(name)?.families;
      return families === undefined ? [] : [[name, families]];
    });
    const missing = missingOf(request, texts, new Set(answers.flatMap(({ ofPods }) => [...ofPods.seen])).size);
    const failed = missing.nodes > 0 || answers.some((answer) => answer.failed);
    const families = mergeFamilies([
      ...answers.map(({ ofPods }) => ofPods.families),
      nodeSeries(new Map(ofNodes), sums),
      scrapeError(failed),
    ]);
    return { contentType: EXPOSITION_TYPE, body: renderExposition(families), missing };
  }

  async #summary(kind: 'summary' | 'cpuAndMemory', request: StatsRequest): Promise<StatsAnswer> {
    const { nodeName, behind, pods } = request;
    const key = `${kind} ${nodeName}`;
    const cpu = this.#summarySums.get(key) ?? new CounterSum();
    this.#summarySums.set(key, cpu);
    const asked = nodesToAsk(kind, request);
    const parsed = await this.#fetch.read(asked, PATHS[kind], parseSummary);
    const summaries = new Map(
      [...parsed].flatMap(([node, summary]) => (summary === undefined ? [] : [[node, summary] as const])),
    );
    if (summaries.size === 0 && asked.size > 0) throw unavailable(nodeName);
    const summary = virtualSummary({ nodeName, summaries, behind: behind.map(({ name }) => name), pods, cpu });
    const missing = missingOf(request, summaries, summary.pods.length);
    return { contentType: JSON_TYPE, body: JSON.stringify(summary), missing };
  }

  async #podMetrics(kind: 'cadvisor' | 'probes', request: StatsRequest): Promise<StatsAnswer> {
    const { nodeName, pods } = request;
    const series = await this.#fetch.read(nodesToAsk(kind, request), PATHS[kind], (text, node) =>
      podSeries(text, node, pods),
    );
    if (series.size === 0 && pods.pods.length > 0) throw unavailable(nodeName);
    const body = renderExposition(mergeFamilies([...series.values()].map(({ families }) => families)));
    return { contentType: EXPOSITION_TYPE, body, missing: undefined };
  }
}

/** Nodes that run pods of ours, and for figures of the node itself those behind it that can be expected to answer. */
function nodesToAsk(kind: StatsKind, { behind, pods }: StatsRequest): ReadonlySet<string> {
  const running = pods.pods.map(({ memberNode }) => memberNode);
  if (kind === 'cadvisor' || kind === 'probes') return new Set(running);
  return new Set([...behind.filter(({ ready }) => ready).map(({ name }) => name), ...running]);
}

function missingOf({ behind, pods }: StatsRequest, answers: ReadonlyMap<string, unknown>, seen: number): Missing {
  return { nodes: behind.filter(({ name }) => !answers.has(name)).length, pods: pods.pods.length - seen };
}

function unavailable(nodeName: string): EndpointError {
  return new EndpointError(503, `no kubelet behind ${nodeName} has answered`);
}
