import { expect } from 'chai';
import { latencyOf, median, percentile, rounded } from '../../../hack/bench/statistics.js';

const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

describe('percentile', () => {
  for (const [percent, expected] of [
    [0, 1],
    [1, 1],
    [50, 50],
    [90, 90],
    [99, 99],
    [99.5, 100],
    [100, 100],
  ] as const) {
    it(`${percent} of 1 to 100 is ${expected}`, () => {
      expect(percentile(hundred, percent)).to.equal(expected);
    });
  }

  it('sorts numbers as numbers, and leaves what it is given as it is', () => {
    const values = [100, 9, 20];
    expect(percentile(values, 50)).to.equal(20);
    expect(values).to.deep.equal([100, 9, 20]);
  });

  it('of one value is that value', () => {
    expect(percentile([7], 99)).to.equal(7);
  });

  it('never invents a value', () => {
    expect(percentile([1, 1000], 50)).to.equal(1);
    expect(percentile([1, 1000], 51)).to.equal(1000);
  });

  it('refuses what makes no sense', () => {
    expect(() => percentile([], 50)).to.throw(RangeError);
    expect(() => percentile([1], 101)).to.throw(RangeError);
    expect(() => percentile([1], Number.NaN)).to.throw(RangeError);
  });
});

describe('median', () => {
  for (const [values, expected] of [
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9], 9.5],
  ] as const) {
    it(`of ${values.join(', ')} is ${expected}`, () => {
      expect(median(values)).to.equal(expected);
    });
  }

  it('refuses to be asked for nothing', () => {
    expect(() => median([])).to.throw(RangeError);
  });
});

describe('rounded', () => {
  it('rounds to digits after the point', () => {
    expect([rounded(1.2345, 2), rounded(1.235, 0), rounded(12.5, 0)]).to.deep.equal([1.23, 1, 13]);
  });
});

describe('latencyOf', () => {
  it('summarises durations', () => {
    expect(latencyOf(hundred)).to.deep.equal({ p50Ms: 50, p90Ms: 90, p99Ms: 99, maxMs: 100, samples: 100 });
  });

  it('keeps tenths of milliseconds', () => {
    expect(latencyOf([1.26]).p50Ms).to.equal(1.3);
  });
});
