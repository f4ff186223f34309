import { expect } from 'chai';
import { nodeBlocks } from '../../../../src/clusterlink/collector/node-blocks.js';
import { NO_SOURCE } from '../../../../src/clusterlink/cluster/source.js';
import { blockAffinity, known, linkNode, UNKNOWN } from '../../../support/link-objects.js';

const NODES = [linkNode('n1', { podCIDRs: ['10.1.0.0/24'] }), linkNode('n2', { podCIDRs: ['10.1.1.0/24'] })];
const NONE = { blockAffinities: NO_SOURCE, calicoInEtcd: false, ciliumNodes: NO_SOURCE };

function blocks(facts: Partial<Parameters<typeof nodeBlocks>[1]>): Record<string, readonly string[]> {
  return Object.fromEntries(nodeBlocks(NODES, { ...NONE, ...facts }) ?? []);
}

describe('the blocks of pod addresses of each node', () => {
  it('are those of the node object in general', () => {
    expect(blocks({})).to.deep.equal({ n1: ['10.1.0.0/24'], n2: ['10.1.1.0/24'] });
  });

  it('are the affine blocks of Calico, and never what the node object says', () => {
    const blockAffinities = known(blockAffinity('n1', '10.10.0.64/26'), blockAffinity('n1', '10.10.0.0/26'));
    expect(blocks({ blockAffinities })).to.deep.equal({ n1: ['10.10.0.0/26', '10.10.0.64/26'], n2: [] });
  });

  it('are those of the node object while Calico has handed out none', () => {
    expect(blocks({ blockAffinities: known() })).to.deep.include({ n1: ['10.1.0.0/24'] });
  });

  it('are only what Calico has confirmed', () => {
    const blockAffinities = known(
      blockAffinity('n1', '10.10.0.0/26'),
      blockAffinity('n1', '10.10.1.0/26', { state: 'pending' }),
      blockAffinity('n1', '10.10.2.0/26', { state: 'pendingDeletion' }),
      blockAffinity('n1', '10.10.3.0/26', { deleted: 'true' }),
      blockAffinity('n1', '10.10.4.0/26', { state: undefined, deleted: 'false' }),
      { spec: { cidr: '10.10.5.0/26' } },
      { spec: { node: 'n1' } },
      {},
    );
    expect(blocks({ blockAffinities })['n1']).to.deep.equal(['10.10.0.0/26', '10.10.4.0/26']);
  });

  it("are what Cilium's operator gave the node", () => {
    const ciliumNodes = known(
      { metadata: { name: 'n1' }, spec: { ipam: { podCIDRs: ['10.6.1.0/24', 'fd06::1:0/112'] } } },
      { metadata: { name: 'n2' }, spec: {} },
      {},
    );
    expect(blocks({ ciliumNodes })).to.deep.equal({ n1: ['10.6.1.0/24', 'fd06::1:0/112'], n2: ['10.1.1.0/24'] });
  });

  it('are in canonical form, and what is no range is left out', () => {
    const nodes = [linkNode('n1', { podCIDRs: ['10.1.0.9/24', 'nonsense', 'FD00:0::/64'] })];
    expect(nodeBlocks(nodes, NONE)?.get('n1')).to.deep.equal(['10.1.0.0/24', 'fd00::/64']);
  });

  it('are none that anybody knows when Calico keeps them in etcd, whatever else is there', () => {
    const blockAffinities = known(blockAffinity('n1', '10.10.0.0/26'));
    expect(blocks({ calicoInEtcd: true, blockAffinities })).to.deep.equal({ n1: [], n2: [] });
    expect(blocks({ calicoInEtcd: true, blockAffinities: UNKNOWN })).to.deep.equal({ n1: [], n2: [] });
  });

  it('are unknown until the CNI has answered', () => {
    expect(nodeBlocks(NODES, { ...NONE, calicoInEtcd: undefined })).to.equal(undefined);
    expect(nodeBlocks(NODES, { ...NONE, blockAffinities: UNKNOWN })).to.equal(undefined);
    expect(nodeBlocks(NODES, { ...NONE, ciliumNodes: UNKNOWN })).to.equal(undefined);
  });
});
