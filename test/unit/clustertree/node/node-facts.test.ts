import { expect } from 'chai';
import { agreed, mirrored } from '../../../../src/clustertree/node/node-facts.js';
import { memberNode } from '../../../support/member-objects.js';

describe('agreed', () => {
  const zones = (...values: readonly (string | undefined)[]): string | undefined =>
    agreed(
      values.map((zone, i) => memberNode(`n${i}`, { labels: zone === undefined ? {} : { zone } })),
      (node) => node.labels['zone'],
    );

  for (const [values, expected] of [
    [[], undefined],
    [['a'], 'a'],
    [['a', 'a'], 'a'],
    [['a', 'b'], undefined],
    [['a', undefined], undefined],
    [[undefined, 'a'], undefined],
    [['', ''], undefined],
  ] as const) {
    it(`gives ${String(expected)} for ${JSON.stringify(values)}`, () => {
      expect(zones(...values)).to.equal(expected);
    });
  }
});

describe('mirrored', () => {
  it('is the one node of mode node, and nothing in the other modes', () => {
    const behind = [memberNode('n1')];
    expect(mirrored({ spec: { mode: 'node' }, behind })).to.equal(behind[0]);
    expect(mirrored({ spec: { mode: 'node' }, behind: [] })).to.be.undefined;
    expect(mirrored({ spec: { mode: 'all' }, behind })).to.be.undefined;
    expect(mirrored({ spec: { mode: 'party' }, behind })).to.be.undefined;
  });
});
