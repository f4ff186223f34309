import { expect } from 'chai';
import { runSteadily } from '../../../../src/clustertree/cluster/steady-controller.js';
import { WaitingKeys } from '../../../../src/clustertree/cluster/waiting-keys.js';
import { Controller } from '../../../../src/runtime/controller.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock, settle } from '../../../support/fake-clock.js';

describe('runSteadily', () => {
  let clock: FakeClock;
  let stop: AbortController;
  let waiting: WaitingKeys;
  let current: boolean;
  let reconciled: string[];
  let running: Promise<void>;

  beforeEach(() => {
    clock = new FakeClock();
    stop = new AbortController();
    waiting = new WaitingKeys();
    current = false;
    reconciled = [];
    const reconciler = {
      reconcile: (key: string): Promise<object> => {
        reconciled.push(key);
        return Promise.resolve({});
      },
    };
    const controller = new Controller({ name: 'test', reconciler, clock, logger: silentLogger });
    const keys = (): string[] => ['a', 'b', 'a'];
    running = runSteadily(
      { controller, waiting, clock, keys, isCurrent: () => current, random: () => 0.5 },
      stop.signal,
    );
  });

  afterEach(async () => {
    stop.abort(new Error('done'));
    await running;
    expect(clock.pendingTimers).to.equal(0);
  });

  async function pass(ms: number): Promise<void> {
    await clock.advance(ms);
    await settle();
  }

  it('does nothing while the caches can not be trusted', async () => {
    waiting.add('w');
    await pass(2_000);
    expect(reconciled).to.be.empty;
  });

  it('judges everything once they can, and what had to wait first', async () => {
    waiting.add('w');
    current = true;
    await pass(500);
    expect(reconciled).to.deep.equal(['w', 'a', 'b']);
    await pass(2_000);
    expect(reconciled).to.have.length(3);
  });

  it('judges everything again every five minutes', async () => {
    await pass(299_000);
    expect(reconciled).to.be.empty;
    await pass(1_000);
    expect(reconciled).to.deep.equal(['a', 'b']);
    await pass(300_000);
    expect(reconciled).to.have.length(4);
  });
});
