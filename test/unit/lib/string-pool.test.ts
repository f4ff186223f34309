import { expect } from 'chai';
import fc from 'fast-check';
import { StringPool } from '../../../src/lib/string-pool.js';

/** Strings are compared by value, so which copy is kept shows only in what a map of the pool gives back. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

describe('StringPool', () => {
  it('gives equal strings back', () => {
    const pool = new StringPool(2);
    for (const text of ['a', 'b', 'c', 'a', 'd', 'e', 'f', 'a', '']) expect(pool.share(copyOf(text))).to.equal(text);
  });

  it('replaces strings at any depth, in place', () => {
    const value = { a: 'x', list: ['x', { b: 'y', n: 1, t: true, nothing: null }], missing: undefined };
    const expected = structuredClone(value);
    expect(new StringPool().shareWithin(value)).to.equal(value);
    expect(value).to.deep.equal(expected);
  });

  it('leaves frozen objects alone', () => {
    const value = Object.freeze({ a: 'x' });
    expect(new StringPool().shareWithin(value)).to.equal(value);
  });

  it('changes no value, whatever it is given', () => {
    const pool = new StringPool(8);
    fc.assert(
      fc.property(fc.object(), (value) => {
        const expected = structuredClone(value);
        pool.shareWithin(value);
        expect(value).to.deep.equal(expected);
      }),
    );
  });

  it('keeps equal strings once', () => {
    const pool = new StringPool();
    pool.shareWithin({ a: copyOf('x'), list: [copyOf('x'), copyOf('y')] });
    expect(pool.size).to.equal(2);
  });

  it('keeps no long strings', () => {
    const pool = new StringPool();
    const long = 'x'.repeat(129);
    expect(pool.share(long)).to.equal(long);
    expect(pool.size).to.equal(0);
  });

  it('forgets what is not asked for any more, and keeps what is', () => {
    const pool = new StringPool(10);
    for (let i = 0; i < 1_000; i += 1) {
      pool.share(`once ${i}`);
      pool.share('again and again');
      expect(pool.size).to.be.at.most(20);
    }
    const before = pool.size;
    pool.share('again and again');
    expect(pool.size).to.equal(before);
  });
});
