import { expect } from 'chai';
import fc from 'fast-check';
import {
  firstExpiry,
  parseLifetimes,
  planRenewal,
  renderLifetimes,
  type Lifetimes,
  type RenewalContext,
  type RenewalPlan,
} from '../../../../src/clustertree/identity/lifetimes.js';

const ISSUED = 1_000_000;
const TOKENS: Lifetimes['tokens'] = { a: [ISSUED, ISSUED + 3600], b: [ISSUED, ISSUED + 600] };

describe('lifetimes in an annotation', () => {
  it('are read as they were written', () => {
    for (const lifetimes of [
      { keys: 'k', tokens: TOKENS },
      { keys: undefined, tokens: {} },
    ]) {
      expect(parseLifetimes(renderLifetimes(lifetimes))).to.deep.equal(lifetimes);
    }
  });

  for (const text of [undefined, '', '{', 'null', '7', '{}', '{"tokens":null}', '{"tokens":"x"}']) {
    it(`are none in ${text ?? 'nothing'}`, () => {
      expect(parseLifetimes(text).tokens).to.deep.equal({});
    });
  }

  it('leave out what is no lifetime', () => {
    const text = JSON.stringify({ keys: 7, tokens: { a: [1, 2], b: [1], c: ['1', 2], d: null, e: [1.5, 2] } });
    expect(parseLifetimes(text)).to.deep.equal({ keys: undefined, tokens: { a: [1, 2] } });
  });

  it('tell when the first token expires', () => {
    expect(firstExpiry({ tokens: TOKENS })).to.equal(ISSUED + 600);
    expect(firstExpiry({ tokens: {} })).to.be.undefined;
  });
});

describe('planRenewal', () => {
  const context = (more: Partial<RenewalContext> = {}): RenewalContext => ({
    ...{ now: ISSUED, fraction: 0.8, keys: 'k', podUid: 'pod' },
    ...more,
  });
  const plan = (
    more: Partial<RenewalContext> = {},
    lifetimes: Lifetimes = { keys: 'k', tokens: TOKENS },
  ): RenewalPlan => planRenewal(['a', 'b'], lifetimes, context(more));

  it('lets a fresh token be, and says when to look again', () => {
    const { renew, nextSeconds } = plan();
    expect(renew).to.deep.equal([]);
    expect(nextSeconds).to.be.within(600 * 0.72, 600 * 0.8);
  });

  it('renews each token by its own life', () => {
    expect(plan({ now: ISSUED + 481 })).to.deep.equal({ renew: ['b'], nextSeconds: undefined });
    expect(plan({ now: ISSUED + 2881 }).renew).to.deep.equal(['a', 'b']);
  });

  it('renews earlier when told so', () => {
    expect(plan({ now: ISSUED + 61, fraction: 0.1 }).renew).to.deep.equal(['b']);
  });

  it('issues what is missing', () => {
    expect(plan({}, { keys: 'k', tokens: { a: TOKENS['a']! } }).renew).to.deep.equal(['b']);
  });

  it('renews all when the keys have changed', () => {
    expect(plan({ keys: 'other' }).renew).to.deep.equal(['a', 'b']);
  });

  it('renews none because the keys are not known, now or then', () => {
    expect(plan({ keys: undefined }).renew).to.deep.equal([]);
    expect(plan({}, { keys: undefined, tokens: TOKENS }).renew).to.deep.equal([]);
  });

  it("renews a token that comes from the future: the host's clock was set back", () => {
    expect(plan({ now: ISSUED - 30 }).renew).to.deep.equal([]);
    expect(plan({ now: ISSUED - 61 }).renew).to.deep.equal(['a', 'b']);
  });

  it('has nothing to do for a pod without tokens', () => {
    expect(planRenewal([], { tokens: {} }, context())).to.deep.equal({ renew: [], nextSeconds: undefined });
  });

  it('spreads pods that were made together, each always in the same way', () => {
    const next = Array.from({ length: 50 }, (_, index) => plan({ podUid: `pod-${index}` }).nextSeconds ?? 0);
    expect(Math.max(...next) - Math.min(...next)).to.be.greaterThan(30);
    expect(plan({ podUid: 'pod-1' })).to.deep.equal(plan({ podUid: 'pod-1' }));
  });

  it('never lets a token live longer than its part, and never renews in the first half of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3600 }),
        fc.double({ min: 0.01, max: 0.95, noNaN: true }),
        fc.uuid(),
        (age, fraction, podUid) => {
          const { renew } = planRenewal(['a'], { tokens: TOKENS }, context({ now: ISSUED + age, fraction, podUid }));
          if (age >= fraction * 3600) expect(renew).to.deep.equal(['a']);
          if (age < fraction * 1800) expect(renew).to.deep.equal([]);
        },
      ),
    );
  });
});
