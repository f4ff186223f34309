import { expect } from 'chai';
import { callsPerPod, ratiosOf, renderResult, type RunResult } from '../../../hack/bench/report.js';
import type { Latency } from '../../../hack/bench/statistics.js';

function burst(readyMs: number, goneMs: number): { readyMs: number; podsPerSecond: number; goneMs: number } {
  return { readyMs, podsPerSecond: 10, goneMs };
}

function latency(p50Ms: number, p99Ms: number): Latency {
  return { p50Ms, p90Ms: p99Ms, p99Ms, maxMs: p99Ms, samples: 300 };
}

describe('ratiosOf', () => {
  it('compares virtual with the floor, and adds to native when paced', () => {
    const ratios = ratiosOf({
      native: burst(5_000, 4_000),
      floor: burst(20_000, 10_000),
      virtual: burst(24_000, 11_000),
      paced: { native: latency(10, 60), virtual: latency(40.5, 150) },
    });
    expect(ratios).to.deep.equal({ burstReady: 1.2, burstGone: 1.1, pacedP50AddedMs: 30.5, pacedP99AddedMs: 90 });
  });

  it('says nothing of phases that did not run', () => {
    const ratios = ratiosOf({ virtual: burst(1, 1), paced: { native: latency(1, 1) } });
    expect(Object.values(ratios).filter((value) => value !== undefined)).to.deep.equal([]);
  });
});

describe('callsPerPod', () => {
  it('divides what was added in all clusters by the number of pods', () => {
    const before = [{ 'create pods': 100 }, {}];
    const after = [{ 'create pods': 600, other: 20 }, { 'create pods': 500 }];
    expect(callsPerPod(before, after, 1_000)).to.deep.equal({ 'create pods': 1, other: 0.02 });
  });

  it('puts the most frequent first, and leaves out what hardly ever happened', () => {
    const calls = callsPerPod([{}], [{ rare: 1, some: 2_000, most: 9_000 }], 10_000);
    expect(Object.entries(calls)).to.deep.equal([
      ['most', 0.9],
      ['some', 0.2],
    ]);
  });
});

describe('renderResult', () => {
  const run: RunResult = {
    floor: burst(20_000, 10_000),
    paced: { virtual: latency(40, 150) },
    manager: { cpuMsPerPod: 2.5, cpuMsPerPodLife: 4.1, peakRssMiB: 180 },
    calls: { host: { 'patch pods/status': 1 }, member: { 'create pods': 1 } },
    ratios: { burstReady: 1.2 },
  };

  it('shows what was measured', () => {
    const text = renderResult(run);
    expect(text).to.match(/floor +all ready 20\.0 s \(10 pods\/s\), all gone 10\.0 s/);
    expect(text).to.match(/virtual: bound to ready p50 40 ms/);
    expect(text).to.match(/2\.5 ms CPU per pod created, 4\.1 with its deletion, peak RSS 180 MiB/);
    expect(text).to.match(/host, per pod: patch pods\/status 1/);
    expect(text).to.match(/"burstReady":1\.2/);
  });

  it('and nothing else', () => {
    expect(renderResult({ ratios: {} })).to.equal('ratios   {}');
  });
});
