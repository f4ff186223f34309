import { expect } from 'chai';
import { type RequestClass, RequestLimiter } from '../../../src/kube/request-limiter.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

describe('RequestLimiter', () => {
  const never = new AbortController().signal;
  let clock: FakeClock;
  let granted: string[];
  let releases: (() => void)[];

  beforeEach(() => {
    clock = new FakeClock();
    granted = [];
    releases = [];
  });

  function limiter(options: Partial<{ qps: number; burst: number; maxInFlight: number }> = {}): RequestLimiter {
    return new RequestLimiter({ qps: 10, burst: 100, maxInFlight: 100, clock, ...options });
  }

  function ask(
    target: RequestLimiter,
    name: string,
    requestClass: RequestClass = 'normal',
    signal = never,
  ): Promise<void> {
    return target.acquire(requestClass, signal).then((release) => {
      granted.push(name);
      releases.push(release);
    });
  }

  it('lets everything through at once while there are tokens', async () => {
    const target = limiter();
    await Promise.all([ask(target, 'a'), ask(target, 'b')]);
    expect(granted).to.deep.equal(['a', 'b']);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('lets requests wait for tokens, first come, first served', async () => {
    const target = limiter({ burst: 1 });
    for (const name of ['a', 'b', 'c']) void ask(target, name);
    await settle();
    expect(granted).to.deep.equal(['a']);
    await clock.advance(101);
    expect(granted).to.deep.equal(['a', 'b']);
    await clock.advance(100);
    expect(granted).to.deep.equal(['a', 'b', 'c']);
  });

  it('keeps to the rate over a long time', async () => {
    const target = limiter({ qps: 200, burst: 5, maxInFlight: 10_000 });
    for (let i = 0; i < 1000; i++) void ask(target, String(i));
    await clock.advance(2000);
    expect(granted.length).to.be.within(400, 406);
  });

  it('lets watches overtake requests, and requests overtake those of low priority', async () => {
    const target = limiter({ burst: 1 });
    void ask(target, 'first');
    void ask(target, 'low', 'low');
    void ask(target, 'normal', 'normal');
    void ask(target, 'watch', 'stream');
    await clock.advance(1000);
    expect(granted).to.deep.equal(['first', 'watch', 'normal', 'low']);
  });

  it('keeps requests waiting while too many are under way', async () => {
    const target = limiter({ maxInFlight: 2 });
    for (const name of ['a', 'b', 'c']) void ask(target, name);
    await settle();
    expect(granted).to.deep.equal(['a', 'b']);
    releases[0]?.();
    await settle();
    expect(granted).to.deep.equal(['a', 'b', 'c']);
  });

  it('does not count watches among the requests under way', async () => {
    const target = limiter({ maxInFlight: 1 });
    await ask(target, 'a');
    await ask(target, 'watch', 'stream');
    expect(granted).to.deep.equal(['a', 'watch']);
    releases[1]?.();
    void ask(target, 'b');
    await settle();
    expect(granted).not.to.contain('b');
  });

  it('counts a release only once', async () => {
    const target = limiter({ maxInFlight: 1 });
    await ask(target, 'a');
    releases[0]?.();
    releases[0]?.();
    void ask(target, 'b');
    void ask(target, 'c');
    await settle();
    expect(granted).to.deep.equal(['a', 'b']);
  });

  it('forgets a waiting request that is given up, and rejects with the reason', async () => {
    const target = limiter({ burst: 1 });
    const giveUp = new AbortController();
    await ask(target, 'a');
    const waiting = ask(target, 'b', 'normal', giveUp.signal);
    void ask(target, 'c');
    const reason = new Error('not needed any more');
    giveUp.abort(reason);
    expect(await waiting.catch((error: unknown) => error)).to.equal(reason);
    await clock.advance(101);
    expect(granted).to.deep.equal(['a', 'c']);
  });

  it('leaves no timer behind when the last one that waits gives up', async () => {
    const target = limiter({ burst: 1 });
    const giveUp = new AbortController();
    await ask(target, 'a');
    const waiting = ask(target, 'b', 'normal', giveUp.signal).catch(() => undefined);
    expect(clock.pendingTimers).to.equal(1);
    giveUp.abort();
    await waiting;
    expect(clock.pendingTimers).to.equal(0);
  });

  it('takes nothing for a request that was given up before', async () => {
    const target = limiter({ burst: 1 });
    const refused = await ask(target, 'a', 'normal', AbortSignal.abort(new Error('early'))).catch((e: unknown) => e);
    expect(refused).to.have.property('message', 'early');
    await ask(target, 'b');
    expect(granted).to.deep.equal(['b']);
  });
});
