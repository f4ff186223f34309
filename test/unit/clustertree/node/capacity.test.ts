import { expect } from 'chai';
import { isBehind, virtualCapacity } from '../../../../src/clustertree/node/capacity.js';
import { formatResources, NO_RESOURCES, parseResources } from '../../../../src/lib/resource-list.js';
import { memberNode, virtualNodes } from '../../../support/member-objects.js';

const UNUSED = { requests: NO_RESOURCES, pods: 0 };

describe('isBehind', () => {
  for (const [mode, name, labels, expected] of [
    ['all', 'n9', {}, true],
    ['node', 'n1', {}, true],
    ['node', 'n2', {}, false],
    ['party', 'n9', { pool: 'gpu' }, true],
    ['party', 'n9', { pool: 'cpu' }, false],
  ] as const) {
    it(`says ${expected} of node ${name} with ${JSON.stringify(labels)} in mode ${mode}`, () => {
      expect(isBehind(virtualNodes[mode], memberNode(name, { labels }))).to.equal(expected);
    });
  }
});

describe('virtualCapacity', () => {
  it('is empty without nodes', () => {
    const { capacity, allocatable } = virtualCapacity([]);
    expect(capacity.size).to.equal(0);
    expect(allocatable.size).to.equal(0);
  });

  it('keeps a resource that is all taken, as zero', () => {
    const node = memberNode('n1', { allocatable: { cpu: '2' } });
    const { allocatable } = virtualCapacity([{ node, usage: { requests: parseResources({ cpu: '2' }), pods: 1 } }]);
    expect(formatResources(allocatable)).to.deep.equal({ cpu: '0' });
  });

  it('adds amounts that are written in different ways', () => {
    const amounts = ['1Gi', '1073741824', '1024Mi', '1e9'];
    const { capacity } = virtualCapacity(
      amounts.map((memory, i) => ({ node: memberNode(`n${i}`, { allocatable: { memory } }), usage: UNUSED })),
    );
    expect(formatResources(capacity)).to.deep.equal({ memory: '4221225472' });
  });

  it('ignores what is used on nodes that are not available', () => {
    const usage = { requests: parseResources({ cpu: '3' }), pods: 5 };
    const { capacity, allocatable } = virtualCapacity([
      { node: memberNode('n1'), usage: UNUSED },
      { node: memberNode('n2', { unschedulable: true }), usage },
    ]);
    expect(formatResources(allocatable)).to.deep.equal(formatResources(capacity));
  });
});
