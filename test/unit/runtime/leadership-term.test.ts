import { expect } from 'chai';
import type { WriteGate } from '../../../src/kube/write-gate.js';
import { FederationError } from '../../../src/lib/errors.js';
import { closedGate, LeadershipTerm } from '../../../src/runtime/leadership-term.js';
import { FakeClock } from '../../support/fake-clock.js';

function isOpen(gate: WriteGate): boolean {
  try {
    gate.assertOpen();
    return true;
  } catch (error) {
    expect(error).to.be.instanceOf(FederationError).with.property('code', 'NOT_LEADER');
    return false;
  }
}

describe('LeadershipTerm', () => {
  let clock: FakeClock;
  let term: LeadershipTerm;
  const now = (): { monotonicMs: number; wallMs: number } => ({ monotonicMs: clock.monotonic(), wallMs: clock.now() });

  beforeEach(() => {
    clock = new FakeClock();
    term = new LeadershipTerm(clock, 10_000, now());
  });
  afterEach(() => term.end('test is over'));

  it('is open until the renew deadline has passed since the last renewal was sent', async () => {
    await clock.advance(9999);
    expect([isOpen(term), term.open]).to.deep.equal([true, true]);
    await clock.advance(1);
    expect([isOpen(term), term.open, term.signal.aborted]).to.deep.equal([false, false, true]);
  });

  it('counts from when the renewal was sent, not from when it was answered', async () => {
    const sentAt = now();
    await clock.advance(6000);
    term.renewed(sentAt);
    await clock.advance(4000);
    expect(isOpen(term)).to.equal(false);
  });

  it('stays open as long as it is renewed', async () => {
    for (let i = 0; i < 20; i++) {
      await clock.advance(9000);
      term.renewed(now());
    }
    expect([isOpen(term), clock.pendingTimers]).to.deep.equal([true, 1]);
  });

  it('closes by itself when the event loop was blocked and no timer fired', () => {
    clock.stall(10_000);
    expect(term.signal.aborted).to.equal(false);
    expect(isOpen(term)).to.equal(false);
    expect(term.signal.aborted).to.equal(true);
  });

  it('closes until the next renewal when the wall clock runs ahead, as after a suspended machine', () => {
    clock.setWall(clock.now() + 3_600_000);
    expect([isOpen(term), term.open, term.signal.aborted]).to.deep.equal([false, false, false]);
    term.renewed(now());
    expect([isOpen(term), term.open]).to.deep.equal([true, true]);
  });

  it('does not mind a wall clock that is set back', async () => {
    clock.setWall(0);
    await clock.advance(9000);
    expect(isOpen(term)).to.equal(true);
  });

  it('cannot be renewed after its end, and leaves no timer', () => {
    term.end('over');
    term.renewed(now());
    expect([isOpen(term), clock.pendingTimers]).to.deep.equal([false, 0]);
    expect((term.signal.reason as FederationError).message).to.equal('over');
  });
});

describe('closedGate', () => {
  it('is never open', () => {
    expect([isOpen(closedGate), closedGate.signal.aborted]).to.deep.equal([false, true]);
  });
});
