import { expect } from 'chai';
import { WatchBackoff } from '../../../src/kube/watch-backoff.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('WatchBackoff', () => {
  it('doubles from 0.8 s to 30 s', () => {
    const backoff = new WatchBackoff(new FakeClock(), () => 0);
    expect(Array.from({ length: 8 }, () => backoff.delayMs())).to.deep.equal([
      800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('adds up to as much again at random, so that clients do not come back together', () => {
    const backoff = new WatchBackoff(new FakeClock(), () => 0.5);
    expect(backoff.delayMs()).to.equal(1200);
  });

  it('waits at least as long as the server asks for', () => {
    const backoff = new WatchBackoff(new FakeClock(), () => 0);
    expect(backoff.delayMs(5000)).to.equal(5000);
    expect(backoff.delayMs()).to.equal(1600);
  });

  it('begins anew after two healthy minutes, and not before', async () => {
    const clock = new FakeClock();
    const backoff = new WatchBackoff(clock, () => 0);
    backoff.delayMs();
    await clock.advance(100_000);
    expect(backoff.delayMs()).to.equal(1600);
    await clock.advance(1600 + 120_001);
    expect(backoff.delayMs()).to.equal(800);
  });
});
