import { expect } from 'chai';
import { onCurrent } from '../../../../src/clustertree/cluster/on-current.js';
import { FakeClock } from '../../../support/fake-clock.js';

describe('onCurrent', () => {
  let clock: FakeClock;
  let current: boolean;
  let heard: boolean[];
  let stop: () => void;

  beforeEach(() => {
    clock = new FakeClock();
    current = false;
    heard = [];
    stop = onCurrent(
      clock,
      () => current,
      (became) => heard.push(became),
    );
  });

  afterEach(() => {
    stop();
    expect(clock.pendingTimers).to.equal(0);
  });

  it('is silent while the caches can not be trusted', async () => {
    await clock.advance(5_000);
    expect(heard).to.deep.equal([]);
  });

  it('tells when they can, and that they could not before', async () => {
    await clock.advance(600);
    current = true;
    await clock.advance(1_000);
    expect(heard).to.deep.equal([true, false]);
  });

  it('tells of each return', async () => {
    current = true;
    await clock.advance(0);
    current = false;
    await clock.advance(500);
    current = true;
    await clock.advance(500);
    expect(heard).to.deep.equal([true, true]);
  });
});
