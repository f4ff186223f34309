import type { Pod } from '../../src/apis/core.js';
import type { OwnPod, OwnPods } from '../../src/clustertree/kubelet/stats/own-pods.js';
import { ownPods } from '../../src/clustertree/kubelet/stats/own-pods.js';
import { ownPod } from './member-harness.js';

/** A pod that both sides have; its UIDs are `host-<name>` and `member-<name>`. */
export function statsPod(name: string, memberNode = 'n1', more: Partial<Pod> = {}): { host: Pod; member: Pod } {
  const uid = `host-${name}`;
  const member = ownPod(`shop/${name}`, uid, { ...more, metadata: { uid: `member-${name}`, ...more.metadata } });
  return {
    host: { metadata: { namespace: 'shop', name, uid }, spec: { nodeName: 'kosmos-member1', containers: [] } },
    member: { ...member, spec: { containers: [], ...member.spec, nodeName: memberNode } },
  };
}

/** What {@link ownPods} makes of such pods. */
export function statsPods(...pods: readonly { host: Pod; member: Pod }[]): OwnPods {
  return ownPods({
    hostPods: () => pods.map(({ host }) => host),
    memberPod: (hostPod) => pods.find(({ host }) => host === hostPod)?.member,
  });
}

/** The pod as the figures know it. */
export function ownPodOf(name: string, memberNode = 'n1'): OwnPod {
  return { namespace: 'shop', name, hostUid: `host-${name}`, memberUid: `member-${name}`, memberNode };
}

/** Status of a pod whose containers run since then. */
export function startedAt(startedAt: string, ...names: readonly string[]): Pick<Pod, 'status'> {
  const containerStatuses = names.map((name) => ({
    ...{ name, image: 'app:1', imageID: '', ready: true, restartCount: 0 },
    state: { running: { startedAt } },
  }));
  return { status: { phase: 'Running', containerStatuses } };
}

/** What a kubelet shows at `/metrics/resource`: its node, and pods with one container `app`. */
export function kubeletText(
  node: { readonly seconds: number; readonly bytes: number; readonly timeMs: number; readonly error?: number },
  pods: Readonly<Record<string, number>> = {},
): string {
  const lines = [
    '# HELP container_cpu_usage_seconds_total [STABLE] Cumulative',
    '# TYPE container_cpu_usage_seconds_total counter',
    ...Object.entries(pods).map(
      ([name, seconds]) =>
        `container_cpu_usage_seconds_total{container="app",namespace="shop",pod="${name}"} ${seconds} ${node.timeMs}`,
    ),
    '# HELP node_cpu_usage_seconds_total [STABLE] Cumulative',
    '# TYPE node_cpu_usage_seconds_total counter',
    `node_cpu_usage_seconds_total ${node.seconds} ${node.timeMs}`,
    '# HELP node_memory_working_set_bytes [STABLE] Current',
    '# TYPE node_memory_working_set_bytes gauge',
    `node_memory_working_set_bytes ${node.bytes} ${node.timeMs}`,
    '# HELP resource_scrape_error [STABLE] 1 if',
    '# TYPE resource_scrape_error gauge',
    `resource_scrape_error ${node.error ?? 0}`,
  ];
  return `${lines.join('\n')}\n`;
}
