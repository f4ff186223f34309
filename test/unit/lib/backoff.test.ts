import { expect } from 'chai';
import { Backoff, backoffDelayMs } from '../../../src/lib/backoff.js';

describe('backoffDelayMs', () => {
  for (const [failures, delayMs] of [
    [0, 5],
    [1, 5],
    [2, 10],
    [3, 20],
    [10, 2560],
    [11, 5000],
    [5000, 5000],
  ] as const) {
    it(`waits ${delayMs} ms after ${failures} failures`, () => {
      expect(backoffDelayMs({ initialMs: 5, maxMs: 5000 }, failures)).to.equal(delayMs);
    });
  }

  it('grows by another factor when told to', () => {
    expect(backoffDelayMs({ initialMs: 100, maxMs: 1e6, factor: 1.5 }, 3)).to.equal(225);
  });

  it('takes up to the share of jitter off and never exceeds the longest delay', () => {
    const options = { initialMs: 100, maxMs: 150, jitter: 0.5 };
    expect(backoffDelayMs(options, 1, () => 0)).to.equal(100);
    expect(backoffDelayMs(options, 1, () => 0.5)).to.equal(75);
    expect(backoffDelayMs(options, 9, () => 0)).to.equal(150);
  });
});

describe('Backoff', () => {
  it('counts failures and starts over after a reset', () => {
    const backoff = new Backoff({ initialMs: 10, maxMs: 1000 });
    expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).to.deep.equal([10, 20, 40]);
    expect(backoff.failures).to.equal(3);
    backoff.reset();
    expect(backoff.nextMs()).to.equal(10);
  });

  it('spreads its delays with the given randomness', () => {
    const backoff = new Backoff({ initialMs: 10, maxMs: 1000, jitter: 1 }, () => 0.9);
    expect(backoff.nextMs()).to.be.closeTo(1, 1e-9);
  });
});
