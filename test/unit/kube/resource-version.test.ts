import { expect } from 'chai';
import fc from 'fast-check';
import {
  compareResourceVersions,
  isNotNewer,
  isOlder,
  parseResourceVersion,
} from '../../../src/kube/resource-version.js';

describe('parseResourceVersion', () => {
  it('makes a number of what JavaScript holds exactly', () => {
    expect(parseResourceVersion('0')).to.equal(0);
    expect(parseResourceVersion('123456')).to.equal(123456);
    expect(parseResourceVersion('9007199254740991')).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it('keeps everything else as it is', () => {
    for (const text of ['9007199254740993', 'abc', '1.5', '-1', '007', '1e3', ' 1']) {
      expect(parseResourceVersion(text)).to.equal(text);
    }
  });

  it('knows nothing of an object without version', () => {
    expect(parseResourceVersion(undefined)).to.equal(undefined);
    expect(parseResourceVersion('')).to.equal(undefined);
  });
});

describe('compareResourceVersions', () => {
  it('agrees with integers of any length', () => {
    const version = fc.bigInt({ min: 0n, max: 2n ** 80n });
    fc.assert(
      fc.property(version, version, (a, b) => {
        const order = compareResourceVersions(
          parseResourceVersion(String(a)) as string,
          parseResourceVersion(String(b)) as string,
        );
        expect(Math.sign(order ?? NaN)).to.equal(a === b ? 0 : a < b ? -1 : 1);
      }),
    );
  });

  it('knows no order of versions that are no numbers, except that equal is equal', () => {
    expect(compareResourceVersions('abc', 5)).to.equal(undefined);
    expect(compareResourceVersions('abc', 'abd')).to.equal(undefined);
    expect(compareResourceVersions('abc', 'abc')).to.equal(0);
  });
});

describe('isOlder and isNotNewer', () => {
  it('are true only of what is certain', () => {
    expect([isOlder(1, 2), isOlder(2, 2), isOlder(3, 2)]).to.deep.equal([true, false, false]);
    expect([isNotNewer(1, 2), isNotNewer(2, 2), isNotNewer(3, 2)]).to.deep.equal([true, true, false]);
    for (const [a, b] of [
      [undefined, 1],
      [1, undefined],
      ['x', 1],
    ] as const) {
      expect([isOlder(a, b), isNotNewer(a, b)]).to.deep.equal([false, false]);
    }
  });
});
