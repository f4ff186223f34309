import type { Summary } from '../../../apis/stats.js';
import { EndpointError } from '../endpoint.js';
import { CounterSum } from './counter-sum.js';
import { mergeFamilies, renderExposition } from './exposition.js';
import type { KubeletFetch } from './kubelet-fetch.js';
import { createCounterSums, hasScrapeError, nodeSeries, type CounterSums } from './node-series.js';
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

  async read(kind: StatsKind, request: StatsRequest): Promise<StatsAnswer> {
    const texts = await this.#fetch.read(nodesToAsk(kind, request), PATHS[kind]);
    switch (kind) {
      case 'resource':
        return this.#resource(texts, request);
      case 'summary':
      case 'cpuAndMemory':
        return this.#summary(kind, texts, request);
      case 'cadvisor':
      case 'probes':
        return podMetrics(texts, request);
    }
  }

  #resource(texts: ReadonlyMap<string, string>, request: StatsRequest): StatsAnswer {
    const { nodeName, behind } = request;
    const sums = this.#seriesSums.get(nodeName) ?? createCounterSums();
    this.#seriesSums.set(nodeName, sums);
    const series = [...texts].map(([node, text]) => podSeries(text, node, request.pods));
    const ofNodes = new Map([...texts].filter(([node]) => behind.some(({ name }) => name === node)));
    const missing = missingOf(request, texts, new Set(series.flatMap(({ seen }) => [...seen])).size);
    const failed = missing.nodes > 0 || [...texts.values()].some(hasScrapeError);
    const families = mergeFamilies([
      ...series.map((one) => one.families),
      nodeSeries(ofNodes, sums),
      scrapeError(failed),
    ]);
    return { contentType: EXPOSITION_TYPE, body: renderExposition(families), missing };
  }

  #summary(kind: StatsKind, texts: ReadonlyMap<string, string>, request: StatsRequest): StatsAnswer {
    const { nodeName, behind, pods } = request;
    const key = `${kind} ${nodeName}`;
    const cpu = this.#summarySums.get(key) ?? new CounterSum();
    this.#summarySums.set(key, cpu);
    const summaries = new Map<string, Summary>();
    for (const [node, text] of texts) {
      const summary = parseSummary(text);
      if (summary !== undefined) summaries.set(node, summary);
    }
    if (summaries.size === 0 && nodesToAsk(kind, request).size > 0) throw unavailable(nodeName);
    const summary = virtualSummary({ nodeName, summaries, behind: behind.map(({ name }) => name), pods, cpu });
    const missing = missingOf(request, summaries, summary.pods.length);
    return { contentType: JSON_TYPE, body: JSON.stringify(summary), missing };
  }
}

function podMetrics(texts: ReadonlyMap<string, string>, request: StatsRequest): StatsAnswer {
  const { nodeName, pods } = request;
  if (texts.size === 0 && pods.pods.length > 0) throw unavailable(nodeName);
  const series = [...texts].map(([node, text]) => podSeries(text, node, pods).families);
  const body = renderExposition(mergeFamilies(series));
  return { contentType: EXPOSITION_TYPE, body, missing: undefined };
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
