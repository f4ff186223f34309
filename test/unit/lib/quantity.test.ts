import { expect } from 'chai';
import fc from 'fast-check';
import type { Quantity } from '../../../src/lib/quantity.js';
import {
  addQuantity,
  atLeastZero,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  subtractQuantity,
  unitQuantity,
} from '../../../src/lib/quantity.js';

const canonical = (text: string): string => formatQuantity(parseQuantity(text));

const quantities = fc
  .record({
    nanos: fc.bigInt({ min: -(10n ** 26n), max: 10n ** 26n }),
    format: fc.constantFrom('DecimalSI', 'BinarySI', 'DecimalExponent'),
  })
  .map((quantity): Quantity => quantity as Quantity);

describe('parseQuantity and formatQuantity', () => {
  // Expected values come from apimachinery's ParseQuantity(...).String().
  const table: readonly (readonly [string, string])[] = [
    ['0', '0'],
    ['0.0', '0'],
    ['007', '7'],
    ['1', '1'],
    ['+1', '1'],
    ['-1', '-1'],
    ['1.', '1'],
    ['.5', '500m'],
    ['1.5', '1500m'],
    ['1500m', '1500m'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['1500', '1500'],
    ['1000000', '1M'],
    ['12G', '12G'],
    ['1T', '1T'],
    ['1P', '1P'],
    ['1E', '1E'],
    ['250u', '250u'],
    ['5n', '5n'],
    ['1.5Gi', '1536Mi'],
    ['1Ki', '1Ki'],
    ['1024Ki', '1Mi'],
    ['1025Ki', '1025Ki'],
    ['0.5Ki', '512'],
    ['0.0001Ki', '102400u'],
    ['1.0001Ki', '1024102400u'],
    ['0Ki', '0'],
    ['-2048Ki', '-2Mi'],
    ['1e3', '1e3'],
    ['12E6', '12e6'],
    ['1e0', '1'],
    ['1e1', '10'],
    ['1500e-3', '1500e-3'],
    ['1e-10', '1e-9'],
    ['1.23456789012n', '2n'],
    ['-0.1n', '-1n'],
    ['8Ei', '9223372036854775807'],
    ['16Ei', '9223372036854775807'],
    ['1000E', '1000E'],
  ];
  for (const [text, expected] of table) {
    it(`writes ${text} as ${expected}`, () => {
      expect(canonical(text)).to.equal(expected);
    });
  }

  for (const text of ['', ' ', '1 ', '.', '-', '1x', '1KI', '1K', '1mi', '--1', '1e', '1..2', '1_0', 'Gi', 'NaN']) {
    it(`refuses "${text}"`, () => {
      expect(() => parseQuantity(text)).to.throw(SyntaxError, `"${text}" is not a quantity`);
    });
  }

  it('keeps the amount of a hundred thousand gibibytes exact', () => {
    expect(parseQuantity('100000Gi').nanos).to.equal(100_000n * 2n ** 30n * 10n ** 9n);
  });

  it('bounds an absurd exponent instead of computing with it', () => {
    expect(parseQuantity('1e999999999')).to.deep.equal(parseQuantity('1e60'));
    expect(canonical('1e-999999999')).to.equal('1e-9');
  });

  it('gives back the same amount from the canonical form', () => {
    fc.assert(
      fc.property(quantities, (quantity) => {
        expect(parseQuantity(formatQuantity(quantity)).nanos).to.equal(quantity.nanos);
      }),
    );
  });

  it('writes a canonical form as it is', () => {
    fc.assert(
      fc.property(quantities, (quantity) => {
        const text = formatQuantity(quantity);
        expect(canonical(text)).to.equal(text);
      }),
    );
  });

  it('never writes a fraction, and no mantissa that a larger suffix could shorten', () => {
    fc.assert(
      fc.property(quantities, (quantity) => {
        const text = formatQuantity(quantity);
        expect(text).to.match(/^-?(0|[1-9]\d*)(|[numkMGTPE]|[KMGTPE]i|e-?\d+)$/);
        if (quantity.format !== 'BinarySI') expect(text).not.to.match(/000[numkMGTP]?$/);
      }),
    );
  });
});

describe('arithmetic of quantities', () => {
  it('adds exactly', () => {
    expect(formatQuantity(addQuantity(parseQuantity('0.1'), parseQuantity('200m')))).to.equal('300m');
  });

  it('keeps the format of the first one', () => {
    expect(formatQuantity(addQuantity(parseQuantity('1Gi'), parseQuantity('1024')))).to.equal('1048577Ki');
  });

  it('takes the format of the second one when the first is zero', () => {
    expect(formatQuantity(addQuantity(parseQuantity('0'), parseQuantity('2Gi')))).to.equal('2Gi');
    expect(formatQuantity(subtractQuantity(parseQuantity('0'), parseQuantity('2Gi')))).to.equal('-2Gi');
  });

  it('subtracts below zero, which atLeastZero undoes', () => {
    const difference = subtractQuantity(parseQuantity('1'), parseQuantity('3'));
    expect(formatQuantity(difference)).to.equal('-2');
    expect(formatQuantity(atLeastZero(difference))).to.equal('0');
    expect(atLeastZero(parseQuantity('3'))).to.deep.equal(parseQuantity('3'));
  });

  it('makes whole units', () => {
    expect(formatQuantity(unitQuantity(110))).to.equal('110');
  });

  for (const [left, right, sign] of [
    ['1', '1000m', 0],
    ['1Ki', '1k', 1],
    ['999m', '1', -1],
    ['-1', '0', -1],
  ] as const) {
    it(`compares ${left} with ${right}`, () => {
      expect(compareQuantity(parseQuantity(left), parseQuantity(right))).to.equal(sign);
    });
  }

  it('adds and subtracts as integers do', () => {
    fc.assert(
      fc.property(quantities, quantities, (left, right) => {
        expect(addQuantity(left, right).nanos).to.equal(left.nanos + right.nanos);
        expect(subtractQuantity(addQuantity(left, right), right).nanos).to.equal(left.nanos);
        expect(compareQuantity(left, right)).to.equal(-compareQuantity(right, left) + 0);
      }),
    );
  });
});
