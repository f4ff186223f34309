import { expect } from 'chai';
import type { Pod } from '../../../../../src/apis/core.js';
import type { NodeMetrics, PodMetrics } from '../../../../../src/apis/metrics.js';
import { UsageMeter, type ContainerUsage } from '../../../../../src/clustertree/kubelet/stats/member-usage.js';
import { startedAt, statsPod } from '../../../../support/stats.js';

const BASE = '2026-01-01T00:';
const time = (text: string): number => Date.parse(`${BASE}${text}Z`);

function node(name: string, at: string, cpu: string): NodeMetrics {
  return { metadata: { name }, timestamp: `${BASE}${at}Z`, window: '10s', usage: { cpu, memory: '1Mi' } };
}

function pod(name: string, at: string, containers: Readonly<Record<string, string>>): PodMetrics {
  return {
    metadata: { namespace: 'shop', name },
    timestamp: `${BASE}${at}Z`,
    window: '10s',
    containers: Object.entries(containers).map(([container, cpu]) => ({
      name: container,
      usage: { cpu, memory: '1Mi' },
    })),
  };
}

describe('UsageMeter', () => {
  let meter: UsageMeter;
  let members: Map<string, Pod>;

  beforeEach(() => {
    meter = new UsageMeter();
    members = new Map();
  });

  const run = (name: string, start: string, more: Pod['metadata'] = {}): void => {
    const { member } = statsPod(name, 'n1', { ...startedAt(`${BASE}${start}Z`, 'app'), metadata: more });
    members.set(`shop/${name}`, member);
  };
  const measure = (lists: { nodes?: NodeMetrics[]; pods?: PodMetrics[] }): ReturnType<UsageMeter['measure']> =>
    meter.measure({ nodes: [], pods: [], ...lists }, (key) => members.get(key));
  const container = (uid: string, metrics: PodMetrics): ContainerUsage | undefined =>
    measure({ pods: [metrics] }).pods.get(uid)?.[0];

  it('makes counters of the rates of nodes', () => {
    measure({ nodes: [node('n1', '01:00', '2')] });
    expect(measure({ nodes: [node('n1', '01:10', '500m')] }).nodes.get('n1')).to.deep.equal({
      ...{ cpuSeconds: 25, cores: 0.5, workingSetBytes: 1_048_576, timestampMs: time('01:10') },
    });
  });

  it('leaves out a node whose figures can not be read', () => {
    expect(measure({ nodes: [{ metadata: { name: 'n1' } }] }).nodes.size).to.equal(0);
  });

  it('makes counters of the rates of containers, by UID of the member pod', () => {
    run('web', '00:00');
    container('member-web', pod('web', '01:00', { app: '1' }));
    expect(container('member-web', pod('web', '01:10', { app: '100m' }))).to.deep.equal({
      ...{ name: 'app', startedMs: time('00:00'), cpuSeconds: 11, cores: 0.1 },
      ...{ workingSetBytes: 1_048_576, timestampMs: time('01:10') },
    });
  });

  it('lists containers in order of their names, also such as the member tells no start of', () => {
    run('web', '00:00');
    const found = measure({ pods: [pod('web', '01:00', { proxy: '1', app: '1' })] }).pods.get('member-web');
    expect(found?.map(({ name, startedMs }) => [name, startedMs])).to.deep.equal([
      ['app', time('00:00')],
      ['proxy', undefined],
    ]);
  });

  it('leaves out pods that are not ours, or have no container with figures', () => {
    run('empty', '00:00');
    expect(measure({ pods: [pod('foreign', '01:00', { app: '1' }), pod('empty', '01:00', {})] }).pods.size).to.equal(0);
  });

  it('starts the counter of a restarted container anew, and counts only since then', () => {
    run('web', '00:00');
    container('member-web', pod('web', '01:00', { app: '1' }));
    run('web', '01:06');
    expect(container('member-web', pod('web', '01:10', { app: '1' }))?.cpuSeconds).to.equal(4);
  });

  it('does not take what was measured of an earlier container, or an earlier pod of the name, for the present one', () => {
    run('web', '01:30', { uid: 'second' });
    expect(container('second', pod('web', '01:20', { app: '9' }))).to.equal(undefined);
    expect(container('second', pod('web', '01:40', { app: '1' }))?.cpuSeconds).to.equal(10);
  });

  it('forgets nodes and pods that are gone, and keeps all others', () => {
    run('stays', '00:00');
    run('goes', '00:00');
    const all = (at: string): ReturnType<UsageMeter['measure']> =>
      measure({
        nodes: [node('n1', at, '1'), node('n2', at, '1')],
        pods: [pod('stays', at, { app: '1' }), pod('goes', at, { app: '1' })],
      });
    all('01:00');
    meter.retain(new Set(['n1']), new Set(['member-stays']));
    const { nodes, pods } = all('01:20');
    expect([...nodes].map(([name, { cpuSeconds }]) => [name, cpuSeconds])).to.deep.equal([
      ['n1', 30],
      ['n2', 10],
    ]);
    expect([...pods].map(([uid, containers]) => [uid, containers[0]?.cpuSeconds])).to.deep.equal([
      ['member-stays', 30],
      ['member-goes', 10],
    ]);
  });
});
