import { expect } from 'chai';
import type { NodeStats, Summary } from '../../../../../src/apis/stats.js';
import { CounterSum } from '../../../../../src/clustertree/kubelet/stats/counter-sum.js';
import { figure, sumFigures, timeOf } from '../../../../../src/clustertree/kubelet/stats/summary-figures.js';
import { parseSummary } from '../../../../../src/clustertree/kubelet/stats/summary-parse.js';
import { virtualSummary } from '../../../../../src/clustertree/kubelet/stats/summary.js';
import { statsPod, statsPods } from '../../../../support/stats.js';

const TIME = '2026-01-01T00:00:10Z';
const LATER = '2026-01-01T00:00:12Z';
const MIDDLE = '2026-01-01T00:00:11.000Z';

function node(nodeName: string, nanoSeconds: number, time = TIME, more: Partial<NodeStats> = {}): NodeStats {
  return {
    ...{ nodeName, startTime: '2025-12-01T00:00:00Z' },
    cpu: { time, usageNanoCores: 1_000, usageCoreNanoSeconds: nanoSeconds, psi: { full: {} } },
    memory: { time, workingSetBytes: 100, usageBytes: 200, pageFaults: 7 },
    ...more,
  };
}

function podStats(uid: string): Summary['pods'][number] {
  const podRef = { namespace: 'shop', name: uid.replace('member-', ''), uid };
  return { podRef, containers: [{ name: 'app' }], cpu: { time: TIME, usageCoreNanoSeconds: 5 } };
}

function summaryOf(
  summaries: Readonly<Record<string, Summary>>,
  behind: readonly string[] = Object.keys(summaries),
  cpu = new CounterSum(),
): Summary {
  const pods = statsPods(statsPod('web', 'n1'), statsPod('db', 'n2'));
  return virtualSummary({
    nodeName: 'kosmos-member1',
    summaries: new Map(Object.entries(summaries)),
    behind,
    pods,
    cpu,
  });
}

