import { expect } from 'chai';
import { readManagedKeys, renderManagedKeys, taintKey } from '../../../../src/clustertree/cluster/managed-keys.js';
import type { Node } from '../../../../src/apis/core.js';

const recorded = (record: string): Node => ({ metadata: { annotations: { 'kosmos.io/managed-keys': record } } });

describe('managed keys', () => {
  it('are read as they were written', () => {
    const keys = { labels: ['a', 'b'], annotations: ['c'], taints: ['k:NoSchedule'], unschedulable: true };
    expect(readManagedKeys(recorded(renderManagedKeys(keys)))).to.deep.equal(keys);
  });

  it('are written in one way only, without what is empty', () => {
    const text = renderManagedKeys({ labels: ['b', 'a'], annotations: [], taints: [], unschedulable: false });
    expect(text).to.equal('{"labels":["a","b"]}');
  });

  it('name a taint by key and effect', () => {
    expect(taintKey({ key: 'a', value: 'v', effect: 'NoExecute' })).to.equal('a:NoExecute');
  });

  for (const [name, node] of [
    ['no annotations', {}],
    ['no record', { metadata: { annotations: { other: 'x' } } }],
    ['a record that is no JSON', recorded('{')],
    ['a record that is no object', recorded('"x"')],
    ['a record that is null', recorded('null')],
  ] as const) {
    it(`are only Kosmos' own taint for a node with ${name}`, () => {
      expect(readManagedKeys(node)).to.deep.equal({
        labels: [],
        annotations: [],
        taints: ['kosmos.io/node:NoSchedule'],
        unschedulable: false,
      });
    });
  }

  it('keep what is good of a record that somebody spoilt', () => {
    expect(readManagedKeys(recorded('{"labels":["a",7],"taints":"x","unschedulable":"yes"}'))).to.deep.equal({
      labels: ['a'],
      annotations: [],
      taints: [],
      unschedulable: false,
    });
  });
});
