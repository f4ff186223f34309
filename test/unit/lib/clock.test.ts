import { expect } from 'chai';
import { sleepOn, systemClock, systemRandom } from '../../../src/lib/clock.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

describe('sleepOn', () => {
  let clock: FakeClock;
  beforeEach(() => (clock = new FakeClock()));

  it('resolves after the time and not before', async () => {
    let awake = false;
    void sleepOn(clock, 100).then(() => (awake = true));
    await clock.advance(99);
    expect(awake).to.equal(false);
    await clock.advance(1);
    expect(awake).to.equal(true);
  });

  it('rejects with the reason of the signal, and leaves no timer', async () => {
    const abort = new AbortController();
    const reason = new Error('stop');
    const sleeping = sleepOn(clock, 100, abort.signal).catch((error: unknown) => error);
    await settle();
    abort.abort(reason);
    expect(await sleeping).to.equal(reason);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('rejects at once when the signal is aborted already', async () => {
    const reason = new Error('stop');
    expect(await sleepOn(clock, 100, AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('does not listen to the signal any longer once it is over', async () => {
    const abort = new AbortController();
    const sleeping = sleepOn(clock, 5, abort.signal);
    await clock.advance(5);
    await sleeping;
    abort.abort();
    expect(clock.pendingTimers).to.equal(0);
  });
});

describe('systemClock', () => {
  it('tells the time and measures durations', async () => {
    const [wall, start] = [systemClock.now(), systemClock.monotonic()];
    expect(Math.abs(wall - Date.now())).to.be.below(1000);
    await systemClock.sleep(5);
    expect(systemClock.monotonic() - start).to.be.at.least(4);
  });

  it('calls back once, and not after it was cancelled', async () => {
    const seen: string[] = [];
    systemClock.schedule(1, () => seen.push('kept'));
    systemClock.schedule(1, () => seen.push('cancelled')).cancel();
    await systemClock.sleep(10);
    expect(seen).to.deep.equal(['kept']);
  });

  it('does not fire at once when a delay is longer than Node can count', async () => {
    let fired = false;
    const timer = systemClock.schedule(2 ** 40, () => (fired = true));
    await systemClock.sleep(5);
    timer.cancel();
    expect(fired).to.equal(false);
  });
});

describe('systemRandom', () => {
  it('is between 0 and 1 and changes', () => {
    const values = Array.from({ length: 100 }, systemRandom);
    expect(values.every((value) => value >= 0 && value < 1)).to.equal(true);
    expect(new Set(values).size).to.be.above(90);
  });
});
