import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeClient } from '../../../src/kube/client.js';
import { leases } from '../../../src/kube/resource.js';
import { sleepOn, type Clock, type Timer } from '../../../src/lib/clock.js';
import { silentLogger } from '../../../src/lib/logger.js';
import { LeaderElector } from '../../../src/runtime/leader-election.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const ref = { namespace: 'kosmos-system', name: 'kosmos-manager' };
const STEP_MS = 250;

/** A process on a machine with its own clock, whose event loop can be blocked, and whose network can fail. */
class SimulatedProcess implements Clock {
  readonly elector: LeaderElector;
  readonly abort = new AbortController();
  readonly running: Promise<void>;
  dead = false;
  #blocked: Promise<void> | undefined;
  #wallOffsetMs: number;
  readonly #world: FakeClock;
  readonly #originMs: number;
  network: { latencyMs: number; lost: 'no' | 'request' | 'answer' } = { latencyMs: 0, lost: 'no' };

  constructor(world: FakeClock, api: FakeKubeClient, number: number) {
    this.#world = world;
    this.#originMs = number * 12_345;
    this.#wallOffsetMs = number * 86_400_000;
    const client: Pick<KubeClient, 'get' | 'create' | 'update'> = {
      get: (...args) => this.#travel(() => api.get(...args)),
      create: (...args) => this.#travel(() => api.create(...args)),
      update: (...args) => this.#travel(() => api.update(...args)),
    };
    this.elector = new LeaderElector({
      client,
      clock: this,
      random: () => (number * 0.37) % 1,
      logger: silentLogger,
      lease: ref,
      identity: `process-${number}`,
    });
    this.running = this.elector.run(this.abort.signal, (leading) => {
      return new Promise((resolve) => leading.addEventListener('abort', () => resolve(), { once: true }));
    });
  }

  now(): number {
    return this.#world.now() + this.#wallOffsetMs;
  }

  monotonic(): number {
    return this.#world.monotonic() + this.#originMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    let cancelled = false;
    const timer = this.#world.schedule(delayMs, () => {
      if (this.#blocked === undefined) fire();
      else void this.#blocked.then(fire);
    });
    const fire = (): void => {
      if (!cancelled && !this.dead) callback();
    };
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Nothing of this process runs for a time; the world goes on. */
  block(ms: number): void {
    this.#blocked ??= new Promise((resolve) => {
      this.#world.schedule(ms, () => {
        this.#blocked = undefined;
        resolve();
      });
    });
  }

  setWall(offsetMs: number): void {
    this.#wallOffsetMs = offsetMs;
  }

  /** Ends without a word; the network may still deliver what it sent. */
  kill(): void {
    this.dead = true;
    this.abort.abort();
  }

  /** A call over the network. It arrives even if the caller has given it up, which is the worst case. */
  async #travel<R>(call: () => Promise<R>): Promise<R> {
    const { latencyMs, lost } = this.network;
    if (this.dead) return new Promise(() => undefined);
    await this.#world.sleep(latencyMs);
    if (lost === 'request') throw new Error('request lost');
    const outcome = await call().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    await this.#world.sleep(latencyMs);
    await this.#blocked;
    if (lost === 'answer') throw new Error('answer lost');
    return outcome();
  }
}

type Fault =
  | { readonly kind: 'block'; readonly ms: number }
  | { readonly kind: 'network'; readonly latencyMs: number; readonly lost: 'no' | 'request' | 'answer' }
  | { readonly kind: 'wall'; readonly offsetMs: number }
  | { readonly kind: 'restart' | 'stop' | 'edit' };

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('block' as const), ms: fc.integer({ min: 0, max: 40_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('network' as const),
      latencyMs: fc.constantFrom(0, 10, 900, 4000, 12_000, 30_000),
      lost: fc.constantFrom('no' as const, 'request' as const, 'answer' as const),
    }),
  },
  fc.record({ kind: fc.constant('wall' as const), offsetMs: fc.integer({ min: -1e9, max: 1e9 }) }),
  fc.record({ kind: fc.constantFrom('restart' as const, 'stop' as const, 'edit' as const) }),
);

describe('LeaderElector among several processes', function () {
  this.timeout(60_000);

  it('never has two open gates at any instant, and one leader when all is well again', async () => {
    const step = fc.record({ process: fc.nat(2), afterMs: fc.integer({ min: 0, max: 15_000 }), fault });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const world = new FakeClock();
        const api = new FakeKubeClient({ clock: world });
        let count = 0;
        const spawn = (): SimulatedProcess => new SimulatedProcess(world, api, count++);
        const processes = [spawn(), spawn(), spawn()];
        const everybody = [...processes];
        const run = async (ms: number): Promise<void> => {
          for (let left = ms; left > 0; left -= STEP_MS) {
            await world.advance(Math.min(left, STEP_MS));
            const open = everybody.filter((one) => !one.dead && one.elector.leading);
            expect(open.length, `open gates at ${world.monotonic()}`).to.be.at.most(1);
          }
        };
        const replace = (index: number): void => {
          processes[index] = spawn();
          everybody.push(processes[index]);
        };
        await run(1000);
        for (const { process: index, afterMs, fault: one } of steps) {
          const process = processes[index]!;
          if (one.kind === 'block') process.block(one.ms);
          else if (one.kind === 'network') process.network = one;
          else if (one.kind === 'wall') process.setWall(one.offsetMs);
          else if (one.kind === 'edit') {
            if (api.peek(leases, ref)) api.edit(leases, ref, { metadata: { labels: { at: `${world.monotonic()}` } } });
          } else {
            if (one.kind === 'restart') process.kill();
            else process.abort.abort();
            replace(index);
          }
          await run(afterMs);
        }
        for (const process of everybody) process.network = { latencyMs: 5, lost: 'no' };
        await run(150_000);
        expect(processes.filter(({ elector }) => elector.leading)).to.have.length(1);
        for (const process of everybody) process.abort.abort();
        await run(60_000);
        await Promise.all(everybody.filter(({ dead }) => !dead).map(({ running }) => running));
        await settle();
      }),
      { numRuns: 40 },
    );
  });
});
