import type { Pod } from '../../apis/core.js';
import type { NodeEndpoint, NodeRoutes, ServedNode } from './endpoint.js';

/**
 * `/pods`: the host's pods that are bound to the node, as a kubelet lists what it was given. `/runningpods/`: those that
 * run in the member and are meant to: a pod that is being deleted, or has ended, is left out.
 */
export const podLists: NodeEndpoint = {
  register: (routes: NodeRoutes) => {
    routes.get('/pods', (node, { response }) => void response.json(podList(node.hostPods())));
    routes.get('/runningpods', (node, { response }) => void response.json(podList(runningPods(node))));
  },
};

/** The pods that run in the member by the host's intent. */
export function runningPods(node: ServedNode): readonly Pod[] {
  return node.hostPods().filter((pod) => {
    const isMeant = pod.metadata?.deletionTimestamp === undefined;
    return isMeant && node.memberPod(pod)?.status?.phase === 'Running';
  });
}

function podList(items: readonly Pod[]): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}
