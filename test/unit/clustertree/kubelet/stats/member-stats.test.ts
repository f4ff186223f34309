import { expect } from 'chai';
import type { Member } from '../../../../../src/clustertree/cluster/member.js';
import type { ServedNode } from '../../../../../src/clustertree/kubelet/endpoint.js';
import { MemberStats } from '../../../../../src/clustertree/kubelet/stats/member-stats.js';
import type { StatsKind } from '../../../../../src/clustertree/kubelet/stats/stats-answer.js';
import { nodeMetrics } from '../../../../../src/kube/metrics-resources.js';
import { apiError, clusterConfig, MemberHarness } from '../../../../support/member-harness.js';
import { kubeletText, statsPod } from '../../../../support/stats.js';

const PROXIED = '/api/v1/nodes/n1/proxy/metrics/resource';

describe('MemberStats', () => {
  let harness: MemberHarness;
  let member: Member;
  let stats: MemberStats;
  let sources: string[];
  let missing: string[];

  beforeEach(() => {
    harness = new MemberHarness();
    sources = [];
    missing = [];
  });

  afterEach(() => harness.end());

  function open(statsSource: 'Kubelets' | 'MetricsAPI', more: Partial<Member> = {}): void {
    const config = clusterConfig({ spec: { clusterTreeOptions: { statsSource } } });
    member = harness.member({ config, nodesBehind: () => [{ name: 'n1', ready: true }], ...more });
    stats = new MemberStats({
      ...{ member, clock: harness.clock },
      observer: {
        source: (cluster, source) => sources.push(`${cluster} ${source}`),
        missing: (cluster, node, { nodes, pods }) => missing.push(`${cluster} ${node} ${nodes} ${pods}`),
      },
    });
    harness.client.paths.set(PROXIED, kubeletText({ seconds: 42, bytes: 1, timeMs: 1 }, { web: 1 }));
    const usage = { cpu: '1', memory: '1Ki' };
    harness.client.seed(nodeMetrics, {
      ...{ metadata: { name: 'n1' }, timestamp: '2026-01-01T00:00:10Z', window: '10s', usage },
    });
  }

  function node(): ServedNode {
    const { host, member: memberPod } = statsPod('web');
    return {
      ...{ name: 'kosmos-member1', cluster: 'member1', member, spec: undefined },
      hostPods: () => [host],
      hostPod: () => host,
      memberPod: () => memberPod,
    };
  }

  const read = async (kind: StatsKind = 'resource'): Promise<string> => (await stats.read(kind, node())).body;
  const proxyCalls = (): number => harness.client.callsOf({ verb: 'getPath' }).length;

  it('reads kubelets when the Cluster says so', async () => {
    open('Kubelets');
    expect(await read())
      .to.contain('node_cpu_usage_seconds_total 42 ')
      .and.contain('pod="web"');
    expect(sources).to.deep.equal(['member1 Kubelets']);
    expect(missing).to.deep.equal(['member1 kosmos-member1 0 0']);
  });

  it('never asks kubelets unless the Cluster says so', async () => {
    open('MetricsAPI');
    expect(await read()).to.contain('node_cpu_usage_seconds_total 10 ');
    expect(proxyCalls()).to.equal(0);
    expect(sources).to.deep.equal(['member1 MetricsAPI']);
    expect(missing).to.deep.equal(['member1 kosmos-member1 0 1']);
  });

  it('costs each kubelet one request, however many ask at once and soon after each other', async () => {
    open('Kubelets');
    await Promise.all([read(), read(), read()]);
    await harness.clock.advance(4_900);
    await read();
    expect(proxyCalls()).to.equal(1);
    await harness.clock.advance(200);
    await read();
    expect(proxyCalls()).to.equal(2);
  });

  it('does not keep a failure', async () => {
    open('Kubelets');
    harness.client.paths.set('/api/v1/nodes/n1/proxy/metrics/cadvisor', 'a{namespace="shop",pod="web"} 1\n');
    harness.client.fail({ verb: 'getPath', error: apiError(503, 'ServiceUnavailable') });
    expect(await read('cadvisor').catch((error: unknown) => error)).to.have.property('statusCode', 503);
    expect(await read('cadvisor')).to.contain('pod="web"');
  });

  it('reads the metrics API while the member refuses its kubelets, and asks again after a minute', async () => {
    open('Kubelets');
    harness.client.fail({ verb: 'getPath', error: apiError(403, 'Forbidden') });
    expect(await read()).to.contain('node_cpu_usage_seconds_total 10 ');
    await harness.clock.advance(59_000);
    await read();
    expect(proxyCalls()).to.equal(1);
    await harness.clock.advance(1_000);
    expect(await read()).to.contain('node_cpu_usage_seconds_total 42 ');
    expect(sources).to.deep.equal(['member1 MetricsAPI', 'member1 Kubelets']);
    expect(harness.logs.map(({ level }) => level)).to.deep.equal(['warn', 'info']);
  });

  it('leaves the figures of the node out while it is not known what is behind it', async () => {
    open('Kubelets', { nodesBehind: () => undefined });
    expect(await read())
      .to.contain('pod="web"')
      .and.not.contain('node_cpu');
  });

  it('says nothing about missing figures where the answer does not tell', async () => {
    open('Kubelets');
    harness.client.paths.set('/api/v1/nodes/n1/proxy/metrics/probes', '');
    expect(await read('probes')).to.equal('');
    expect(missing).to.deep.equal([]);
  });
});
