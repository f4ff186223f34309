import { expect } from 'chai';
import { TokenBucket } from '../../../src/lib/token-bucket.js';

describe('TokenBucket', () => {
  it('gives its burst, then one token for each interval', () => {
    const bucket = new TokenBucket({ burst: 2, perSecond: 0.5 }, 0);
    expect([bucket.tryTake(0), bucket.tryTake(0), bucket.tryTake(0)]).to.deep.equal([true, true, false]);
    expect(bucket.tryTake(1999)).to.equal(false);
    expect([bucket.tryTake(2000), bucket.tryTake(2000)]).to.deep.equal([true, false]);
  });

  it('says when the next token comes', () => {
    const bucket = new TokenBucket({ burst: 1, perSecond: 10 }, 0);
    expect(bucket.waitMs(0)).to.equal(0);
    bucket.tryTake(0);
    expect([bucket.waitMs(0), bucket.waitMs(50), bucket.waitMs(100)]).to.deep.equal([100, 50, 0]);
  });

  it('counts parts of a token', () => {
    const bucket = new TokenBucket({ burst: 2, perSecond: 10 }, 0);
    expect([0, 0, 50, 100].map((nowMs) => bucket.tryTake(nowMs))).to.deep.equal([true, true, false, true]);
  });

  it('never holds more than its burst', () => {
    const bucket = new TokenBucket({ burst: 2, perSecond: 1 }, 0);
    expect([1, 2, 3].map(() => bucket.tryTake(1e9))).to.deep.equal([true, true, false]);
  });

  it('gains nothing when time seems to go back', () => {
    const bucket = new TokenBucket({ burst: 1, perSecond: 1 }, 1000);
    expect([bucket.tryTake(1000), bucket.tryTake(0), bucket.tryTake(1999)]).to.deep.equal([true, false, false]);
  });
});
