import { expect } from 'chai';
import { TokenBucket } from '../../../src/kube/token-bucket.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('TokenBucket', () => {
  it('gives as many tokens at once as its burst, then none', () => {
    const bucket = new TokenBucket({ qps: 10, burst: 3, clock: new FakeClock() });
    expect([1, 2, 3, 4].map(() => bucket.tryTake())).to.deep.equal([true, true, true, false]);
  });

  it('says when the next token comes', () => {
    const bucket = new TokenBucket({ qps: 10, burst: 1, clock: new FakeClock() });
    expect(bucket.waitMs()).to.equal(0);
    bucket.tryTake();
    expect(bucket.waitMs()).to.equal(100);
  });

  it('gets tokens back with time, parts of one too', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ qps: 10, burst: 2, clock });
    bucket.tryTake();
    bucket.tryTake();
    await clock.advance(50);
    expect(bucket.tryTake()).to.equal(false);
    expect(bucket.waitMs()).to.equal(50);
    await clock.advance(50);
    expect(bucket.tryTake()).to.equal(true);
  });

  it('never holds more than its burst', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ qps: 1000, burst: 2, clock });
    await clock.advance(60_000);
    expect([1, 2, 3].map(() => bucket.tryTake())).to.deep.equal([true, true, false]);
  });
});
