import { expect } from 'chai';
import type { Lease } from '../../../src/apis/core.js';
import { ApiError } from '../../../src/kube/api-error.js';
import { leases } from '../../../src/kube/resource.js';
import { FederationError, TerminalError } from '../../../src/lib/errors.js';
import { silentLogger } from '../../../src/lib/logger.js';
import { LeaderElector, type Lead, type LeaderElectorOptions } from '../../../src/runtime/leader-election.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const ref = { namespace: 'kosmos-system', name: 'kosmos-manager' };

/** One process that competes. */
interface Candidate {
  readonly elector: LeaderElector;
  readonly abort: AbortController;
  readonly running: Promise<unknown>;
  readonly changes: boolean[];
  terms: number;
}

describe('LeaderElector', () => {
  let clock: FakeClock;
  let client: FakeKubeClient;
  let candidates: Candidate[];

  function start(identity: string, options: Partial<LeaderElectorOptions> = {}, lead?: Lead): Candidate {
    const changes: boolean[] = [];
    const elector = new LeaderElector({
      client,
      clock,
      random: () => 0,
      logger: silentLogger,
      lease: ref,
      identity,
      onChange: (leading) => changes.push(leading),
      ...options,
    });
    const abort = new AbortController();
    const work: Lead = (leading) => {
      candidate.terms++;
      return lead === undefined ? untilAborted(leading) : lead(leading);
    };
    const candidate: Candidate = {
      elector,
      abort,
      changes,
      terms: 0,
      running: elector.run(abort.signal, work).then(
        () => 'ended',
        (error: unknown) => error,
      ),
    };
    candidates.push(candidate);
    return candidate;
  }

  const lease = (): Lease['spec'] => client.peek(leases, ref)?.spec;

  beforeEach(() => {
    clock = new FakeClock(Date.parse('2026-05-01T10:00:00Z'));
    client = new FakeKubeClient({ clock });
    candidates = [];
  });

  afterEach(async () => {
    for (const { abort } of candidates) abort.abort();
    client.intercept = undefined;
    await clock.advance(60_000);
    await Promise.all(candidates.map(({ running }) => running));
    expect(clock.pendingTimers, 'timers left').to.equal(0);
  });

  it('makes the lease when it is missing and leads at once', async () => {
    const a = start('a');
    await settle();
    expect([a.elector.leading, a.terms, a.elector.holder]).to.deep.equal([true, 1, 'a']);
    a.elector.gate.assertOpen();
    expect(lease()).to.deep.equal({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-05-01T10:00:00.000000Z',
      renewTime: '2026-05-01T10:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('renews every two seconds with a single update', async () => {
    start('a');
    await clock.advance(0);
    client.calls.length = 0;
    await clock.advance(60_000);
    expect(client.calls.map(({ verb }) => verb)).to.deep.equal(Array.from({ length: 30 }, () => 'update'));
    expect(lease()?.renewTime).to.equal('2026-05-01T10:01:00.000000Z');
    expect(lease()?.acquireTime).to.equal('2026-05-01T10:00:00.000000Z');
  });

  it('keeps labels and unknown fields of the lease', async () => {
    client.seed(leases, { metadata: { ...ref, labels: { team: 'x' } }, spec: { strategy: 'OldestEmulationVersion' } });
    start('a');
    await clock.advance(10_000);
    expect(client.peek(leases, ref)?.metadata?.labels).to.deep.equal({ team: 'x' });
    expect(lease()?.strategy).to.equal('OldestEmulationVersion');
  });

  it('lets a second process take over only 15 s after the last renewal that it saw', async () => {
    const a = start('a');
    await settle();
    const b = start('b');
    await clock.advance(5000);
    expect([b.elector.leading, b.elector.holder, b.terms]).to.deep.equal([false, 'a', 0]);
    client.intercept = ({ body }) => {
      if ((body as Lease | undefined)?.spec?.holderIdentity === 'a') throw new Error('cut off');
    };
    // The last renewal was at 4 s.
    await clock.advance(8999);
    expect([a.elector.leading, b.elector.leading]).to.deep.equal([true, false]);
    await clock.advance(1);
    expect([a.elector.leading, b.elector.leading]).to.deep.equal([false, false]);
    await clock.advance(4999);
    expect([a.elector.leading, b.elector.leading]).to.deep.equal([false, false]);
    await clock.advance(2001);
    expect([a.elector.leading, b.elector.leading, lease()?.leaseTransitions]).to.deep.equal([false, true, 1]);
  });

  for (const [what, renewTime] of [
    ['years ahead', '2031-01-01T00:00:00.000000Z'],
    ['years behind', '2001-01-01T00:00:00.000000Z'],
  ] as const) {
    it(`waits just as long for a holder whose clock is ${what}`, async () => {
      const spec = { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime, acquireTime: renewTime };
      client.seed(leases, { metadata: ref, spec: { ...spec, leaseTransitions: 4 } });
      const a = start('a');
      await clock.advance(14_000);
      expect(a.elector.leading).to.equal(false);
      await clock.advance(3000);
      expect([a.elector.leading, lease()?.leaseTransitions]).to.deep.equal([true, 5]);
    });
  }

  it('waits as long as the holder asked for', async () => {
    client.seed(leases, { metadata: ref, spec: { holderIdentity: 'dead', leaseDurationSeconds: 40 } });
    const a = start('a');
    await clock.advance(39_000);
    expect(a.elector.leading).to.equal(false);
    await clock.advance(3000);
    expect(a.elector.leading).to.equal(true);
  });

  it('takes a lease without holder at once', async () => {
    client.seed(leases, { metadata: ref, spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 2 } });
    const a = start('a');
    await settle();
    expect([a.elector.leading, lease()?.leaseTransitions]).to.deep.equal([true, 3]);
  });

  describe('clocks that jump', () => {
    it('keeps leading when its wall clock is set back or ahead, closing the gate no longer than until a renewal', async () => {
      const a = start('a');
      await clock.advance(3000);
      clock.setWall(0);
      await clock.advance(7000);
      expect(a.elector.leading).to.equal(true);
      clock.setWall(Date.parse('2030-01-01T00:00:00Z'));
      expect(() => a.elector.gate.assertOpen()).to.throw(FederationError, 'jump of the clock');
      await clock.advance(2000);
      a.elector.gate.assertOpen();
      expect([a.terms, a.changes]).to.deep.equal([1, [true]]);
    });

    it('is seen alive although its wall clock stands still', async () => {
      const frozen = { now: () => 0, monotonic: () => clock.monotonic() };
      const still = Object.assign(Object.create(clock) as FakeClock, frozen, {
        schedule: clock.schedule.bind(clock),
        sleep: clock.sleep.bind(clock),
      });
      const a = start('a', { clock: still });
      await settle();
      const b = start('b');
      await clock.advance(120_000);
      expect([a.elector.leading, b.terms]).to.deep.equal([true, 0]);
    });
  });

  it('closes the gate of a process that was blocked before any timer fires', async () => {
    const a = start('a');
    await clock.advance(2000);
    const { signal } = a.elector.gate;
    clock.stall(10_000);
    expect(() => a.elector.gate.assertOpen())
      .to.throw(FederationError)
      .with.property('code', 'NOT_LEADER');
    expect(signal.aborted).to.equal(true);
    await clock.advance(5000);
    expect([a.elector.leading, a.terms]).to.deep.equal([true, 2]);
  });

  it('does not lead on an answer that came too late', async () => {
    client.intercept = ({ verb }) => {
      if (verb !== 'update') return;
      client.intercept = undefined;
      clock.stall(11_000);
    };
    client.seed(leases, { metadata: ref, spec: {} });
    const a = start('a');
    await settle();
    expect(a.elector.leading).to.equal(false);
    await clock.advance(3000);
    expect(a.elector.leading).to.equal(true);
  });

  describe('a failing API server', () => {
    it('does not end a term when it is away for less than the renew deadline', async () => {
      const a = start('a');
      await clock.advance(2000);
      client.intercept = () => Promise.reject(new Error('connection refused'));
      await clock.advance(7500);
      expect(a.elector.leading).to.equal(true);
      client.intercept = undefined;
      await clock.advance(30_000);
      expect([a.elector.leading, a.terms, a.changes]).to.deep.equal([true, 1, [true]]);
    });

    it('ends the term at the renew deadline and leads again, in the same process, when it is back after minutes', async () => {
      const a = start('a');
      await clock.advance(2000);
      client.intercept = () => Promise.reject(new Error('connection refused'));
      await clock.advance(9999);
      expect(a.elector.leading).to.equal(true);
      await clock.advance(1);
      expect([a.elector.leading, a.elector.gate.signal.aborted]).to.deep.equal([false, true]);
      await clock.advance(300_000);
      client.intercept = undefined;
      await clock.advance(5000);
      expect([a.elector.leading, a.terms, a.changes]).to.deep.equal([true, 2, [true, false, true]]);
    });

    it('tries again when a request is never answered, in time to keep the term', async () => {
      const a = start('a');
      await clock.advance(1000);
      let hung = 0;
      client.intercept = ({ verb }) => (verb === 'update' && hung++ === 0 ? new Promise(() => undefined) : undefined);
      await clock.advance(60_000);
      expect([hung > 1, a.elector.leading, a.terms]).to.deep.equal([true, true, 1]);
    });

    it('keeps the term when a renewal arrived but its answer was lost', async () => {
      const a = start('a');
      await clock.advance(1000);
      client.fail({ verb: 'update', error: new Error('connection reset'), when: 'after' });
      await clock.advance(30_000);
      expect([a.elector.leading, a.terms, lease()?.leaseTransitions]).to.deep.equal([true, 1, 0]);
    });

    it('competes on when it could not make the lease', async () => {
      client.fail({ verb: 'create', error: new ApiError({ code: 409, reason: 'AlreadyExists' }) });
      const a = start('a');
      await clock.advance(2000);
      expect(a.elector.leading).to.equal(true);
    });
  });

  describe('a lease that others change', () => {
    it('keeps leading after a conflict with an edit that has nothing to do with the holder', async () => {
      const a = start('a');
      await clock.advance(1000);
      client.edit(leases, ref, { metadata: { labels: { a: 'b' } } });
      await clock.advance(10_000);
      expect([a.elector.leading, a.terms]).to.deep.equal([true, 1]);
      expect(client.peek(leases, ref)?.metadata?.labels).to.deep.equal({ a: 'b' });
    });

    it('stops with the next renewal when another process took it', async () => {
      const a = start('a');
      await clock.advance(1000);
      client.edit(leases, ref, { spec: { holderIdentity: 'usurper' } });
      await clock.advance(1000);
      expect([a.elector.leading, a.elector.holder]).to.deep.equal([false, 'usurper']);
    });

    it('makes it again when it was deleted, while those that knew the holder stay back', async () => {
      const a = start('a', { retryPeriodMs: 8000 });
      await clock.advance(100);
      const b = start('b');
      await clock.advance(3000);
      client.erase(leases, ref);
      await clock.advance(4000);
      expect([b.terms, lease()]).to.deep.equal([0, undefined]);
      await clock.advance(1000);
      expect([a.elector.leading, a.terms, b.terms, lease()?.holderIdentity]).to.deep.equal([true, 1, 0, 'a']);
    });

    it('is taken over after a deletion when its holder is gone', async () => {
      client.seed(leases, { metadata: ref, spec: { holderIdentity: 'dead', leaseDurationSeconds: 15 } });
      const a = start('a');
      await clock.advance(1000);
      client.erase(leases, ref);
      await clock.advance(13_000);
      expect(a.terms).to.equal(0);
      await clock.advance(3000);
      expect(a.elector.leading).to.equal(true);
    });
  });

  describe('stopping', () => {
    it('closes the gate, waits for the work, then releases, so that another leads at once', async () => {
      let worked = false;
      const a = start('a', {}, async (leading) => {
        await untilAborted(leading);
        expect(lease()?.holderIdentity).to.equal('a');
        await clock.sleep(1000);
        expect(lease()?.holderIdentity).to.equal('a');
        worked = true;
      });
      await settle();
      const b = start('b');
      await clock.advance(1000);
      a.abort.abort();
      expect(a.elector.leading).to.equal(false);
      await clock.advance(1000);
      expect([await a.running, worked, lease()?.holderIdentity]).to.deep.equal(['ended', true, '']);
      await clock.advance(2000);
      expect([b.elector.leading, lease()?.leaseTransitions]).to.deep.equal([true, 1]);
    });

    it('releases although the first attempt conflicts', async () => {
      const a = start('a');
      await settle();
      client.fail({ verb: 'update', error: new ApiError({ code: 409, reason: 'Conflict' }) });
      a.abort.abort();
      await a.running;
      expect(lease()?.holderIdentity).to.equal('');
    });

    it('ends although the release fails', async () => {
      const a = start('a');
      await settle();
      client.intercept = () => new Promise(() => undefined);
      a.abort.abort();
      await clock.advance(6000);
      expect([await a.running, lease()?.holderIdentity]).to.deep.equal(['ended', 'a']);
    });

    it('does not release a lease that is no longer its own', async () => {
      const a = start('a');
      await settle();
      client.edit(leases, ref, { spec: { holderIdentity: 'other' } });
      a.abort.abort();
      await a.running;
      expect(lease()?.holderIdentity).to.equal('other');
    });

    it('stops a candidate at once', async () => {
      client.seed(leases, { metadata: ref, spec: { holderIdentity: 'x', leaseDurationSeconds: 15 } });
      const a = start('a');
      await settle();
      a.abort.abort();
      expect(await a.running).to.equal('ended');
      expect([a.terms, client.callsOf({ verb: 'update' }).length]).to.deep.equal([0, 0]);
    });
  });

  describe('the work of the leader', () => {
    it('ends the run and releases the lease when it ends by itself', async () => {
      const a = start('a', {}, () => clock.sleep(500));
      await clock.advance(500);
      expect([await a.running, lease()?.holderIdentity, a.elector.leading]).to.deep.equal(['ended', '', false]);
    });

    it('makes the run reject with what it throws, after the lease was released', async () => {
      const error = new Error('bug');
      const a = start('a', {}, () => Promise.reject(error));
      await settle();
      expect([await a.running, lease()?.holderIdentity]).to.deep.equal([error, '']);
    });

    it('may throw when it is cut off without ending the run', async () => {
      const a = start('a', {}, async (leading) => {
        await untilAborted(leading);
        leading.throwIfAborted();
      });
      await clock.advance(1000);
      client.intercept = () => Promise.reject(new Error('away'));
      await clock.advance(20_000);
      client.intercept = undefined;
      await clock.advance(5000);
      expect([a.elector.leading, a.terms]).to.deep.equal([true, 2]);
    });

    it('is not started a second time before it has ended', async () => {
      const a = start('a', {}, async (leading) => {
        await untilAborted(leading);
        await clock.sleep(20_000);
      });
      await clock.advance(1000);
      client.edit(leases, ref, { spec: { holderIdentity: '' } });
      client.intercept = () => Promise.reject(new Error('away'));
      await clock.advance(12_000);
      client.intercept = undefined;
      await clock.advance(10_000);
      expect([a.terms, a.elector.gate.signal.aborted]).to.deep.equal([1, true]);
      await clock.advance(15_000);
      expect(a.terms).to.equal(2);
    });

    it('makes the run reject when it does not end within the stop timeout', async () => {
      const a = start('a', { stopTimeoutMs: 3000 }, () => new Promise(() => undefined));
      await settle();
      a.abort.abort();
      await clock.advance(3000);
      expect(await a.running)
        .to.be.instanceOf(FederationError)
        .with.property('code', 'INTERNAL');
      expect([lease()?.holderIdentity, a.elector.leading]).to.deep.equal(['a', false]);
    });
  });

  for (const times of [
    { leaseDurationMs: 10_000, renewDeadlineMs: 10_000 },
    { renewDeadlineMs: 2400 },
    { retryPeriodMs: 0 },
  ]) {
    it(`refuses times that don't fit: ${JSON.stringify(times)}`, () => {
      expect(() => start('a', times))
        .to.throw(TerminalError)
        .with.property('code', 'CONFIG_INVALID');
    });
  }
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
