import { expect } from 'chai';
import { WatchBackoff } from '../../../src/kube/watch-backoff.js';
import { FakeClock } from '../../support/fake-clock.js';

function backoffOf(clock: FakeClock, random = 0): WatchBackoff {
  return new WatchBackoff({ clock, random: () => random, longestMs: 30_000 });
}

describe('WatchBackoff', () => {
  it('doubles from 0.8 s to its limit', () => {
    const backoff = backoffOf(new FakeClock());
    expect(Array.from({ length: 8 }, () => backoff.delayMs())).to.deep.equal([
      800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('adds up to as much again at random, so that clients do not come back together', () => {
    const backoff = backoffOf(new FakeClock(), 0.5);
    expect(backoff.delayMs()).to.equal(1200);
  });

  it('waits at least as long as the server asks for', () => {
    const backoff = backoffOf(new FakeClock());
    expect(backoff.delayMs(5000)).to.equal(5000);
    expect(backoff.delayMs()).to.equal(1600);
  });

  it('begins anew after two healthy minutes, and not before', async () => {
    const clock = new FakeClock();
    const backoff = backoffOf(clock);
    backoff.delayMs();
    await clock.advance(100_000);
    expect(backoff.delayMs()).to.equal(1600);
    await clock.advance(1600 + 120_001);
    expect(backoff.delayMs()).to.equal(800);
  });

  it('begins anew when told that all is well', () => {
    const backoff = backoffOf(new FakeClock());
    backoff.delayMs();
    backoff.delayMs();
    backoff.reset();
    expect(backoff.delayMs()).to.equal(800);
  });
});
