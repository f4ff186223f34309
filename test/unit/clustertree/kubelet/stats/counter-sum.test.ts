import { expect } from 'chai';
import fc from 'fast-check';
import { CounterSum, meanTime } from '../../../../../src/clustertree/kubelet/stats/counter-sum.js';

const round = (readings: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(readings));

describe('CounterSum', () => {
  let sum: CounterSum;

  beforeEach(() => {
    sum = new CounterSum();
  });

  it('is the exact sum while the nodes stay', () => {
    expect(sum.add(round({ a: 100, b: 50 }))).to.equal(150);
    expect(sum.add(round({ a: 103, b: 51 }))).to.equal(154);
  });

  it('counts a node that comes later from its first reading on', () => {
    sum.add(round({ a: 100 }));
    expect(sum.add(round({ a: 101, b: 9_000 }))).to.equal(101);
    expect(sum.add(round({ a: 102, b: 9_003 }))).to.equal(105);
  });

  it('keeps what a node has contributed when it goes', () => {
    sum.add(round({ a: 100, b: 50 }));
    expect(sum.add(round({ a: 101 }))).to.equal(151);
  });

  it('takes a node that did not answer once for a new one, so that what it did meanwhile is no burst', () => {
    sum.add(round({ a: 100, b: 50 }));
    sum.add(round({ a: 110 }));
    expect(sum.add(round({ a: 120, b: 80 }))).to.equal(170);
    expect(sum.add(round({ a: 130, b: 90 }))).to.equal(190);
  });

  it('goes on as if nothing had been after a round without any answer', () => {
    sum.add(round({ a: 100, b: 50 }));
    expect(sum.add(round({}))).to.equal(undefined);
    expect(sum.add(round({ a: 120, b: 60 }))).to.equal(180);
  });

  it('counts what a restarted node has counted since', () => {
    sum.add(round({ a: 100, b: 50 }));
    expect(sum.add(round({ a: 2, b: 51 }))).to.equal(153);
    expect(sum.add(round({ a: 3, b: 52 }))).to.equal(155);
  });

  it('stays the counter of a single node, over rounds in which it did not answer', () => {
    for (const value of [7, 8, undefined, 20, 21]) {
      expect(sum.add(round(value === undefined ? {} : { a: value }))).to.equal(value);
    }
  });

  it('never falls, and never grows by more than the nodes that stayed have grown', () => {
    const reading = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 1_000 }), { maxKeys: 3 });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), (rounds) => {
        const counter = new CounterSum();
        let last: number | undefined;
        let before: Readonly<Record<string, number>> = {};
        for (const readings of rounds) {
          const value = counter.add(round(readings));
          if (value === undefined) continue;
          const grown = Object.entries(readings).map(([node, now]) => {
            const then = before[node];
            if (then === undefined) return 0;
            return now < then ? now : now - then;
          });
          if (last !== undefined) expect(value - last).to.equal(grown.reduce((total, one) => total + one, 0));
          last = value;
          before = readings;
        }
      }),
    );
  });
});

describe('meanTime', () => {
  it('advances as all do, however far their clocks are apart', () => {
    expect(meanTime([1_000, 3_601_000])).to.equal(1_801_000);
    expect(meanTime([16_000, 3_616_000])).to.equal(1_816_000);
  });

  it('is a whole number of milliseconds', () => {
    expect(meanTime([1, 2, 2])).to.equal(2);
  });

  it('is not known without any time', () => {
    expect(meanTime([])).to.equal(undefined);
  });
});
