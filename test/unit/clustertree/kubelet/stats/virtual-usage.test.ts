import { expect } from 'chai';
import { CounterSum } from '../../../../../src/clustertree/kubelet/stats/counter-sum.js';
import { renderExposition } from '../../../../../src/clustertree/kubelet/stats/exposition.js';
import type { ContainerUsage, Usage } from '../../../../../src/clustertree/kubelet/stats/member-usage.js';
import { usageFamilies } from '../../../../../src/clustertree/kubelet/stats/usage-families.js';
import { usageSummary } from '../../../../../src/clustertree/kubelet/stats/usage-summary.js';
import { virtualUsage, type VirtualUsage } from '../../../../../src/clustertree/kubelet/stats/virtual-usage.js';
import { ownPodOf, statsPod, statsPods } from '../../../../support/stats.js';

const used = (cpuSeconds: number, cores: number, workingSetBytes: number, timestampMs: number): Usage => ({
  ...{ cpuSeconds, cores, workingSetBytes, timestampMs },
});
const container = (name: string, usage: Usage, startedMs?: number): ContainerUsage => ({ name, startedMs, ...usage });

const NODES = new Map([
  ['n1', used(10, 1, 100, 10_000)],
  ['n2', used(20, 2, 200, 12_000)],
  ['n3', used(40, 4, 400, 14_000)],
]);
const PODS = new Map([
  [
    'member-web',
    [container('app', used(3, 0.3, 30, 10_000), 5_000), container('proxy', used(1, 0.1, 10, 10_000), 4_000)],
  ],
  ['member-other', [container('app', used(9, 9, 9, 9))]],
]);

function ofNode(behind: readonly string[], cpu = new CounterSum()): VirtualUsage {
  const pods = statsPods(statsPod('web'), statsPod('new'));
  return virtualUsage({ usage: { nodes: NODES, pods: PODS }, behind, pods, cpu });
}

describe('virtualUsage', () => {
  it('adds up the nodes behind the virtual node, and no others', () => {
    expect(ofNode(['n1', 'n2']).node).to.deep.equal(used(30, 3, 300, 11_000));
  });

  it('knows nothing of the node when no node behind has figures', () => {
    expect(ofNode(['n9']).node).to.equal(undefined);
    expect(ofNode([]).node).to.equal(undefined);
  });

  it('counts a node that came later from then on', () => {
    const cpu = new CounterSum();
    ofNode(['n1'], cpu);
    expect(ofNode(['n1', 'n3'], cpu).node?.cpuSeconds).to.equal(10);
  });

  it('has the pods of the virtual node that have figures, each as the sum of its containers', () => {
    const { pods } = ofNode(['n1']);
    expect(pods).to.have.length(1);
    expect(pods[0]?.pod).to.deep.equal(ownPodOf('web'));
    expect(pods[0]).to.deep.include({ cpuSeconds: 4, cores: 0.4, workingSetBytes: 40, timestampMs: 10_000 });
  });
});

describe('usageFamilies', () => {
  it('shows what kubelet shows at /metrics/resource, swap excepted', () => {
    const lines = renderExposition(usageFamilies(ofNode(['n1', 'n2']))).split('\n');
    expect(lines.filter((line) => line !== '' && !line.startsWith('# HELP'))).to.deep.equal([
      '# TYPE container_cpu_usage_seconds_total counter',
      'container_cpu_usage_seconds_total{container="app",namespace="shop",pod="web"} 3 10000',
      'container_cpu_usage_seconds_total{container="proxy",namespace="shop",pod="web"} 1 10000',
      '# TYPE container_memory_working_set_bytes gauge',
      'container_memory_working_set_bytes{container="app",namespace="shop",pod="web"} 30 10000',
      'container_memory_working_set_bytes{container="proxy",namespace="shop",pod="web"} 10 10000',
      '# TYPE container_start_time_seconds gauge',
      'container_start_time_seconds{container="app",namespace="shop",pod="web"} 5',
      'container_start_time_seconds{container="proxy",namespace="shop",pod="web"} 4',
      '# TYPE node_cpu_usage_seconds_total counter',
      'node_cpu_usage_seconds_total 30 11000',
      '# TYPE node_memory_working_set_bytes gauge',
      'node_memory_working_set_bytes 300 11000',
      '# TYPE pod_cpu_usage_seconds_total counter',
      'pod_cpu_usage_seconds_total{namespace="shop",pod="web"} 4 10000',
      '# TYPE pod_memory_working_set_bytes gauge',
      'pod_memory_working_set_bytes{namespace="shop",pod="web"} 40 10000',
    ]);
  });

  it('shows nothing of what is not known', () => {
    expect(usageFamilies({ node: undefined, pods: [] })).to.deep.equal([]);
  });

  it('leaves out the start of a container that is not known', () => {
    const pod = ownPodOf('web');
    const usage = used(1, 1, 1, 1_000);
    const families = usageFamilies({ node: undefined, pods: [{ pod, containers: [container('a', usage)], ...usage }] });
    expect(families.map(({ name }) => name)).not.to.include('container_start_time_seconds');
  });
});

describe('usageSummary', () => {
  const time = (ms: number): string => new Date(ms).toISOString();

  it('has CPU and working set of node, pods and containers, under names and UIDs of the host', () => {
    const summary = usageSummary('kosmos-member1', ofNode(['n1']));
    expect(summary.node).to.deep.equal({
      ...{ nodeName: 'kosmos-member1', startTime: null },
      cpu: { time: time(10_000), usageNanoCores: 1e9, usageCoreNanoSeconds: 10e9 },
      memory: { time: time(10_000), workingSetBytes: 100 },
    });
    expect(summary.pods).to.have.length(1);
    expect(summary.pods[0]).to.deep.include({
      podRef: { namespace: 'shop', name: 'web', uid: 'host-web' },
      startTime: time(4_000),
      cpu: { time: time(10_000), usageNanoCores: 0.4e9, usageCoreNanoSeconds: 4e9 },
    });
    expect(summary.pods[0]?.containers?.[1]).to.deep.equal({
      ...{ name: 'proxy', startTime: time(4_000) },
      cpu: { time: time(10_000), usageNanoCores: 0.1e9, usageCoreNanoSeconds: 1e9 },
      memory: { time: time(10_000), workingSetBytes: 10 },
    });
  });

  it('says that times and figures are not known, instead of making them up', () => {
    const pod = ownPodOf('web');
    const usage = used(1, 1, 1, 1_000);
    const summary = usageSummary('n', {
      node: undefined,
      pods: [{ pod, containers: [container('a', usage)], ...usage }],
    });
    expect(summary.node).to.deep.equal({ nodeName: 'n', startTime: null });
    expect(summary.pods[0]?.startTime).to.equal(null);
    expect(summary.pods[0]?.containers?.[0]?.startTime).to.equal(null);
  });
});
