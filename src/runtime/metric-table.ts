/** One metric: what docs/reference/metrics.md says and what the registry holds. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

const FAST_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/**
 * Every metric of the product. `cluster` is the name of a Cluster, or `host`. Series of a Cluster go away with it.
 */
export const METRICS = {
  kosmos_workqueue_depth: {
    type: 'gauge',
    help: 'Keys that wait for a free worker.',
    labels: ['controller', 'cluster'],
  },
  kosmos_workqueue_adds_total: {
    type: 'counter',
    help: 'Keys that were queued.',
    labels: ['controller', 'cluster'],
  },
  kosmos_workqueue_wait_seconds: {
    type: 'histogram',
    help: 'Time from queueing a key to the start of its reconcile.',
    labels: ['controller', 'cluster'],
    buckets: FAST_SECONDS,
  },
  kosmos_workqueue_retries_total: {
    type: 'counter',
    help: 'Keys that were queued again with back-off.',
    labels: ['controller', 'cluster'],
  },
  kosmos_reconcile_duration_seconds: {
    type: 'histogram',
    help: 'Time that a reconcile took.',
    labels: ['controller', 'cluster'],
    buckets: FAST_SECONDS,
  },
  kosmos_reconcile_total: {
    type: 'counter',
    help: 'Reconciles by outcome: success, requeue, error (tried again), terminal (not tried again), stopped.',
    labels: ['controller', 'cluster', 'outcome'],
  },
  kosmos_api_requests_total: {
    type: 'counter',
    help: 'Requests to API servers; code is the HTTP status, or an error code when there was no answer.',
    labels: ['cluster', 'verb', 'resource', 'code'],
  },
  kosmos_api_request_duration_seconds: {
    type: 'histogram',
    help: 'Time of a request with all waiting and retries; for watches until the head of the answer.',
    labels: ['cluster', 'verb'],
    buckets: FAST_SECONDS,
  },
  kosmos_watch_restarts_total: {
    type: 'counter',
    help: 'Watches that ended and are opened again: clean (the server closed), expired, unordered, broken, error.',
    labels: ['cluster', 'resource', 'reason'],
  },
  kosmos_token_expiry_seconds: {
    type: 'gauge',
    help: 'Time until the first of the service account tokens in a member expires, as the leader last saw it; renewal keeps it above a fifth of the shortest life.',
    labels: ['cluster'],
  },
  kosmos_member_token_expiry_timestamp_seconds: {
    type: 'gauge',
    help: "When the managers' own token for a member expires, in seconds since 1970, as the leader last saw it; renewal keeps it half a life ahead.",
    labels: ['cluster'],
  },
  kosmos_leader: {
    type: 'gauge',
    help: '1 while this process is the leader, else 0.',
    labels: [],
  },
  kosmos_stats_source: {
    type: 'gauge',
    help: "1 for where a member's figures come from: Kubelets (exact) or MetricsAPI (approximate); else 0.",
    labels: ['cluster', 'source'],
  },
  kosmos_stats_missing: {
    type: 'gauge',
    help: 'How many nodes behind a virtual node, or running pods of it, its last answer with figures had none for: nodes, pods.',
    labels: ['cluster', 'node', 'kind'],
  },
  kosmos_events_dropped_total: {
    type: 'counter',
    help: 'Kubernetes Events that were not written: invalid, rateLimit, overflow, rejected, failed.',
    labels: ['reason'],
  },
  kosmos_link_nodes: {
    type: 'gauge',
    help: 'Nodes of a linked cluster that take part: all of them (total), and those whose agents have applied what is planned now (ready).',
    labels: ['cluster', 'state'],
  },
  kosmos_link_condition: {
    type: 'gauge',
    help: '1 for the reason of the condition `ClusterLinkReady` that a linked cluster has now, as the leader last wrote it.',
    labels: ['cluster', 'reason'],
  },
  kosmos_link_gateway_changes_total: {
    type: 'counter',
    help: 'How often this process has elected another gateway for a linked cluster.',
    labels: ['cluster'],
  },
  kosmos_link_plan_duration_seconds: {
    type: 'histogram',
    help: 'Time that planning the network of all linked clusters took.',
    labels: [],
    buckets: FAST_SECONDS,
  },
  kosmos_kubelet_nodes: {
    type: 'gauge',
    help: 'Virtual nodes whose kubelet API this process serves.',
    labels: ['cluster'],
  },
  kosmos_kubelet_requests_total: {
    type: 'counter',
    help: 'Requests to the kubelet API; endpoint is the first part of the path, code the HTTP status (101: a session began).',
    labels: ['cluster', 'endpoint', 'code'],
  },
  kosmos_kubelet_request_duration_seconds: {
    type: 'histogram',
    help: 'Time of a request to the kubelet API; for a session until it began.',
    labels: ['cluster', 'endpoint'],
    buckets: FAST_SECONDS,
  },
  kosmos_kubelet_sessions: {
    type: 'gauge',
    help: 'Open sessions in pods: exec, attach, portForward, and logs that are being read.',
    labels: ['cluster', 'kind'],
  },
  kosmos_kubelet_stream_bytes_total: {
    type: 'counter',
    help: 'Bytes that went through sessions, counted when they end; direction is toMember or toClient.',
    labels: ['cluster', 'kind', 'direction'],
  },
  kosmos_kubelet_connections: {
    type: 'gauge',
    help: 'Open connections to the kubelet API.',
    labels: [],
  },
  kosmos_kubelet_refused_connections_total: {
    type: 'counter',
    help: 'Connections to the kubelet API that came to nothing: limit (there are too many), handshake (no TLS).',
    labels: ['reason'],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;

/** The table of docs/reference/metrics.md, or that of another program. */
export function renderMetricsTable(metrics: Readonly<Record<string, MetricSpec>> = METRICS): string {
  const rows = Object.entries(metrics).map(([name, { type, help, labels }]) => {
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${names === '' ? 'none' : names} | ${help} |`;
  });
  return ['| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}
