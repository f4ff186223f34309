import { expect } from 'chai';
import { DeadlineError, withDeadline } from '../../../src/lib/deadline.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('withDeadline', () => {
  let clock: FakeClock;
  beforeEach(() => (clock = new FakeClock()));

  it('passes on what the work resolves to and leaves no timer', async () => {
    expect(await withDeadline(clock, 100, () => Promise.resolve(7))).to.equal(7);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('passes on what the work throws', async () => {
    const error = new Error('no');
    const caught: unknown = await withDeadline(clock, 100, () => Promise.reject(error)).catch((e: unknown) => e);
    expect(caught).to.equal(error);
  });

  it('aborts the work and rejects when the time is over, even if the work goes on', async () => {
    let given: AbortSignal | undefined;
    const never = withDeadline(clock, 100, (signal) => {
      given = signal;
      return new Promise(() => undefined);
    }).catch((e: unknown) => e);
    await clock.advance(99);
    expect(given?.aborted).to.equal(false);
    await clock.advance(1);
    expect(await never).to.be.instanceOf(DeadlineError);
    expect([given?.aborted, clock.pendingTimers]).to.deep.equal([true, 0]);
  });

  it('rejects with the reason of the parent signal', async () => {
    const parent = new AbortController();
    const waiting = withDeadline(clock, 100, () => new Promise(() => undefined), parent.signal).catch(
      (e: unknown) => e,
    );
    const reason = new Error('stop');
    parent.abort(reason);
    expect(await waiting).to.equal(reason);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('does not start the work when the parent is aborted already', async () => {
    let started = false;
    const work = (): Promise<void> => {
      started = true;
      return Promise.resolve();
    };
    await withDeadline(clock, 100, work, AbortSignal.abort()).catch(() => undefined);
    expect(started).to.equal(false);
  });
});
