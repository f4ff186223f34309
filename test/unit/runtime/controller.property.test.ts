import { expect } from 'chai';
import fc from 'fast-check';
import { TerminalError } from '../../../src/lib/errors.js';
import { silentLogger } from '../../../src/lib/logger.js';
import { Controller, type Reconciler } from '../../../src/runtime/controller.js';
import { FakeClock } from '../../support/fake-clock.js';

/** A change of the wanted state of a key. */
interface Change {
  readonly key: string;
  readonly waitMs: number;
  readonly priority: 'high' | 'low';
}

const change: fc.Arbitrary<Change> = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  waitMs: fc.integer({ min: 0, max: 40 }),
  priority: fc.constantFrom('high' as const, 'low' as const),
});

/** How a reconcile behaves; used in turn. */
const behaviour = fc.record({
  workMs: fc.integer({ min: 0, max: 30 }),
  ending: fc.constantFrom('ok', 'fail', 'requeue', 'terminal' as const),
});

describe('Controller under any sequence of changes', () => {
  it('ends with the actual state equal to the wanted one', async () => {
    const inputs = [
      fc.array(change, { minLength: 1, maxLength: 40 }),
      fc.array(behaviour, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
    ] as const;
    await fc.assert(
      fc.asyncProperty(...inputs, async (changes, behaviours, concurrency) => {
        const clock = new FakeClock();
        const wanted = new Map<string, number>();
        const actual = new Map<string, number>();
        const active = new Set<string>();
        let turn = 0;
        const reconciler: Reconciler = {
          reconcile: async (key) => {
            expect(active.has(key), 'one key in work twice').to.equal(false);
            active.add(key);
            expect(active.size).to.be.at.most(concurrency);
            const { workMs, ending } = behaviours[turn % behaviours.length]!;
            const late = turn++ > 60;
            const version = wanted.get(key);
            await clock.sleep(workMs);
            active.delete(key);
            if (!late && ending === 'fail') throw new Error('this time it failed');
            if (version !== undefined) actual.set(key, version);
            // What is refused for good counts as dealt with until the next change.
            if (!late && ending === 'terminal') throw new TerminalError('POD_REFUSED', 'refused');
            return !late && ending === 'requeue' ? { requeueAfterMs: 25 } : {};
          },
        };
        const controller = new Controller({ name: 'test', reconciler, concurrency, clock, logger: silentLogger });
        const abort = new AbortController();
        const running = controller.run(abort.signal);
        for (const [version, { key, waitMs, priority }] of changes.entries()) {
          wanted.set(key, version);
          controller.enqueue(key, { priority });
          await clock.advance(waitMs);
        }
        await clock.advance(7_200_000);
        expect([...actual].sort()).to.deep.equal([...wanted].sort());
        expect([controller.idle, clock.pendingTimers]).to.deep.equal([true, 0]);
        abort.abort();
        await running;
      }),
      { numRuns: 100 },
    );
  });
});
