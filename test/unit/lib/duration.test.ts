import { expect } from 'chai';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../src/lib/duration.js';
import { TerminalError } from '../../../src/lib/errors.js';

describe('parseDuration', () => {
  const good: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['0s', 0],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['2.s', 2000],
    ['250ms', 250],
    ['90s', 90_000],
    ['1us', 0.001],
    ['1\u00b5s', 0.001],
    ['1\u03bcs', 0.001],
    ['5ns', 0.000005],
    ['-10s', -10_000],
    ['+10s', 10_000],
    ['1m1h', 3_660_000],
  ];
  for (const [text, ms] of good) {
    it(`reads ${text} as ${ms} ms`, () => expect(parseDuration(text)).to.be.closeTo(ms, 1e-9));
  }

  const bad: readonly (readonly [string, string])[] = [
    ['', 'it is empty'],
    ['-', 'it is empty'],
    ['5', 'a unit is missing'],
    ['1h30', 'a unit is missing'],
    ['5d', 'unknown unit "d"'],
    ['m', '"m" is not understood'],
    ['1h x', '" x" is not understood'],
    [' 5m', '" 5m" is not understood'],
    ['1e3s', 'unknown unit "e"'],
    ['--1s', '"-1s" is not understood'],
    ['3000000h', 'it is too long'],
  ];
  for (const [text, why] of bad) {
    it(`refuses "${text}" because ${why}`, () => {
      expect(() => parseDuration(text))
        .to.throw(TerminalError, why)
        .with.property('code', 'CONFIG_INVALID');
    });
  }
});

describe('formatDuration', () => {
  for (const [ms, text] of [
    [0, '0s'],
    [300_000, '5m'],
    [5_400_000, '1h30m'],
    [90_000, '1m30s'],
    [1500, '1.5s'],
    [250, '250ms'],
    [0.5, '500us'],
    [0.0005, '500ns'],
    [-10_000, '-10s'],
    [3_600_001, '1h0.001s'],
  ] as const) {
    it(`writes ${ms} ms as ${text}`, () => expect(formatDuration(ms)).to.equal(text));
  }

  it('is read back as the same whole number of milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
        expect(Math.round(parseDuration(formatDuration(ms)))).to.equal(ms);
      }),
    );
  });
});
