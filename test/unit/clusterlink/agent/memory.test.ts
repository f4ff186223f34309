import { expect } from 'chai';
import { keepSmall } from '../../../../src/clusterlink/agent/memory.js';
import { loadLibc } from '../../../../src/clusterlink/agent/netlink/libc.js';
import { FakeClock } from '../../../support/fake-clock.js';

describe('keepSmall', () => {
  let clock: FakeClock;
  let stop: AbortController;
  let times: number[];
  let running: Promise<void>;

  beforeEach(() => {
    clock = new FakeClock();
    stop = new AbortController();
    times = [];
    const startedAt = clock.monotonic();
    running = keepSmall(() => times.push(clock.monotonic() - startedAt), clock, stop.signal);
  });

  afterEach(async () => {
    stop.abort(new Error('the test has ended'));
    await running;
    expect(clock.pendingTimers).to.equal(0);
  });

  it('gives memory back soon after the start, and then every half a minute', async () => {
    await clock.advance(4_900);
    expect(times).to.deep.equal([]);
    for (let second = 0; second < 70; second += 1) await clock.advance(1_000);
    expect(times.map((ms) => Math.floor(ms / 5_000) * 5)).to.deep.equal([5, 35, 65]);
  });

  it('ends at once, without doing so again', async () => {
    await clock.advance(6_000);
    stop.abort(new Error('the agent ends'));
    await running;
    expect(times).to.have.length(1);
  });
});

describe('what keeps an agent small', () => {
  it('is there in the C library that this runs on', async () => {
    const libc = await loadLibc();
    const before = process.memoryUsage.rss();
    libc.trim();
    libc.trim();
    expect(process.memoryUsage.rss()).to.be.at.most(before + 4 * 2 ** 20);
  });
});
