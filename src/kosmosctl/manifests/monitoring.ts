import { AGENT, AGENT_LABELS, AGENT_SELECTOR, MANAGER, MANAGER_SELECTOR, namespaced } from './labels.js';
import { value, type TemplateMap } from './template.js';

const API = 'monitoring.coreos.com/v1';

/** Each pod by itself: their figures differ. */
export const POD_MONITOR: TemplateMap = {
  apiVersion: API,
  kind: 'PodMonitor',
  metadata: namespaced(MANAGER),
  spec: {
    namespaceSelector: { matchNames: [value('namespace')] },
    selector: { matchLabels: MANAGER_SELECTOR },
    podMetricsEndpoints: [{ port: 'health', path: '/metrics', interval: '30s' }],
  },
};

/** The agents of the host's own nodes. */
export const AGENT_POD_MONITOR: TemplateMap = {
  apiVersion: API,
  kind: 'PodMonitor',
  metadata: namespaced(AGENT, AGENT_LABELS),
  spec: {
    namespaceSelector: { matchNames: [value('namespace')] },
    selector: { matchLabels: AGENT_SELECTOR },
    podMetricsEndpoints: [{ port: 'health', path: '/metrics', interval: '30s' }],
  },
};

/** What the leader alone knows, and one that has lost the leadership goes on telling as it was. */
const AS_LEADER = 'and on (instance) kosmos_leader == 1';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
}

/** What somebody should look at. Metrics are those of docs/reference/metrics.md and agent-metrics.md. */
export const ALERTS: readonly Alert[] = [
  {
    alert: 'KosmosNoLeader',
    expr: 'absent(kosmos_leader) or sum(kosmos_leader) < 1',
    for: '2m',
    severity: 'critical',
    summary: "No manager leads: pods don't move between the host and its members.",
  },
  {
    alert: 'KosmosMemberRequestsFail',
    expr: 'sum by (cluster) (rate(kosmos_api_requests_total{code!~"2..|404|409"}[5m])) / sum by (cluster) (rate(kosmos_api_requests_total[5m])) > 0.1',
    for: '10m',
    severity: 'warning',
    summary: 'More than a tenth of the requests to {{ $labels.cluster }} fail.',
  },
  {
    alert: 'KosmosQueueGrows',
    expr: 'max by (cluster, controller) (kosmos_workqueue_depth) > 500',
    for: '10m',
    severity: 'warning',
    summary: 'The queue {{ $labels.controller }} of {{ $labels.cluster }} has not been short for ten minutes.',
  },
  {
    alert: 'KosmosTokenExpires',
    expr: 'min by (cluster) (kosmos_token_expiry_seconds) < 120',
    for: '5m',
    severity: 'critical',
    summary: 'Tokens of pods in {{ $labels.cluster }} are not renewed and end soon.',
  },
  {
    alert: 'KosmosMemberTokenExpires',
    expr: `min by (cluster) ((kosmos_member_token_expiry_timestamp_seconds ${AS_LEADER}) - time()) < 86400`,
    for: '15m',
    severity: 'critical',
    summary:
      "The managers' token for {{ $labels.cluster }} is not renewed and ends within a day; then the member has to be joined again.",
  },
  {
    alert: 'KosmosEventsDropped',
    expr: 'sum(rate(kosmos_events_dropped_total{reason!="rateLimit"}[15m])) > 0',
    for: '30m',
    severity: 'warning',
    summary: 'Events are not written to the host.',
  },
  {
    alert: 'KosmosLinkNoGateway',
    expr: `max by (cluster) (kosmos_link_condition{reason="NoGateway"} ${AS_LEADER}) == 1`,
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.cluster }} has no gateway: other clusters do not reach its network.',
  },
  {
    alert: 'KosmosLinkPlanProblem',
    expr: `max by (cluster) (kosmos_link_condition{reason=~"PlanProblem|CIDRsMissing|InvalidSpec"} ${AS_LEADER}) == 1`,
    for: '5m',
    severity: 'warning',
    summary: 'The network of {{ $labels.cluster }} can not be planned as it is; kosmosctl describe cluster says why.',
  },
  {
    alert: 'KosmosLinkNodesNotReady',
    expr: `min by (cluster) (kosmos_link_nodes{state="ready"} - ignoring (state) kosmos_link_nodes{state="total"} ${AS_LEADER}) < 0`,
    for: '15m',
    severity: 'warning',
    summary: 'Nodes of {{ $labels.cluster }} do not have the network that is planned for them.',
  },
  {
    alert: 'KosmosLinkGatewayFlaps',
    expr: 'sum by (cluster) (increase(kosmos_link_gateway_changes_total[1h])) > 4',
    for: '5m',
    severity: 'warning',
    summary: 'The gateway of {{ $labels.cluster }} has changed more than four times in an hour.',
  },
  {
    alert: 'KosmosLinkPeerDown',
    expr: 'min by (instance, peer) (kosmos_agent_peer_up) == 0',
    for: '2m',
    severity: 'critical',
    summary: '{{ $labels.instance }} does not reach {{ $labels.peer }} through the tunnel.',
  },
  {
    alert: 'KosmosLinkPeerLoss',
    expr: 'max by (instance, peer) (avg_over_time(kosmos_agent_peer_loss[5m])) > 0.05',
    for: '10m',
    severity: 'warning',
    summary: 'More than 5 % of the probes from {{ $labels.instance }} to {{ $labels.peer }} are lost.',
  },
  {
    alert: 'KosmosAgentDrift',
    expr: 'sum by (instance) (increase(kosmos_agent_drift_repaired_total[10m])) > 10',
    for: '20m',
    severity: 'warning',
    summary: 'Something on {{ $labels.instance }} changes again and again what the agent has set up.',
  },
  {
    alert: 'KosmosAgentErrors',
    expr: 'max by (instance) (kosmos_agent_errors) > 0',
    for: '5m',
    severity: 'warning',
    summary:
      'The agent on {{ $labels.instance }} can not apply all of its config; the status of the NodeConfig says what.',
  },
  {
    alert: 'KosmosAgentConfigStale',
    expr: 'max by (instance) (kosmos_agent_config_stale) == 1',
    for: '15m',
    severity: 'warning',
    summary:
      'The agent on {{ $labels.instance }} does not see its API server, and applies the config that it last knew.',
  },
];

export const ALERT_RULES: TemplateMap = {
  apiVersion: API,
  kind: 'PrometheusRule',
  metadata: namespaced(MANAGER),
  spec: {
    groups: [
      {
        name: 'kosmos',
        rules: ALERTS.map(({ alert, expr, for: duration, severity, summary }) => ({
          alert,
          expr,
          for: duration,
          labels: { severity },
          annotations: { summary },
        })),
      },
    ],
  },
};
