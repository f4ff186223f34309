import type { Container, Pod } from '../../src/apis/core.js';
import type { ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { encodeReport, type Outcome, type ProbePlan, type ProbeTarget } from '../../src/clusterlink/floater/plan.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { nodes, pods, secrets, services } from '../../src/kube/resource.js';
import { CliFederation, NAMESPACE } from './cli-federation.js';
import type { FakeKubeClient } from './fake-kube-client.js';

/** How a probe from a node ends; undefined when the pod never says. */
export type Judge = (
  from: string,
  target: ProbeTarget,
  probe: ProbeTarget['probes'][number],
) => Outcome | undefined | 'silent';

/**
 * Two linked clusters in memory, whose kubelets start floaters at once and play what their probes find: `host` with the
 * nodes h1 and h2, and `member1` with the node m1.
 */
export class FloaterWorld {
  readonly federation: CliFederation;
  judge: Judge = () => undefined;
  /** Status of the floater on a node, instead of a running one. */
  readonly floaters = new Map<string, object>();
  /** How many probe pods were there at the same time at most. */
  mostProbes = 0;

  private constructor(federation: CliFederation) {
    this.federation = federation;
  }

  static async start(): Promise<FloaterWorld> {
    const federation = await CliFederation.start();
    const world = new FloaterWorld(federation);
    const { host, member } = federation;
    for (const [index, name] of ['h1', 'h2'].entries()) host.seed(nodes, readyNode(name, index));
    host.seed(nodes, { metadata: { name: 'kosmos-member1', labels: { 'kosmos.io/node': 'true' } } });
    member.seed(nodes, readyNode('m1', 9));
    world.link('host', { annotations: { 'kosmos.io/cluster-role': 'root' } });
    world.link('member1', {}, { kubeconfigSecretRef: { name: 'member1', namespace: NAMESPACE } });
    const kubeconfig = Buffer.from(federation.memberServer.kubeconfig()).toString('base64');
    host.seed(secrets, { metadata: { namespace: NAMESPACE, name: 'member1' }, data: { kubeconfig } });
    federation.clock.meanwhile = () => {
      world.#play(host, 1);
      world.#play(member, 2);
    };
    return world;
  }

  link(name: string, metadata: object, spec: object = {}, options: ClusterLinkOptions = {}): void {
    const condition = { type: 'ClusterLinkReady', status: 'True', reason: 'Linked', message: '' };
    if (this.federation.host.peek(clusters, { name }) !== undefined) this.federation.host.erase(clusters, { name });
    this.federation.host.seed(clusters, {
      metadata: { name, ...metadata },
      spec: { ...spec, clusterLinkOptions: { ipFamily: 'ipv4', ...options } },
      status: { conditions: [{ ...condition, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    });
  }

  close(): Promise<void> {
    return this.federation.close();
  }

  #play(client: FakeKubeClient, cluster: number): void {
    for (const service of client.peekAll(services)) {
      if (service.spec?.clusterIPs !== undefined) continue;
      const ref = { namespace: service.metadata?.namespace, name: service.metadata?.name ?? '' };
      client.edit(services, ref, { spec: { clusterIPs: [`10.${100 + cluster}.0.1`] } });
    }
    const all = client.peekAll(pods);
    this.mostProbes = Math.max(
      this.mostProbes,
      all.filter(({ metadata }) => metadata?.name?.startsWith('probe')).length,
    );
    for (const [index, pod] of all.entries()) this.#playPod(client, pod, `10.${cluster}.${index}.2`);
  }

  #playPod(client: FakeKubeClient, pod: Pod, ip: string): void {
    const { namespace, name = '', deletionTimestamp } = pod.metadata ?? {};
    const { nodeName, containers } = pod.spec ?? {};
    if (deletionTimestamp !== undefined) client.erase(pods, { namespace, name });
    if (deletionTimestamp !== undefined || nodeName === undefined || hasBegun(pod)) return;
    const status = name.startsWith('floater')
      ? (this.floaters.get(nodeName) ?? readyStatus(ip))
      : this.#probe(client, `/api/v1/namespaces/${namespace}/pods/${name}/log`, nodeName, containers?.[0]);
    client.edit(pods, { namespace, name }, { status });
  }

  /** What a pod with a plan does. */
  #probe(client: FakeKubeClient, logPath: string, node: string, container: Container | undefined): object {
    const plan = JSON.parse(container?.env?.[0]?.value ?? '') as ProbePlan;
    client.paths.set(logPath, plan.targets.map((target) => this.#report(node, target)).join(''));
    return { phase: 'Succeeded' };
  }

  #report(from: string, target: ProbeTarget): string {
    const said = target.probes.map((probe) => [probe, this.judge(from, target, probe)] as const);
    if (said.some(([, outcome]) => outcome === 'silent')) return '';
    const outcomes = said.map(([probe, outcome]) => [probe, outcome ?? well(probe)]);
    return encodeReport({ id: target.id, outcomes: Object.fromEntries(outcomes) as Record<string, Outcome> });
  }
}

function hasBegun({ status }: Pod): boolean {
  return status?.phase === 'Running' || status?.phase === 'Succeeded';
}

function readyStatus(ip: string): object {
  return { phase: 'Running', podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] };
}

function well(probe: string): Outcome {
  return probe === 'mtu' ? { ok: true, bytes: 1450 } : { ok: true, ms: 0.5 };
}

function readyNode(name: string, index: number): object {
  return {
    metadata: { name },
    spec: { podCIDR: `10.${index}.0.0/24` },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}
