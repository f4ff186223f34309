import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ReflectorObserver } from '../kube/reflector.js';
import type { RequestSample } from '../kube/request-observer.js';
import { FederationError } from '../lib/errors.js';
import type { ControllerObserver } from './controller.js';
import { METRICS, type MetricName, type MetricSpec } from './metric-table.js';

/** How metrics are made. */
export interface MetricsOptions {
  /** Also export memory, CPU, event loop and garbage collection of the process. */
  readonly processMetrics?: boolean | undefined;
}

/** What is counted of the kubelet API. */
export interface KubeletMetrics {
  request(cluster: string, endpoint: string, code: number, seconds: number): void;
  session(cluster: string, kind: string, change: 1 | -1): void;
  bytes(cluster: string, kind: string, direction: string, count: number): void;
  connection(change: 1 | -1): void;
  refused(reason: string): void;
  served(cluster: string, change: 1 | -1): void;
}

/** What is known of the figures of virtual nodes. */
export interface StatsMetrics {
  source(cluster: string, source: string): void;
  missing(cluster: string, node: string, missing: { readonly nodes: number; readonly pods: number }): void;
}

/** What is counted of ClusterLink. */
export interface LinkMetrics {
  nodes(cluster: string, nodes: { readonly ready: number; readonly total: number }): void;
  condition(cluster: string, reason: string): void;
  elected(cluster: string): void;
  planned(seconds: number): void;
}

const STATS_SOURCES = ['Kubelets', 'MetricsAPI'];