describe('virtualSummary', () => {
  it('passes on all figures of a single node under the name of the virtual one', () => {
    const single = node('n1', 500, TIME, { fs: { time: TIME, usedBytes: 1 }, runtime: { imageFs: { time: TIME } } });
    expect(summaryOf({ n1: { node: single, pods: [] } }).node).to.deep.equal({ ...single, nodeName: 'kosmos-member1' });
  });

  it('adds up what can be added up of several nodes, at the middle of their times', () => {
    const fs = { time: TIME, capacityBytes: 1_000, usedBytes: 10 };
    const one = node('n1', 500, TIME, { fs, runtime: { imageFs: fs }, rlimit: { time: TIME, maxpid: 5, curproc: 1 } });
    const two = node('n2', 700, LATER, {
      ...{
        startTime: '2025-11-01T00:00:00Z',
        fs: { ...fs, time: LATER },
        runtime: { imageFs: { ...fs, time: LATER } },
      },
      rlimit: { time: LATER, maxpid: 5, curproc: 2 },
    });
    expect(summaryOf({ n1: { node: one, pods: [] }, n2: { node: two, pods: [] } }).node).to.deep.equal({
      nodeName: 'kosmos-member1',
      startTime: '2025-11-01T00:00:00Z',
      cpu: { time: MIDDLE, usageNanoCores: 2_000, usageCoreNanoSeconds: 1_200 },
      memory: { time: MIDDLE, workingSetBytes: 200, usageBytes: 400 },
      fs: { time: MIDDLE, capacityBytes: 2_000, usedBytes: 20 },
      runtime: { imageFs: { time: MIDDLE, capacityBytes: 2_000, usedBytes: 20 } },
      rlimit: { time: MIDDLE, maxpid: 10, curproc: 3 },
    });
  });

  it('leaves out the figures that one of several nodes does not have', () => {
    const one = node('n1', 500, TIME, { fs: { time: TIME, usedBytes: 1 } });
    const summary = summaryOf({ n1: { node: one, pods: [] }, n2: { node: node('n2', 700), pods: [] } });
    expect(summary.node).not.to.have.property('fs');
    expect(summary.node).not.to.have.property('runtime');
  });

  it('does not take one of several nodes for the whole when the others did not answer', () => {
    const summary = summaryOf({ n1: { node: node('n1', 500), pods: [] } }, ['n1', 'n2']);
    expect(summary.node.memory).not.to.have.property('pageFaults');
  });

  it('counts CPU on when nodes go', () => {
    const cpu = new CounterSum();
    const both = { n1: { node: node('n1', 500), pods: [] }, n2: { node: node('n2', 700), pods: [] } };
    summaryOf(both, ['n1', 'n2'], cpu);
    const left = summaryOf({ n1: { node: node('n1', 510), pods: [] } }, ['n1'], cpu);
    expect(left.node.cpu?.['usageCoreNanoSeconds']).to.equal(1_210);
  });

  it('says nothing of the node when no node behind it has answered', () => {
    expect(summaryOf({ n1: { node: node('n1', 500), pods: [] } }, []).node).to.deep.equal({
      ...{ nodeName: 'kosmos-member1', startTime: null },
    });
  });

  it('takes a node without a CPU counter as it is', () => {
    const single = { nodeName: 'n1', memory: { time: TIME, workingSetBytes: 1 } };
    expect(summaryOf({ n1: { node: single, pods: [] } }).node).to.deep.equal({ ...single, nodeName: 'kosmos-member1' });
  });

  it('has the pods of the virtual node with the UIDs of the host, in order of their names, and no others', () => {
    const summary = summaryOf({
      n1: { node: node('n1', 1), pods: [podStats('member-web'), podStats('foreign')] },
      n2: { node: node('n2', 1), pods: [podStats('member-db'), podStats('member-web')] },
    });
    expect(summary.pods).to.deep.equal([
      { ...podStats('member-db'), podRef: { namespace: 'shop', name: 'db', uid: 'host-db' } },
      { ...podStats('member-web'), podRef: { namespace: 'shop', name: 'web', uid: 'host-web' } },
    ]);
  });
});

describe('sumFigures', () => {
  it('has no sum without a time, or without any figure', () => {
    expect(sumFigures([{ usedBytes: 1 }], ['usedBytes'])).to.equal(undefined);
    expect(sumFigures([{ time: TIME, name: 'eth0' }], ['name'])).to.equal(undefined);
    expect(sumFigures([{ time: TIME, usedBytes: 1 }, undefined], ['usedBytes'])).to.equal(undefined);
  });

  it('reads only numbers and times', () => {
    expect(figure({ a: 1, b: '1' }, 'a')).to.equal(1);
    expect(figure({ a: 1, b: '1' }, 'b')).to.equal(undefined);
    expect(figure(undefined, 'a')).to.equal(undefined);
    expect(timeOf({ time: TIME })).to.equal(Date.parse(TIME));
    expect([timeOf({}), timeOf({ time: 5 }), timeOf({ time: 'soon' })]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('parseSummary', () => {
  it('reads what kubelet answers', () => {
    const summary = { node: node('n1', 1), pods: [podStats('member-web')] };
    expect(parseSummary(JSON.stringify(summary))).to.deep.equal(summary);
  });

  it('reads a node without pods', () => {
    expect(parseSummary('{"node":{"nodeName":"n1"},"pods":null}')).to.deep.equal({
      node: { nodeName: 'n1' },
      pods: [],
    });
  });

  it('leaves out a pod that does not say which it is', () => {
    expect(parseSummary('{"node":{},"pods":[{},null,5]}')?.pods).to.deep.equal([]);
  });

  for (const text of ['', 'Forbidden', 'null', '[]', '5', '{}', '{"node":null}', '{"node":[]}']) {
    it(`gives nothing for ${JSON.stringify(text)}`, () => {
      expect(parseSummary(text)).to.equal(undefined);
    });
  }
});
