import { join } from 'node:path';
import { expect } from 'chai';
import { residentKiB } from '../../hack/bench/process-usage.js';
import { applyCrds, clusterManifest } from '../../hack/lab/federation.js';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import type { LabOptions } from '../../hack/lab/options.js';
import { inNamespace } from '../../hack/lab/network.js';
import { nodeFlagsOf } from '../../hack/lab/node-flags.js';
import { REPOSITORY } from '../../hack/lab/paths.js';
import { run, type CommandResult } from '../../hack/lab/run.js';
import type { LabProcess } from '../../hack/lab/supervisor.js';
import type { Cluster, ClusterLinkOptions } from '../../src/apis/kosmos/v1alpha1/cluster.js';
import { KOSMOS_NAMESPACE } from '../../src/apis/names.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { pods, services } from '../../src/kube/resource.js';
import { eventually } from './eventually.js';
import { Federation } from './federation.js';
import { ECHO_PORT } from './pod-echoes.js';
import { podProcess, runInPod } from './pod-process.js';
import { boundPod } from './workloads.js';
import { nodeNetwork } from './node-network.js';

const AGENT = join(REPOSITORY, 'dist/src/bin/agent.js');
const NAMESPACE = 'default';
const PORT = 8080;
const PING_MS = 20;
const ROUND_MS = 4_000;
/** Of the Service that {@link LinkedLab.startService} makes. */
export const SERVICE_PORT = 80;

/** A pod on a node of a cluster that answers HTTP. */
export interface LinkedPod {
  readonly cluster: string;
  readonly node: string;
  readonly name: string;
  readonly ips: readonly string[];
  /** Its process, as this machine numbers it. */
  readonly pid: number;
}

/** Full clusters whose networks are linked by a manager and an agent on every node; the host is one of them. */
export class LinkedLab {
  readonly federation: Federation;
  readonly #agents = new Map<string, LabProcess>();

  private constructor(federation: Federation) {
    this.federation = federation;
  }

  /** Boots everything; nothing is linked yet. */
  static async start(options: LabOptions & { readonly instance: string }): Promise<LinkedLab> {
    const federation = await Federation.boot({ full: true, ...options });
    const linked = new LinkedLab(federation);
    try {
      for (const member of federation.lab.members) {
        await applyCrds(federation.lab, member);
        // Where agents keep their Leases.
        await federation.namespace(KOSMOS_NAMESPACE, member.name);
      }
      await federation.startManager();
      for (const { name, machines } of federation.lab.clusters) {
        for (const machine of machines) await linked.startAgent(name, machine.name);
      }
      return linked;
    } catch (error) {
      await linked.down();
      throw error;
    }
  }

  /** All machines of all clusters. */
  get nodes(): readonly { readonly cluster: string; readonly node: string }[] {
    const { clusters: all } = this.federation.lab;
    return all.flatMap(({ name, machines }) => machines.map((machine) => ({ cluster: name, node: machine.name })));
  }

  async down(): Promise<void> {
    await this.federation.down();
  }

  async startAgent(cluster: string, node: string): Promise<void> {
    const { lab } = this.federation;
    const machine = lab.cluster(cluster).machines.find(({ name }) => name === node);
    const args = [
      ...['--enable-source-maps', ...nodeFlagsOf(AGENT), AGENT, '--cluster-name', cluster, '--node-name', node],
      ...['--kubeconfig', lab.cluster(cluster).kubeconfigPath, '--health-port', '0'],
      ...['--state-dir', join(machine?.directory ?? '', 'agent')],
    ];
    this.#agents.set(node, await lab.spawnIn(node, process.execPath, args));
  }

  /** As a crash would. */
  async killAgent(node: string): Promise<void> {
    const agent = this.#agents.get(node);
    agent?.kill('SIGKILL');
    await agent?.wait();
  }

  /** Kills the agent of a node and starts another one. */
  async restartAgent(cluster: string, node: string): Promise<void> {
    await this.killAgent(node);
    await this.startAgent(cluster, node);
  }

  /** The agent is gone, and nothing reaches the node any more. */
  async crashNode(node: string): Promise<void> {
    await this.killAgent(node);
    await this.onNode(node, 'ip', 'link', 'set', 'eth0', 'down');
  }

