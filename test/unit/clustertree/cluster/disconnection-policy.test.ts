import { expect } from 'chai';
import { parseDisconnectionPolicy } from '../../../../src/clustertree/cluster/disconnection-policy.js';

describe('parseDisconnectionPolicy', () => {
  for (const [text, policy] of [
    ['Evict', { kind: 'Evict' }],
    ['Keep', { kind: 'Keep' }],
    ['EvictAfter=30m', { kind: 'EvictAfter', afterMs: 1_800_000 }],
    ['EvictAfter=0', { kind: 'EvictAfter', afterMs: 0 }],
  ] as const) {
    it(`reads ${text}`, () => {
      expect(parseDisconnectionPolicy(text)).to.deep.equal(policy);
    });
  }

  for (const text of ['', 'evict', 'EvictAfter', 'EvictAfter=', 'EvictAfter=soon', 'EvictAfter=-5m', 'Keep ']) {
    it(`refuses "${text}"`, () => {
      expect(parseDisconnectionPolicy(text)).to.be.undefined;
    });
  }
});
