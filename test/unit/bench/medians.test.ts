import { expect } from 'chai';
import { medianOf } from '../../../hack/bench/medians.js';

describe('medianOf', () => {
  it('takes the median of every number, at any depth', () => {
    const runs = [
      { native: { readyMs: 10, goneMs: 1 }, ratio: 1.5 },
      { native: { readyMs: 30, goneMs: 3 }, ratio: 1.1 },
      { native: { readyMs: 20, goneMs: 8 }, ratio: 1.2 },
    ];
    expect(medianOf(runs)).to.deep.equal({ native: { readyMs: 20, goneMs: 3 }, ratio: 1.2 });
  });

  it('gives a single run back as it is', () => {
    const run = { name: 'x', value: 1.23456 };
    expect(medianOf([run])).to.equal(run);
  });

  it('takes what is no number from the first run', () => {
    expect(medianOf([{ name: 'a' }, { name: 'b' }])).to.deep.equal({ name: 'a' });
  });

  it('uses the runs that have a value', () => {
    const runs: { calls: Record<string, number> }[] = [{ calls: { a: 1 } }, { calls: { a: 3, b: 5 } }];
    expect(medianOf(runs)).to.deep.equal({ calls: { a: 2, b: 5 } });
  });

  it('leaves out what no run has', () => {
    const absent: { native?: number | undefined }[] = [{ native: undefined }, { native: undefined }];
    expect(medianOf(absent)).to.deep.equal({ native: undefined });
  });

  it('refuses to be asked for nothing', () => {
    expect(() => medianOf([])).to.throw(RangeError);
  });
});
