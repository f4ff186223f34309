import type { ContainerStatus } from '../../apis/core.js';
import type { NodeEndpoint, NodeRoutes, ServedNode } from './endpoint.js';
import { runningPods } from './pod-lists.js';
import { renderExposition, renderLabels, type MetricFamily } from './stats/exposition.js';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const STATES = ['created', 'exited', 'running', 'unknown'] as const;

/**
 * `/metrics`: of a kubelet's own metrics those that are about the node's pods, so that what scrapes all kubelets finds one
 * here too. Those of the manager itself are at its own `/metrics`.
 */
export const nodeMetrics: NodeEndpoint = {
  register: (routes: NodeRoutes) => {
    routes.get('/metrics', (node, { response }) => {
      response
        .status(200)
        .type(CONTENT_TYPE)
        .send(renderExposition(familiesOf(node)));
    });
  },
};

function familiesOf(node: ServedNode): readonly MetricFamily[] {
  const running = runningPods(node);
  const states = running.flatMap((pod) => node.memberPod(pod)?.status?.containerStatuses ?? []).map(stateOf);
  const ofState = (state: string): readonly [Record<string, string>, number] => [
    { container_state: state },
    states.filter((one) => one === state).length,
  ];
  return [
    gauge('kubelet_node_name', 'The name of the node; always 1.', [[{ node: node.name }, 1]]),
    gauge('kubelet_running_pods', 'Pods that run.', [[{}, running.length]]),
    gauge('kubelet_running_containers', 'Containers of pods that run, by their state.', STATES.map(ofState)),
  ];
}

function stateOf({ state }: ContainerStatus): (typeof STATES)[number] {
  if (state?.running) return 'running';
  if (state?.terminated) return 'exited';
  return state?.waiting ? 'created' : 'unknown';
}

function gauge(
  name: string,
  help: string,
  values: readonly (readonly [Record<string, string>, number])[],
): MetricFamily {
  const samples = values.map(([labels, value]) => {
    return { name, labels: renderLabels(labels), value: String(value), timestampMs: undefined };
  });
  return { name, type: 'gauge', help, samples };
}
