import { expect } from 'chai';
import fc from 'fast-check';
import { ProbeWindow } from '../../../../../src/clusterlink/agent/probe/window.js';

const LIMITS = { timeoutMs: 600, deadAfter: 5 };
const TICK_MS = 300;

/** A peer that is asked at every tick; each letter says what becomes of a probe: `.` answered in 10 ms, `x` lost. */
function after(story: string, tickMs = TICK_MS): { readonly window: ProbeWindow; readonly nowMs: number } {
  const window = new ProbeWindow(LIMITS);
  for (const [index, letter] of story.split('').entries()) {
    window.sent(index, index * tickMs);
    if (letter === '.') window.answered(index, index * tickMs + 10);
  }
  // The last one has had its time.
  return { window, nowMs: story.length * tickMs + LIMITS.timeoutMs };
}

describe('what a window of probes says of a peer', () => {
  const table: readonly (readonly [string, string, boolean | undefined])[] = [
    ['nothing before anything was asked', '', undefined],
    ['nothing after less silence than it takes', 'xxxx', undefined],
    ['dead after silence from the beginning', 'xxxxx', false],
    ['alive after the first answer', '.', true],
    ['alive with one answer among the last', '.xxxx', true],
    ['dead after enough lost in a row', '.xxxxx', false],
    ['alive as soon as one is answered again', 'xxxxxxxxxx.', true],
    ['alive on a bad line', '.x.xx.xxx.xxxx', true],
    ['dead also after long silence', `.${'x'.repeat(100)}`, false],
  ];
  for (const [what, story, expected] of table) {
    it(`is ${what}`, () => {
      const { window, nowMs } = after(story);
      expect(window.alive(nowMs)).to.equal(expected);
    });
  }

  it('is dead within the time that a switch of gateways has', () => {
    const window = new ProbeWindow(LIMITS);
    window.sent(0, 0);
    window.answered(0, 5);
    let now = 0;
    for (let sequence = 1; window.alive(now) === true; sequence++) {
      now += TICK_MS;
      window.sent(sequence, now);
    }
    expect(now).to.be.within(5 * TICK_MS, 3_000);
  });

  it('does not count probes that may still be answered', () => {
    const window = new ProbeWindow(LIMITS);
    for (let sequence = 0; sequence < 5; sequence++) window.sent(sequence, 1_000);
    expect([window.alive(1_600), window.loss(1_600)]).to.deep.equal([undefined, 0]);
    expect([window.alive(1_601), window.loss(1_601)]).to.deep.equal([false, 1]);
  });

  it('takes a peer for alive whose answers are slow', () => {
    const window = new ProbeWindow(LIMITS);
    for (let sequence = 0; sequence < 10; sequence++) {
      window.sent(sequence, sequence * TICK_MS);
      if (sequence >= 3) window.answered(sequence - 3, sequence * TICK_MS);
    }
    expect(window.alive(10 * TICK_MS)).to.equal(true);
    expect(window.rttMs(10 * TICK_MS)).to.equal(3 * TICK_MS);
  });

  it('ignores answers to what was never asked', () => {
    const window = new ProbeWindow(LIMITS);
    window.answered(7, 10);
    expect([window.alive(10_000), window.rttMs(10_000), window.loss(10_000)]).to.deep.equal([undefined, undefined, 0]);
  });

  it('has a loss from 0 to 1, and a time only when something came back', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('.', 'x'), { maxLength: 60 }), (letters) => {
        const { window, nowMs } = after(letters.join(''));
        const seen = letters.slice(-20);
        const lost = seen.filter((letter) => letter === 'x').length;
        expect(window.loss(nowMs)).to.equal(seen.length === 0 ? 0 : lost / seen.length);
        expect(window.rttMs(nowMs)).to.equal(lost === seen.length ? undefined : 10);
      }),
    );
  });
});
