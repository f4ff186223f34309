import { expect } from 'chai';
import { FederationError, TerminalError } from '../../../src/lib/errors.js';
import { silentLogger, type LogFields, type Logger } from '../../../src/lib/logger.js';
import {
  Controller,
  type ControllerObserver,
  type ReconcileContext,
  type Reconciler,
  type Result,
} from '../../../src/runtime/controller.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

type Work = (key: string, context: ReconcileContext) => Promise<Result> | Result;

describe('Controller', () => {
  let clock: FakeClock;
  let abort: AbortController;
  let lines: { message: string; fields: LogFields }[];
  let seen: string[];

  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields = {}) => lines.push({ message, fields }),
    child: () => logger,
  };

  function make(work: Work, options: { concurrency?: number; observer?: ControllerObserver } = {}): Controller {
    const reconciler: Reconciler = {
      reconcile: async (key, context) => {
        seen.push(key);
        return work(key, context);
      },
    };
    return new Controller({ name: 'test', reconciler, clock, logger, ...options });
  }

  beforeEach(() => {
    clock = new FakeClock();
    abort = new AbortController();
    lines = [];
    seen = [];
  });

  it('reconciles keys that were enqueued before and after the start', async () => {
    const controller = make(() => ({}));
    controller.enqueue('a');
    const running = controller.run(abort.signal);
    await settle();
    controller.enqueue('b');
    await settle();
    abort.abort();
    await running;
    expect(seen).to.deep.equal(['a', 'b']);
  });

  it('works on at most `concurrency` keys at once and never on the same key twice', async () => {
    let active = 0;
    let most = 0;
    const activeKeys = new Set<string>();
    const work: Work = async (key) => {
      expect(activeKeys.has(key)).to.equal(false);
      activeKeys.add(key);
      most = Math.max(most, ++active);
      await clock.sleep(10);
      active--;
      activeKeys.delete(key);
      return {};
    };
    const controller = make(work, { concurrency: 3 });
    const running = controller.run(abort.signal);
    for (let round = 0; round < 4; round++) {
      for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key);
      await clock.advance(5);
    }
    await clock.advance(200);
    expect([most, controller.idle]).to.deep.equal([3, true]);
    expect(new Set(seen).size).to.equal(5);
    abort.abort();
    await running;
  });

  it('takes high keys before low ones', async () => {
    const controller = make(() => clock.sleep(1).then(() => ({})));
    for (const key of ['a', 'b']) controller.enqueue(key, { priority: 'low' });
    controller.enqueue('c');
    expect(controller.queueLength).to.equal(3);
    const running = controller.run(abort.signal);
    await clock.advance(10);
    abort.abort();
    await running;
    expect(seen).to.deep.equal(['c', 'a', 'b']);
  });

  it('tries again with growing delays and counts the attempts until it succeeds', async () => {
    const attempts: number[] = [];
    const times: number[] = [];
    const work: Work = (_key, { attempt }) => {
      attempts.push(attempt);
      times.push(clock.monotonic());
      if (attempts.length < 4) throw new FederationError('API_UNREACHABLE', 'no route');
      return {};
    };
    const controller = make(work);
    controller.enqueue('a');
    const running = controller.run(abort.signal);
    await clock.advance(1000);
    expect(attempts).to.deep.equal([1, 2, 3, 4]);
    expect(times).to.deep.equal([0, 5, 15, 35]);
    controller.enqueue('a');
    await settle();
    expect(attempts.at(-1)).to.equal(1);
    abort.abort();
    await running;
    expect(lines[0]).to.deep.equal({
      message: 'reconcile failed',
      fields: { key: 'a', attempt: 1, retryAfterMs: 5, code: 'API_UNREACHABLE', error: 'no route' },
    });
  });

  it('starts with the delay that the error asks for', async () => {
    const times: number[] = [];
    const controller = make(() => {
      times.push(clock.monotonic());
      throw new FederationError('POD_REFUSED', 'exceeded quota', { firstRetryMs: 1000 });
    });
    controller.enqueue('a');
    const running = controller.run(abort.signal);
    await clock.advance(7000);
    expect(times).to.deep.equal([0, 1000, 3000, 7000]);
    abort.abort();
    await running;
  });

  it('records a terminal error and waits for the next change', async () => {
    const controller = make(() => {
      throw new TerminalError('POD_REFUSED', 'hostNetwork is not supported');
    });
    controller.enqueue('a');
    const running = controller.run(abort.signal);
    await clock.advance(100_000);
    expect(seen).to.deep.equal(['a']);
    expect(lines.map((line) => [line.message, line.fields['code']])).to.deep.equal([
      ['reconcile failed for good', 'POD_REFUSED'],
    ]);
    controller.enqueue('a');
    await settle();
    expect(seen).to.deep.equal(['a', 'a']);
    abort.abort();
    await running;
  });

  it('survives whatever a reconciler throws', async () => {
    const thrown: unknown[] = [new TypeError('x is undefined'), 'text', undefined, null];
    const controller = make(() => {
      // A reconciler with a bug may throw anything.
      if (thrown.length > 0) throw thrown.shift() as Error;
      return {};
    });
    controller.enqueue('a');
    const running = controller.run(abort.signal);
    await clock.advance(1000);
    expect(seen).to.have.length(5);
    expect(lines[0]?.fields['stack']).to.contain('TypeError');
    abort.abort();
    await running;
  });

  it('reconciles a key again after the time that it asked for', async () => {
    const controller = make(() => (seen.length < 3 ? { requeueAfterMs: 30_000 } : {}));
    controller.enqueue('a');
    const running = controller.run(abort.signal);
    await clock.advance(29_999);
    expect(seen).to.have.length(1);
    await clock.advance(30_001);
    expect(seen).to.have.length(3);
    await clock.advance(100_000);
    expect(seen).to.have.length(3);
    abort.abort();
    await running;
  });

  it('reconciles a delayed key when its time has come', async () => {
    const controller = make(() => ({}));
    const running = controller.run(abort.signal);
    controller.enqueueAfter('a', 50);
    await clock.advance(49);
    expect(seen).to.deep.equal([]);
    await clock.advance(1);
    expect(seen).to.deep.equal(['a']);
    abort.abort();
    await running;
  });

  it('aborts reconciles in flight when it stops, waits for them, drops the rest and leaves no timer', async () => {
    let finished = false;
    const work: Work = async (_key, { signal }) => {
      await clock.sleep(60_000, signal).catch(() => undefined);
      await clock.sleep(10);
      finished = true;
      signal.throwIfAborted();
      return {};
    };
    const controller = make(work);
    for (const key of ['a', 'b']) controller.enqueue(key);
    controller.enqueueAfter('c', 5000);
    const running = controller.run(abort.signal);
    await settle();
    abort.abort();
    await clock.advance(10);
    await running;
    controller.enqueue('d');
    await clock.advance(100_000);
    expect(finished).to.equal(true);
    expect(seen).to.deep.equal(['a']);
    expect([lines.length, clock.pendingTimers]).to.deep.equal([0, 0]);
  });

  it('stops at once when its signal is aborted already', async () => {
    const controller = make(() => ({}));
    controller.enqueue('a');
    abort.abort();
    await controller.run(abort.signal);
    expect(seen).to.deep.equal([]);
  });

  it('refuses to run twice', async () => {
    const controller = make(() => ({}));
    abort.abort();
    await controller.run(abort.signal);
    const error: unknown = await controller.run(abort.signal).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(FederationError).with.property('code', 'INTERNAL');
  });

  it('reports outcome and duration of each reconcile', async () => {
    const outcomes: string[] = [];
    const work: Work = async (key) => {
      await clock.sleep(7);
      if (key === 'bad') throw new Error('bad');
      if (key === 'worse') throw new TerminalError('POD_REFUSED', 'worse');
      return key === 'again' ? { requeueAfterMs: 1e9 } : {};
    };
    const observer: ControllerObserver = { reconciled: (outcome, ms) => outcomes.push(`${outcome} ${ms}`) };
    const controller = make(work, { observer });
    for (const key of ['good', 'again', 'worse', 'bad']) controller.enqueue(key);
    const running = controller.run(abort.signal);
    await clock.advance(28);
    controller.enqueue('late');
    await settle();
    abort.abort();
    await clock.advance(7);
    await running;
    expect(outcomes).to.deep.equal(['success 7', 'requeue 7', 'terminal 7', 'error 7', 'success 7']);
  });

  it('runs a thousand idle controllers without a timer', async () => {
    const controllers = Array.from({ length: 1000 }, () => make(() => ({}), { concurrency: 16 }));
    const running = controllers.map((controller) => controller.run(abort.signal));
    controllers.forEach((controller, i) => controller.enqueue(`k${i}`));
    await settle();
    expect([seen.length, clock.pendingTimers]).to.deep.equal([1000, 0]);
    abort.abort();
    await Promise.all(running);
  });
});
