import { expect } from 'chai';
import { HostClock } from '../../../../src/clustertree/identity/host-clock.js';
import { FakeClock } from '../../../support/fake-clock.js';

describe('HostClock', () => {
  let clock: FakeClock;
  let hostTime: number;
  let asked: number;
  let hostClock: HostClock;

  beforeEach(() => {
    clock = new FakeClock();
    // An hour behind this machine, which must not matter.
    hostTime = clock.now() - 3_600_000;
    asked = 0;
    const serverTime = (): Promise<number> => {
      asked += 1;
      return Promise.resolve(hostTime);
    };
    hostClock = new HostClock({ serverTime }, clock);
  });

  it('asks the host, and counts on from there', async () => {
    expect(await hostClock.now({})).to.equal(hostTime);
    await clock.advance(60_000);
    expect(await hostClock.now({})).to.equal(hostTime + 60_000);
    expect(hostClock.estimate()).to.equal(hostTime + 60_000);
    expect(asked).to.equal(1);
  });

  it('asks again after ten minutes, and follows a clock that was set', async () => {
    await hostClock.now({});
    await clock.advance(600_000);
    hostTime += 5_000;
    expect(await hostClock.now({})).to.equal(hostTime);
    expect(asked).to.equal(2);
  });

  it('does not guess', () => {
    expect(hostClock.estimate()).to.be.undefined;
    expect(asked).to.equal(0);
  });

  it('fails when the host does not answer', async () => {
    const failing = new HostClock({ serverTime: () => Promise.reject(new Error('down')) }, clock);
    expect(await failing.now({}).catch((error: unknown) => error)).to.have.property('message', 'down');
  });
});
