import { MANAGER, MANAGER_SELECTOR, namespaced } from './labels.js';
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

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
}

/** What somebody should look at. Names of metrics are those of docs/reference/metrics.md. */
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
    alert: 'KosmosEventsDropped',
    expr: 'sum(rate(kosmos_events_dropped_total{reason!="rateLimit"}[15m])) > 0',
    for: '30m',
    severity: 'warning',
    summary: 'Events are not written to the host.',
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
