import { expect } from 'chai';
import { isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue } from '../../../src/lib/label-syntax.js';

const long = (length: number): string => 'a'.repeat(length);

const tables: readonly (readonly [string, (text: string) => boolean, readonly string[], readonly string[]])[] = [
  [
    'isLabelKey',
    isLabelKey,
    ['a', 'A.b_c-9', long(63), 'kosmos.io/node', 'topology.kubernetes.io/zone', `${long(253)}/x`],
    ['', '-a', 'a-', long(64), '/a', 'a/', 'a/b/c', 'UPPER.io/a', 'a..b/c', 'a b', `${long(254)}/x`],
  ],
  ['isLabelValue', isLabelValue, ['', 'a', 'A_b.c-9', long(63)], ['-', 'a-', long(64), 'a/b', 'ä']],
  [
    'isDnsSubdomain',
    isDnsSubdomain,
    ['a', 'a-b.c9', long(253), 'ip-10-0-0-1.eu-west-1.compute.internal'],
    ['', 'A', 'a_b', '-a', 'a-', 'a..b', '.a', 'a.', long(254)],
  ],
  ['isDnsLabel', isDnsLabel, ['a', 'a-1', long(63)], ['', 'a.b', 'A', '-a', 'a-', long(64)]],
];

for (const [name, check, good, bad] of tables) {
  describe(name, () => {
    for (const text of good) {
      it(`accepts "${text}"`, () => {
        expect(check(text)).to.be.true;
      });
    }
    for (const text of bad) {
      it(`refuses "${text}"`, () => {
        expect(check(text)).to.be.false;
      });
    }
  });
}