  /** Memory that the agent of a node has resident, in millions of bytes. */
  agentMemory(node: string): number {
    return (residentKiB(this.#agents.get(node)?.pid ?? 0) * 1024) / 1e6;
  }

  /** What the agent of a node has written since it was started last. */
  agentLog(node: string): string {
    return this.#agents.get(node)?.logFile ?? '';
  }

  /** Links a cluster, or changes how it is linked; the host is linked as a member of itself. */
  async link(name: string, options: ClusterLinkOptions): Promise<void> {
    const { federation } = this;
    const present = await federation.find('host', clusters, { name });
    if (present !== undefined) {
      const patch = { spec: { clusterLinkOptions: options } };
      await federation.host.patch(clusters, { name }, patch, { type: 'merge' });
      return;
    }
    const root = name === 'host';
    const annotations = root ? { 'kosmos.io/cluster-role': 'root' } : {};
    const manifest = await clusterManifest(federation.lab.cluster(name), { annotations, clusterLinkOptions: options });
    const { kubeconfig: _own, ...spec } = (manifest as Cluster).spec;
    await federation.host.create(clusters, root ? { ...(manifest as Cluster), spec } : (manifest as Cluster));
  }

  /** Waits until all nodes of the clusters have what is planned for them now. */
  async linked(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.federation.clusterCondition(name, 'ClusterLinkReady', 'True', 'Linked');
  }

  /** Starts a pod on each node of each cluster, and waits until all of them run. */
  async startPods(): Promise<readonly LinkedPod[]> {
    const { federation } = this;
    for (const { name } of federation.lab.clusters) await federation.namespace(NAMESPACE, name);
    for (const { cluster, node } of this.nodes) {
      await federation.client(cluster).create(pods, {
        metadata: { namespace: NAMESPACE, name: `on-${node}`, labels: { app: 'linked' } },
        spec: {
          nodeName: node,
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: LAB_IMAGES.http, ports: [{ containerPort: PORT }] }],
        },
      });
    }
    return Promise.all(
      this.nodes.map(async ({ cluster, node }) => {
        const name = `on-${node}`;
        const pod = await federation.runningPod(cluster, { namespace: NAMESPACE, name });
        const ips = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
        return { cluster, node, name, ips, pid: podProcess(pod.metadata?.uid ?? '') };
      }),
    );
  }

  /** Starts a pod of the host in a member, which answers HTTP, and returns its addresses as the host has them. */
  async startPodIn(member: string, app: string): Promise<readonly string[]> {
    const { federation } = this;
    const containers = [{ name: 'main', image: LAB_IMAGES.http, ports: [{ containerPort: PORT }] }];
    const options = { namespace: NAMESPACE, name: app, labels: { app }, spec: { containers } };
    await federation.host.create(pods, boundPod(`kosmos-${member}`, options));
    const pod = await federation.runningPod('host', { namespace: NAMESPACE, name: app });
    return (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  }

  /** What a pod gets for an HTTP request; throws when there is no answer. */
  async fetch(from: LinkedPod, address: string, path = '/cgi-bin/echo', port = PORT): Promise<string> {
    const host = address.includes(':') ? `[${address}]` : address;
    const command = ['timeout', '3', 'wget', '-qO-', `http://${host}:${port}${path}`];
    return (await this.inPod(from, ...command)).stdout;
  }

  inPod(pod: LinkedPod, ...command: readonly string[]): Promise<CommandResult> {
    return runInPod(pod.pid, command);
  }

  cluster(name: string): Promise<Cluster> {
    return this.federation.host.get(clusters, { name });
  }

  /** For how long no ping of a pod came through while something happened, in milliseconds; to a precision of 20. */
  async lostDuring(from: LinkedPod, address: string, durationMs: number, happen: () => Promise<void>): Promise<number> {
    const count = Math.round(durationMs / PING_MS);
    const command = `ping -q -c ${count} -i ${PING_MS / 1000} -W 1 ${address} || true`;
    const limits = { timeoutMs: durationMs * 2 + 30_000 };
    const [{ stdout }] = await Promise.all([runInPod(from.pid, ['sh', '-c', command], limits), happen()]);
    const [, sent = '', received = ''] = /(\d+) packets transmitted, (\d+) packets received/.exec(stdout) ?? [];
    expect(Number(sent), stdout).to.equal(count);
    return (count - Number(received)) * PING_MS;
  }

  /** The same for as long as something takes. */
  async lostWhile(from: LinkedPod, address: string, happen: () => Promise<void>): Promise<number> {
    let [isOver, lost] = [false, 0];
    const happening = happen().finally(() => (isOver = true));
    const pinging = async (): Promise<void> => {
      while (!isOver) lost += await this.lostDuring(from, address, ROUND_MS, () => Promise.resolve());
    };
    await Promise.all([happening, pinging()]);
    return lost;
  }

  /** Makes a Service for the pods with a label `app` of a cluster, and returns its addresses. */
  async startService(cluster: string, app = 'linked'): Promise<readonly string[]> {
    const made = await this.federation.client(cluster).create(services, {
      metadata: { namespace: NAMESPACE, name: app },
      spec: {
        selector: { app },
        ipFamilyPolicy: 'PreferDualStack',
        ports: [
          { name: 'http', port: SERVICE_PORT, targetPort: PORT },
          { name: 'echo', port: ECHO_PORT, protocol: 'UDP' },
        ],
      },
    });
    return made.spec?.clusterIPs ?? [];
  }

  /** Waits until the kernel has tried out all addresses: each brings routes along only then. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const tentative = await Promise.all(
        this.nodes.map(({ node }) => this.onNode(node, 'ip', '-6', '-o', 'address', 'show', 'tentative')),
      );
      expect(tentative.join('')).to.equal('');
    });
  }

  /** What of a node's network is there now; two of these are equal when nothing was left behind. */
  networkOf(node: string): Promise<string> {
    return nodeNetwork(this.federation.lab, node);
  }

  /** Runs a command in the network namespace of a node. */
  async onNode(node: string, ...command: readonly [string, ...string[]]): Promise<string> {
    const [program, ...args] = command;
    return (await run(...inNamespace(this.federation.lab.namespaceOf(node), program, args))).stdout;
  }

  /** Waits until the pod gets an answer, and returns it. */
  reaches(from: LinkedPod, address: string, port = PORT): Promise<string> {
    return eventually(() => this.fetch(from, address, '/cgi-bin/echo', port), { timeoutMs: 20_000, intervalMs: 300 });
  }
}
