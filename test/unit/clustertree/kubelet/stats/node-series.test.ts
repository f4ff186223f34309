import { expect } from 'chai';
import { renderExposition } from '../../../../../src/clustertree/kubelet/stats/exposition.js';
import {
  createCounterSums,
  nodeSeries,
  parseNodeText,
  type CounterSums,
} from '../../../../../src/clustertree/kubelet/stats/node-series.js';
import { kubeletText } from '../../../../support/stats.js';

const series = (texts: Readonly<Record<string, string>>, sums: CounterSums = createCounterSums()): readonly string[] =>
  renderExposition(
    nodeSeries(new Map(Object.entries(texts).map(([node, text]) => [node, parseNodeText(text).families])), sums),
  )
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('nodeSeries', () => {
  it('passes on what a single node says, with its time, and nothing about pods', () => {
    const text = kubeletText({ seconds: 12.5, bytes: 1_000, timeMs: 1_700_000_000_123 }, { web: 1 });
    expect(series({ n1: text })).to.deep.equal([
      'node_cpu_usage_seconds_total 12.5 1700000000123',
      'node_memory_working_set_bytes 1000 1700000000123',
    ]);
  });

  it('adds up several nodes, at the middle of their times', () => {
    const one = kubeletText({ seconds: 10, bytes: 1_000, timeMs: 10_000 });
    const two = kubeletText({ seconds: 5, bytes: 500, timeMs: 12_000 });
    expect(series({ n1: one, n2: two })).to.deep.equal([
      'node_cpu_usage_seconds_total 15 11000',
      'node_memory_working_set_bytes 1500 11000',
    ]);
  });

  it('lets a counter only grow when a node goes, while memory goes with it', () => {
    const sums = createCounterSums();
    const one = (seconds: number): string => kubeletText({ seconds, bytes: 1_000, timeMs: 10_000 });
    series({ n1: one(10), n2: one(90) }, sums);
    expect(series({ n1: one(11) }, sums)).to.deep.equal([
      'node_cpu_usage_seconds_total 101 10000',
      'node_memory_working_set_bytes 1000 10000',
    ]);
  });

  it('leaves out the time of a metric that has none', () => {
    expect(series({ n1: 'node_cores 4\n' })).to.deep.equal(['node_cores 4']);
  });

  it('shows nothing when no node has answered', () => {
    expect(series({})).to.deep.equal([]);
  });
});

describe('parseNodeText', () => {
  const failed = (text: string): boolean => parseNodeText(text).failed;
  const text = (error: number): string => kubeletText({ seconds: 1, bytes: 1, timeMs: 1, error });

  it('tells whether the node could not read its figures, under the name of today or the earlier one', () => {
    expect([failed(text(1)), failed('scrape_error 1\n')]).to.deep.equal([true, true]);
    expect([failed(text(0)), failed('')]).to.deep.equal([false, false]);
  });

  it('does not take what it says about the scrape for a figure', () => {
    expect(parseNodeText(text(1)).families.map(({ name }) => name)).to.deep.equal([
      'node_cpu_usage_seconds_total',
      'node_memory_working_set_bytes',
    ]);
  });
});