type NamesOf<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** What the process measures, in a registry of its own (there may be several in one test). */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  constructor(options: MetricsOptions = {}) {
    for (const [name, spec] of Object.entries<MetricSpec>(METRICS)) this.#register(name, spec);
    this.#gauge('kosmos_leader').set(0);
    if (options.processMetrics === true) collectDefaultMetrics({ register: this.#registry });
  }

  /** All metrics in the Prometheus text format. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The content type of {@link render}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** What a controller reports to. `cluster` is the name of the Cluster that it works for, or `host`. */
  controllerObserver(controller: string, cluster: string): ControllerObserver {
    const labels = { controller, cluster };
    // Looked up once: a queue reports often.
    const depth = this.#gauge('kosmos_workqueue_depth').labels(labels);
    const adds = this.#counter('kosmos_workqueue_adds_total').labels(labels);
    const wait = this.#histogram('kosmos_workqueue_wait_seconds').labels(labels);
    const retries = this.#counter('kosmos_workqueue_retries_total').labels(labels);
    const duration = this.#histogram('kosmos_reconcile_duration_seconds').labels(labels);
    const total = this.#counter('kosmos_reconcile_total');
    return {
      queue: {
        queued: (length) => {
          adds.inc();
          depth.set(length);
        },
        taken: (length, waitedMs) => {
          depth.set(length);
          wait.observe(waitedMs / 1000);
        },
        finished: () => undefined,
        retried: () => retries.inc(),
      },
      reconciled: (outcome, durationMs) => {
        duration.observe(durationMs / 1000);
        total.inc({ ...labels, outcome });
      },
    };
  }

  /** Counts a request to an API server. */
  apiRequest({ cluster, verb, resource, code, seconds }: RequestSample): void {
    this.#counter('kosmos_api_requests_total').inc({ cluster, verb, resource, code });
    this.#histogram('kosmos_api_request_duration_seconds').observe({ cluster, verb }, seconds);
  }

  /** What the informers of a cluster report to. */
  reflectorObserver(cluster: string): ReflectorObserver {
    const restarts = this.#counter('kosmos_watch_restarts_total');
    return { watchEnded: (resource, reason) => restarts.inc({ cluster, resource, reason }) };
  }

  /** Says for how long the token in a member that is nearest to its end is good; undefined when there is none. */
  tokenExpiry(cluster: string, seconds: number | undefined): void {
    const gauge = this.#gauge('kosmos_token_expiry_seconds');
    if (seconds === undefined) gauge.remove({ cluster });
    else gauge.set({ cluster }, seconds);
  }

  /** Says when the managers' own token for a member expires, by this machine's clock; undefined when nobody knows. */
  memberTokenExpiry(cluster: string, expiresAtMs: number | undefined): void {
    const gauge = this.#gauge('kosmos_member_token_expiry_timestamp_seconds');
    if (expiresAtMs === undefined) gauge.remove({ cluster });
    else gauge.set({ cluster }, Math.round(expiresAtMs / 1000));
  }

  /** Says whether this process leads. */
  leader(leading: boolean): void {
    this.#gauge('kosmos_leader').set(leading ? 1 : 0);
  }

  /** Counts a Kubernetes Event that was not written. */
  eventDropped(reason: string): void {
    this.#counter('kosmos_events_dropped_total').inc({ reason });
  }

  /** What the kubelet API reports to. */
  kubeletObserver(): KubeletMetrics {
    const connections = this.#gauge('kosmos_kubelet_connections');
    return {
      request: (cluster, endpoint, code, seconds) => {
        this.#counter('kosmos_kubelet_requests_total').inc({ cluster, endpoint, code });
        this.#histogram('kosmos_kubelet_request_duration_seconds').observe({ cluster, endpoint }, seconds);
      },
      session: (cluster, kind, change) => this.#gauge('kosmos_kubelet_sessions').inc({ cluster, kind }, change),
      bytes: (cluster, kind, direction, count) =>
        this.#counter('kosmos_kubelet_stream_bytes_total').inc({ cluster, kind, direction }, count),
      connection: (change) => connections.inc(change),
      refused: (reason) => this.#counter('kosmos_kubelet_refused_connections_total').inc({ reason }),
      served: (cluster, change) => this.#gauge('kosmos_kubelet_nodes').inc({ cluster }, change),
    };
  }

  /** What the figures of virtual nodes report to. */
  statsObserver(): StatsMetrics {
    const sources = this.#gauge('kosmos_stats_source');
    const lacking = this.#gauge('kosmos_stats_missing');
    return {
      source: (cluster, source) => {
        for (const one of STATS_SOURCES) sources.set({ cluster, source: one }, one === source ? 1 : 0);
      },
      missing: (cluster, node, { nodes, pods }) => {
        lacking.set({ cluster, node, kind: 'nodes' }, nodes);
        lacking.set({ cluster, node, kind: 'pods' }, pods);
      },
    };
  }

  /** What ClusterLink reports to. */
  linkObserver(): LinkMetrics {
    const nodes = this.#gauge('kosmos_link_nodes');
    const conditions = this.#gauge('kosmos_link_condition');
    const reasons = new Map<string, string>();
    return {
      condition: (cluster, reason) => {
        const before = reasons.get(cluster);
        if (before !== undefined && before !== reason) conditions.remove({ cluster, reason: before });
        reasons.set(cluster, reason);
        conditions.set({ cluster, reason }, 1);
      },
      nodes: (cluster, { ready, total }) => {
        nodes.set({ cluster, state: 'ready' }, ready);
        nodes.set({ cluster, state: 'total' }, total);
      },
      elected: (cluster) => this.#counter('kosmos_link_gateway_changes_total').inc({ cluster }),
      planned: (seconds) => this.#histogram('kosmos_link_plan_duration_seconds').observe(seconds),
    };
  }

  /** Removes all series of a Cluster, after it has left. */
  async forgetCluster(cluster: string): Promise<void> {
    for (const metric of [...this.#counters.values(), ...this.#gauges.values(), ...this.#histograms.values()]) {
      const { values } = await metric.get();
      for (const { labels } of values) {
        if (labels['cluster'] !== cluster) continue;
        // A histogram's values carry a bucket label that is not one of its own.
        const { le: _bucket, ...own } = labels as Record<string, string>;
        metric.remove(own);
      }
    }
  }

  #register(name: string, { type, help, labels, buckets }: MetricSpec): void {
    const common = { name, help, labelNames: labels, registers: [this.#registry] };
    if (type === 'counter') this.#counters.set(name, new Counter(common));
    else if (type === 'gauge') this.#gauges.set(name, new Gauge(common));
    else {
      const bounds = buckets === undefined ? {} : { buckets: [...buckets] };
      this.#histograms.set(name, new Histogram({ ...common, ...bounds }));
    }
  }

  #counter(name: NamesOf<'counter'>): Counter {
    return present(this.#counters.get(name), name);
  }

  #gauge(name: NamesOf<'gauge'>): Gauge {
    return present(this.#gauges.get(name), name);
  }

  #histogram(name: NamesOf<'histogram'>): Histogram {
    return present(this.#histograms.get(name), name);
  }
}

function present<T>(metric: T | undefined, name: string): T {
  if (metric === undefined) throw new FederationError('INTERNAL', `metric ${name} is missing`);
  return metric;
}
