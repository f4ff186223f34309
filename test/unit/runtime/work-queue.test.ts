import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock } from '../../../src/lib/clock.js';
import { WorkQueue, type WorkQueueObserver } from '../../../src/runtime/work-queue.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

describe('WorkQueue', () => {
  let clock: FakeClock;
  let queue: WorkQueue;

  beforeEach(() => {
    clock = new FakeClock();
    queue = new WorkQueue({ clock });
  });

  /** All keys that are ready, given back at once. */
  async function takeAll(): Promise<string[]> {
    const keys: string[] = [];
    while (queue.length > 0) {
      const key = await queue.get();
      if (key === undefined) break;
      keys.push(key);
      queue.done(key);
    }
    return keys;
  }

  describe('add and get', () => {
    it('hands keys out in order, each once however often it was added', async () => {
      for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
      expect(queue.length).to.equal(3);
      expect(await takeAll()).to.deep.equal(['a', 'b', 'c']);
    });

    it('hands a key to the getter that has waited longest', async () => {
      const first = queue.get();
      const second = queue.get();
      queue.add('a');
      queue.add('b');
      expect(await Promise.all([first, second])).to.deep.equal(['a', 'b']);
    });

    it('does not hand out a key that is in work, but queues it again when it is given back', async () => {
      queue.add('a');
      await queue.get();
      queue.add('a');
      queue.add('a');
      expect([queue.length, queue.inWork]).to.deep.equal([0, 1]);
      queue.done('a');
      expect([queue.length, queue.inWork]).to.deep.equal([1, 0]);
      expect(await takeAll()).to.deep.equal(['a']);
    });

    it('does not queue a key again that was not added while in work', async () => {
      queue.add('a');
      await takeAll();
      expect(queue.length).to.equal(0);
    });

    it('ignores a key that is given back twice or was never handed out', async () => {
      queue.add('a');
      queue.done('a');
      expect(await takeAll()).to.deep.equal(['a']);
      queue.done('a');
      expect([queue.length, queue.inWork]).to.deep.equal([0, 0]);
    });

    it('stops waiting when the signal aborts, and loses no key by it', async () => {
      const abort = new AbortController();
      const waiting = queue.get(abort.signal);
      abort.abort();
      expect(await waiting).to.equal(undefined);
      expect(await queue.get(abort.signal)).to.equal(undefined);
      queue.add('a');
      expect(await takeAll()).to.deep.equal(['a']);
    });
  });

  describe('priorities', () => {
    it('hands out high before low', async () => {
      queue.add('low1', { priority: 'low' });
      queue.add('high1');
      queue.add('low2', { priority: 'low' });
      queue.add('high2');
      expect(await takeAll()).to.deep.equal(['high1', 'high2', 'low1', 'low2']);
    });

    it('promotes a key that is queued low and added high, and never demotes one', async () => {
      for (const key of ['a', 'b', 'c']) queue.add(key, { priority: 'low' });
      queue.add('c');
      queue.add('c', { priority: 'low' });
      expect(queue.length).to.equal(3);
      expect(await takeAll()).to.deep.equal(['c', 'a', 'b']);
    });

    it('queues a dirty key again with the highest priority that it was added with', async () => {
      queue.add('a');
      await queue.get();
      queue.add('a', { priority: 'low' });
      queue.add('a');
      queue.add('a', { priority: 'low' });
      queue.add('b', { priority: 'low' });
      queue.done('a');
      expect(await takeAll()).to.deep.equal(['a', 'b']);
    });

    it('keeps the priority of a key in work when it is delayed', async () => {
      queue.add('a', { priority: 'low' });
      await queue.get();
      queue.addAfter('a', 10);
      queue.done('a');
      await clock.advance(10);
      queue.add('b');
      expect(await takeAll()).to.deep.equal(['b', 'a']);
    });
  });

  describe('addAfter', () => {
    it('queues a key when its time has come, all keys on one timer', async () => {
      for (let i = 100; i > 0; i--) queue.addAfter(`k${i}`, i * 10);
      expect([clock.pendingTimers, queue.delayed, queue.length]).to.deep.equal([1, 100, 0]);
      await clock.advance(25);
      expect(await takeAll()).to.deep.equal(['k1', 'k2']);
      await clock.advance(1000);
      expect(await takeAll()).to.have.length(98);
      expect(clock.pendingTimers).to.equal(0);
    });

    it('keeps the earliest time of a key', async () => {
      queue.addAfter('a', 100);
      queue.addAfter('a', 50);
      queue.addAfter('a', 200);
      await clock.advance(50);
      expect(await takeAll()).to.deep.equal(['a']);
      await clock.advance(1000);
      expect(queue.length).to.equal(0);
    });

    for (const delayMs of [0, -5, NaN]) {
      it(`queues at once for a delay of ${delayMs}`, () => {
        queue.addAfter('a', delayMs);
        expect([queue.length, clock.pendingTimers]).to.deep.equal([1, 0]);
      });
    }

    it('uses the higher priority of two delayed adds', async () => {
      queue.addAfter('a', 10, { priority: 'low' });
      queue.addAfter('b', 10, { priority: 'low' });
      queue.addAfter('b', 20, { priority: 'high' });
      await clock.advance(10);
      expect(await takeAll()).to.deep.equal(['b', 'a']);
    });

    it('does not disturb a key that is added in the meantime', async () => {
      queue.addAfter('a', 10);
      queue.add('a');
      expect(await takeAll()).to.deep.equal(['a']);
      await clock.advance(10);
      expect(await takeAll()).to.deep.equal(['a']);
    });

    it('waits on when its timer fires before the time', async () => {
      const early = new FakeClock();
      const impatient = new WorkQueue({
        clock: {
          now: () => early.now(),
          monotonic: () => early.monotonic(),
          schedule: (ms, callback) => early.schedule(Math.min(ms, 4), callback),
          sleep: (ms, signal) => early.sleep(ms, signal),
        },
      });
      impatient.addAfter('a', 10);
      await early.advance(9);
      expect(impatient.length).to.equal(0);
      await early.advance(1);
      expect(impatient.length).to.equal(1);
    });
  });

  describe('addRateLimited', () => {
    it('doubles the delay of a key with each failure, up to 60 s', () => {
      const delays = Array.from({ length: 16 }, () => queue.addRateLimited('a'));
      expect(delays.slice(0, 4)).to.deep.equal([5, 10, 20, 40]);
      expect(delays.slice(-2)).to.deep.equal([60_000, 60_000]);
      expect([queue.retries('a'), queue.retries('b')]).to.deep.equal([16, 0]);
    });

    it('counts for each key alone and starts over when it is forgotten', () => {
      queue.addRateLimited('a');
      expect(queue.addRateLimited('b')).to.equal(5);
      queue.forget('a');
      expect(queue.addRateLimited('a')).to.equal(5);
    });

    it('queues the key after that delay', async () => {
      queue.addRateLimited('a');
      await clock.advance(4);
      expect(queue.length).to.equal(0);
      await clock.advance(1);
      expect(queue.length).to.equal(1);
    });

    it('uses the back-off that it was given', () => {
      queue = new WorkQueue({ clock, backoff: { initialMs: 1000, maxMs: 1500 } });
      expect([queue.addRateLimited('a'), queue.addRateLimited('a')]).to.deep.equal([1000, 1500]);
    });
  });

  describe('addRateLimited with a first delay', () => {
    it('doubles that one instead of its own', () => {
      const delays = [1, 2, 3].map(() => queue.addRateLimited('a', { firstMs: 1000 }));
      expect(delays).to.deep.equal([1000, 2000, 4000]);
    });
  });

  describe('shutDown', () => {
    it('drops all keys, lets no more in, cancels the timer and releases getters', async () => {
      const waiting = queue.get();
      queue.addAfter('later', 100);
      const done = queue.shutDown();
      queue.add('a');
      queue.addAfter('b', 5);
      queue.addRateLimited('c');
      await done;
      expect(await waiting).to.equal(undefined);
      expect(await queue.get()).to.equal(undefined);
      expect([queue.length, queue.delayed, clock.pendingTimers]).to.deep.equal([0, 0, 0]);
    });

    it('waits until the keys in work are given back', async () => {
      queue.add('a');
      queue.add('b');
      await queue.get();
      let over = false;
      const done = queue.shutDown().then(() => (over = true));
      await settle();
      expect([over, queue.length]).to.deep.equal([false, 0]);
      queue.done('a');
      await done;
      expect(over).to.equal(true);
    });

    it('hands out what is queued and dirty first when it drains', async () => {
      queue.add('a');
      queue.add('b');
      await queue.get();
      queue.add('a');
      let over = false;
      const done = queue.shutDown({ drain: true }).then(() => (over = true));
      queue.done('a');
      await settle();
      expect(over).to.equal(false);
      expect(await takeAll()).to.deep.equal(['b', 'a']);
      await done;
      expect(await queue.get()).to.equal(undefined);
    });

    it('releases a getter that waits while the last key is drained', async () => {
      queue.add('a');
      await queue.get();
      const done = queue.shutDown({ drain: true });
      const waiting = queue.get();
      queue.done('a');
      await done;
      expect(await waiting).to.equal(undefined);
    });
  });

  it('tells its observer about depth, waiting, work and retries', async () => {
    const seen: string[] = [];
    const observer: WorkQueueObserver = {
      queued: (depth) => seen.push(`queued ${depth}`),
      taken: (depth, waitedMs) => seen.push(`taken ${depth} ${waitedMs}`),
      finished: (workedMs) => seen.push(`finished ${workedMs}`),
      retried: () => seen.push('retried'),
    };
    queue = new WorkQueue({ clock, observer });
    queue.add('a', { priority: 'low' });
    await clock.advance(3);
    queue.add('a');
    await clock.advance(4);
    await queue.get();
    await clock.advance(5);
    queue.addRateLimited('a');
    queue.done('a');
    expect(seen).to.deep.equal(['queued 1', 'taken 0 7', 'retried', 'finished 5']);
  });

  it('takes 200,000 distinct keys in and out in time that grows with their number, not its square', async () => {
    queue = new WorkQueue({ clock: systemClock });
    // CPU time, because other tests may keep the machine busy; about 0.6 s, with a quadratic step 6 s and more.
    const before = process.cpuUsage();
    for (let i = 0; i < 200_000; i++) queue.add(`namespace/pod-${i}`, { priority: i % 2 === 0 ? 'high' : 'low' });
    for (let i = 0; i < 200_000; i++) queue.done((await queue.get()) ?? '');
    const { user } = process.cpuUsage(before);
    expect(queue.length).to.equal(0);
    expect(user / 1000).to.be.below(3000);
  }).timeout(60_000);

  it('never works on a key twice at once, and works on it after every add, for any schedule', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ op: fc.constantFrom('add' as const, 'low' as const), key }),
      fc.record({ op: fc.constant('after' as const), key, ms: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20 }) }),
    );
    const workMs = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 10 });
    const failing = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), workMs, failing, async (steps, durations, failures) => {
        const time = new FakeClock();
        const tested = new WorkQueue({ clock: time });
        const working = new Set<string>();
        const startedAt = new Map<string, number>();
        const owedSince = new Map<string, number>();
        let turn = 0;
        const worker = async (): Promise<void> => {
          for (let taken = await tested.get(); taken !== undefined; taken = await tested.get()) {
            expect(working.has(taken), 'in work twice').to.equal(false);
            working.add(taken);
            const mine = turn++;
            startedAt.set(taken, mine);
            await time.sleep(durations[mine % durations.length]!);
            if (mine < 50 && failures[mine % failures.length]) tested.addRateLimited(taken);
            working.delete(taken);
            tested.done(taken);
          }
        };
        const workers = [worker(), worker(), worker()];
        for (const one of steps) {
          if (one.op === 'wait') await time.advance(one.ms);
          else {
            owedSince.set(one.key, turn);
            if (one.op === 'after') tested.addAfter(one.key, one.ms);
            else tested.add(one.key, { priority: one.op === 'low' ? 'low' : 'high' });
          }
        }
        await time.advance(10_000_000);
        for (const [owed, since] of owedSince) expect(startedAt.get(owed), owed).to.be.at.least(since);
        expect([tested.length, tested.inWork, tested.delayed, time.pendingTimers]).to.deep.equal([0, 0, 0, 0]);
        await tested.shutDown();
        await Promise.all(workers);
      }),
      { numRuns: 150 },
    );
  });
});
