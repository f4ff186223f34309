import { expect } from 'chai';
import type { Pod } from '../../../src/apis/core.js';
import type { NodeMetrics, PodMetrics } from '../../../src/apis/metrics.js';
import type { Summary } from '../../../src/apis/stats.js';
import { nodeMetrics, podMetrics } from '../../../src/kube/metrics-resources.js';
import { nodes, pods, type ResourceType } from '../../../src/kube/resource.js';
import { eventually } from '../../support/eventually.js';
import type { Federation } from '../../support/federation.js';
import { ONE_LIGHT_MEMBER, sharedFederation } from '../../support/shared-lab.js';
import { virtualPod } from '../../support/workloads.js';

const NODE = 'kosmos-member1';
const NAMESPACE = 'figures';
const WINDOW_SECONDS = 10;

/** A kind of metrics.k8s.io as a custom resource, so that the test decides what is measured. */
function definition({ kind, plural, namespaced }: ResourceType<NodeMetrics | PodMetrics>): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    metadata: {
      name: `${plural}.metrics.k8s.io`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
    },
    spec: {
      ...{ group: 'metrics.k8s.io', scope: namespaced ? 'Namespaced' : 'Cluster' },
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1beta1', served: true, storage: true, schema }],
    },
  };
}

describe('figures of a member that has no kubelets', () => {
  let federation: Federation;
  let memberNodes: readonly string[];
  /** The clock of the member's metrics, an hour ahead of the one here. */
  let nowMs = Math.floor(Date.now() / 1000) * 1000 + 3_600_000;

  before(async function () {
    this.timeout(120_000);
    federation = await sharedFederation(ONE_LIGHT_MEMBER);
    const { items } = await federation.client('member1').list(nodes);
    memberNodes = items.map(({ metadata }) => metadata?.name ?? '');
    await federation.namespace(NAMESPACE);
  });

  const raw = async (path: string, allowFailure = false): Promise<{ stdout: string; stderr: string }> =>
    federation.lab.host.kubectl(['get', '--raw', `/api/v1/nodes/${NODE}/proxy${path}`], { allowFailure });
  const summary = async (): Promise<Summary> => JSON.parse((await raw('/stats/summary')).stdout) as Summary;

  /** The value of a series; undefined when it is not shown. */
  async function valueOf(series: string): Promise<number | undefined> {
    const lines = (await raw('/metrics/resource')).stdout.split('\n');
    const value = lines.find((line) => line.startsWith(`${series} `))?.split(' ')[1];
    return value === undefined ? undefined : Number(value);
  }

  async function expectValue(series: string, value: number | undefined): Promise<void> {
    const check = async (): Promise<void> => void expect(await valueOf(series), series).to.equal(value);
    await eventually(check, { intervalMs: 500 });
  }

  const measured = (): { timestamp: string; window: string } => ({
    timestamp: new Date(nowMs).toISOString(),
    window: `${WINDOW_SECONDS}s`,
  });

  async function measureNode(name: string, cpu: string, memory = '1Gi'): Promise<void> {
    const { apiVersion, kind } = nodeMetrics;
    const object = { apiVersion, kind, metadata: { name }, usage: { cpu, memory }, ...measured() };
    await federation.lab.cluster('member1').kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  }

  async function measurePod(pod: Pod, name: string, cpu: string): Promise<void> {
    const { apiVersion, kind } = podMetrics;
    const metadata = { namespace: NAMESPACE, name, labels: pod.metadata?.labels };
    const containers = [{ name: 'main', usage: { cpu, memory: '64Mi' } }];
    const object = { apiVersion, kind, metadata, containers, ...measured() };
    await federation.lab.cluster('member1').kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  }

  it('are missing, and said to be, while the member has no metrics API either', async () => {
    const { stdout } = await raw('/metrics/resource');
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).to.deep.equal([
      'resource_scrape_error 1',
    ]);
    expect((await raw('/stats/summary', true)).stderr).to.contain('ServiceUnavailable');
    expect((await raw('/metrics/cadvisor', true)).stderr).to.contain('NotFound');
  });

  it('appear with the metrics API: those of the node are the sums of the nodes behind', async () => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [nodeMetrics, podMetrics].map(definition) });
    const member = federation.lab.cluster('member1');
    await member.kubectl(['apply', '-f', '-'], { input });
    await eventually(() => federation.client('member1').list(podMetrics));
    for (const name of memberNodes) await measureNode(name, '500m');
    await expectValue('node_memory_working_set_bytes', 2 * 2 ** 30);
    expect(await valueOf('node_cpu_usage_seconds_total')).to.be.greaterThan(0);
  });

  it('count CPU on by the rates that are measured, whatever the clock of the member says', async () => {
    const before = (await valueOf('node_cpu_usage_seconds_total')) ?? 0;
    nowMs += 60_000;
    for (const name of memberNodes) await measureNode(name, '250m');
    await expectValue('node_cpu_usage_seconds_total', before + 2 * 0.25 * 60);
    expect((await summary()).node.cpu).to.include({ time: new Date(nowMs).toISOString(), usageNanoCores: 500_000_000 });
  });

  it('are shown of own pods, under the UID of the host, and of no others', async () => {
    await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'web' }));
    const ref = { namespace: NAMESPACE, name: 'web' };
    const { metadata } = await federation.runningPod('host', ref);
    const memberPod = await federation.runningPod('member1', ref);
    await measurePod(memberPod, 'web', '100m');
    await measurePod({ metadata: { labels: { app: 'web' } } }, 'foreign', '100m');
    const labels = `container="main",namespace="${NAMESPACE}",pod="web"`;
    await expectValue(`container_cpu_usage_seconds_total{${labels}}`, 0.1 * WINDOW_SECONDS);
    const { pods: found } = await summary();
    expect(found.map(({ podRef }) => podRef)).to.deep.equal([{ ...ref, uid: metadata?.uid }]);
    expect(found[0]?.startTime).to.equal(
      new Date(Date.parse(memberPod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? '')).toISOString(),
    );
  });

  it('do not fall back when a node is measured no more', async () => {
    const before = await valueOf('node_cpu_usage_seconds_total');
    const [gone = ''] = memberNodes;
    await federation.client('member1').delete(nodeMetrics, { name: gone });
    await expectValue('node_memory_working_set_bytes', 2 ** 30);
    expect(await valueOf('node_cpu_usage_seconds_total')).to.equal(before);
    expect(await valueOf('resource_scrape_error')).to.equal(1);
  });

  it('go with the pod', async () => {
    await federation.host.delete(pods, { namespace: NAMESPACE, name: 'web' }, { gracePeriodSeconds: 0 });
    await federation.podGone('host', { namespace: NAMESPACE, name: 'web' });
    await expectValue(`pod_cpu_usage_seconds_total{namespace="${NAMESPACE}",pod="web"}`, undefined);
    expect((await summary()).pods).to.deep.equal([]);
  });
});
