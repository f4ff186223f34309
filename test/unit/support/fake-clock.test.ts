import { expect } from 'chai';
import { FakeClock } from '../../support/fake-clock.js';

describe('FakeClock', () => {
  it('fires due timers in order of time and lets promises settle in between', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.schedule(20, () => seen.push(`b${clock.monotonic()}`));
    void clock.sleep(10).then(async () => {
      seen.push(`a${clock.monotonic()}`);
      await clock.sleep(5);
      seen.push(`c${clock.monotonic()}`);
    });
    clock.schedule(21, () => seen.push('late'));
    await clock.advance(20);
    expect(seen).to.deep.equal(['a10', 'c15', 'b20']);
    expect(clock.pendingTimers).to.equal(1);
    expect(clock.nextTimerInMs).to.equal(1);
  });

  it('does not fire cancelled timers', async () => {
    const clock = new FakeClock();
    let fired = false;
    clock.schedule(1, () => (fired = true)).cancel();
    await clock.advance(5);
    expect(fired).to.equal(false);
  });

  it('lets the wall clock jump without the monotonic clock', async () => {
    const clock = new FakeClock(1000);
    await clock.advance(50);
    clock.setWall(5);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([5, 50]);
  });

  it('stalls without firing anything until it is advanced', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    clock.schedule(10, () => seen.push(clock.monotonic()));
    clock.stall(100);
    expect(seen).to.deep.equal([]);
    await clock.advance(0);
    expect(seen).to.deep.equal([100]);
  });
});
