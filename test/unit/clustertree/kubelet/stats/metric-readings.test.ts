import { expect } from 'chai';
import type { NodeMetrics, PodMetrics } from '../../../../../src/apis/metrics.js';
import { containerReadings, nodeReading } from '../../../../../src/clustertree/kubelet/stats/metric-readings.js';

const NODE: NodeMetrics = {
  metadata: { name: 'n1' },
  timestamp: '2026-01-01T00:00:10Z',
  window: '15.25s',
  usage: { cpu: '1500m', memory: '2Ki' },
};
const READING = {
  ...{ cores: 1.5, workingSetBytes: 2_048, windowMs: 15_250 },
  timestampMs: Date.parse('2026-01-01T00:00:10Z'),
};

describe('nodeReading', () => {
  it('reads cores, bytes, the end of the window and its length', () => {
    expect(nodeReading(NODE)).to.deep.equal(READING);
  });

  it('reads nanocores without loss', () => {
    expect(nodeReading({ ...NODE, usage: { cpu: '123456789n', memory: '0' } })).to.deep.include({
      ...{ cores: 0.123456789, workingSetBytes: 0 },
    });
  });

  const bad: Readonly<Record<string, Partial<NodeMetrics>>> = {
    'no usage': { usage: undefined },
    'no memory': { usage: { cpu: '1' } },
    'no CPU': { usage: { memory: '1Ki' } },
    'an amount that is none': { usage: { cpu: 'much', memory: '1Ki' } },
    'a negative amount': { usage: { cpu: '-1', memory: '1Ki' } },
    'no time': { timestamp: undefined },
    'a time that is none': { timestamp: 'yesterday' },
    'no window': { window: undefined },
    'a window that is none': { window: 'wide' },
  };
  for (const [what, more] of Object.entries(bad)) {
    it(`gives nothing for ${what}`, () => {
      expect(nodeReading({ ...NODE, ...more })).to.equal(undefined);
    });
  }
});

describe('containerReadings', () => {
  const { timestamp, window } = NODE;
  const pod = (containers: PodMetrics['containers']): PodMetrics => ({ timestamp, window, containers });

  it('reads each container at the time of the pod, and leaves out those without figures', () => {
    const usage = { cpu: '1500m', memory: '2Ki' };
    const found = containerReadings(
      pod([{ name: 'app', usage }, { name: 'new' }, { name: 'odd', usage: { cpu: 'x' } }]),
    );
    expect([...found]).to.deep.equal([['app', READING]]);
  });

  it('reads nothing of a pod without containers', () => {
    expect(containerReadings(pod(null)).size).to.equal(0);
    expect(containerReadings(pod(undefined)).size).to.equal(0);
  });
});
