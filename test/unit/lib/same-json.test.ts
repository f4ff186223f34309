import { expect } from 'chai';
import fc from 'fast-check';
import { sameJson } from '../../../src/lib/same-json.js';

describe('sameJson', () => {
  const same: [string, unknown, unknown][] = [
    ['equal numbers', 1, 1],
    ['null and undefined', null, undefined],
    ['a member that is undefined and one that is absent', { a: 1, b: undefined }, { a: 1 }],
    ['a member that is null and one that is absent', { a: 1 }, { a: 1, b: null }],
    ['members in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['nested lists', { a: [{ b: [] }] }, { a: [{ b: [] }] }],
  ];
  for (const [name, left, right] of same) {
    it(`takes ${name} for the same`, () => {
      expect(sameJson(left, right)).to.be.true;
      expect(sameJson(right, left)).to.be.true;
    });
  }

  const different: [string, unknown, unknown][] = [
    ['numbers', 1, 2],
    ['a number and its text', 1, '1'],
    ['an empty object and an absent one', {}, undefined],
    ['an empty list and an empty object', [], {}],
    ['lists of another length', [1], [1, 2]],
    ['lists in another order', [1, 2], [2, 1]],
    ['a missing member', { a: 1 }, {}],
    ['false and absent', false, undefined],
  ];
  for (const [name, left, right] of different) {
    it(`tells ${name} apart`, () => {
      expect(sameJson(left, right)).to.be.false;
      expect(sameJson(right, left)).to.be.false;
    });
  }

  it('agrees with the texts of values without absent members', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => sameJson(value, JSON.parse(JSON.stringify(value)))));
  });
});
