import type { Node } from '../../src/apis/core.js';
import type { Cluster } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { leases, namespaces, nodes } from '../../src/kube/resource.js';
import { runInProcess, type CliHarnessOptions, type CliResult } from './cli-harness.js';
import { FakeKubeClient } from './fake-kube-client.js';
import { HastyClock } from './hasty-clock.js';
import { ServedClient } from './served-client.js';

export const HOST_UID = 'host-uid';
export const MEMBER_UID = 'member-uid';
export const NAMESPACE = 'kosmos-system';

/** A host and a member in memory, and the command line before them: `/host.yaml` and `/member.yaml` are their kubeconfigs. */
export class CliFederation {
  readonly clock = new HastyClock();
  readonly host: FakeKubeClient;
  readonly member: FakeKubeClient;
  readonly hostServer: ServedClient;
  readonly memberServer: ServedClient;

  private constructor(host: ServedClient, member: ServedClient, clock: HastyClock) {
    this.clock = clock;
    this.hostServer = host;
    this.memberServer = member;
    this.host = host.fake;
    this.member = member.fake;
  }

  static async start(): Promise<CliFederation> {
    const clock = new HastyClock();
    const [host, member] = await Promise.all([
      ServedClient.start(new FakeKubeClient({ clock })),
      ServedClient.start(new FakeKubeClient({ clock })),
    ]);
    host.fake.seed(namespaces, { metadata: { name: 'kube-system', uid: HOST_UID } });
    member.fake.seed(namespaces, { metadata: { name: 'kube-system', uid: MEMBER_UID } });
    for (const { fake } of [host, member]) fake.paths.set('/version', JSON.stringify({ gitVersion: 'v1.36.3' }));
    return new CliFederation(host, member, clock);
  }

  /** Runs a command; the host is that of `KUBECONFIG`. */
  run(line: string, options: CliHarnessOptions = {}): Promise<CliResult> {
    const { files = {}, ...more } = options;
    const all = files as Record<string, string>;
    all['/host.yaml'] ??= this.hostServer.kubeconfig();
    all['/member.yaml'] ??= this.memberServer.kubeconfig();
    return runInProcess(line.split(' '), {
      ...{ environment: { KUBECONFIG: '/host.yaml' }, clock: this.clock },
      ...more,
      files: all,
    });
  }

  /** A manager that leads. */
  elect(): void {
    const metadata = { namespace: NAMESPACE, name: 'kosmos-manager' };
    this.host.seed(leases, { metadata, spec: { holderIdentity: 'manager-0' } });
  }

  async close(): Promise<void> {
    await Promise.all([this.hostServer.close(), this.memberServer.close()]);
  }
}

/** A Cluster whose condition `Ready` is as given: status, reason, message. */
export function clusterOf(
  name: string,
  ready?: readonly [status: string, reason: string, message?: string],
  more: Partial<Cluster> = {},
): Cluster {
  const lastTransitionTime = '2025-12-31T23:00:00Z';
  const conditions =
    ready === undefined
      ? []
      : [{ type: 'Ready', status: ready[0] as 'True', reason: ready[1], message: ready[2] ?? '', lastTransitionTime }];
  const spec = { kubeconfigSecretRef: { name: `kosmos-member-${name}`, namespace: NAMESPACE } };
  const { status, ...others } = more;
  return { metadata: { name }, spec, ...others, status: { conditions, ...status } };
}

/** A virtual node. */
export function virtualNode(name: string, cluster: string, ready = 'True', more: Partial<Node> = {}): Node {
  const { status, ...others } = more;
  return {
    metadata: { name, labels: { 'kosmos.io/node': 'true', 'kosmos.io/cluster': cluster } },
    ...others,
    status: { conditions: [{ type: 'Ready', status: ready }], ...status },
  };
}

/** Puts a Cluster with its only virtual node in place, both ready. */
export function seedReady(host: FakeKubeClient, name: string): void {
  const status = { clusterTreeStatus: { leafNodeItems: [{ leafNodeName: `kosmos-${name}` }] } };
  host.seed(clusters, clusterOf(name, ['True', 'AllWell'], { status: status }));
  host.seed(nodes, virtualNode(`kosmos-${name}`, name));
}
