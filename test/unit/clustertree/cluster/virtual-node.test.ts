import { expect } from 'chai';
import { clusterOfNode } from '../../../../src/clustertree/cluster/virtual-node.js';
import { virtualNode } from '../../../support/member-harness.js';

describe('clusterOfNode', () => {
  it('names the Cluster of a virtual node', () => {
    expect(clusterOfNode(virtualNode('kosmos-east', 'east'))).to.equal('east');
  });

  it('names none for a node that is not marked as virtual', () => {
    const node = virtualNode('n1', 'east');
    expect(clusterOfNode({ ...node, metadata: { ...node.metadata, labels: {} } })).to.be.undefined;
  });

  it('names none for a virtual node that tells none', () => {
    expect(clusterOfNode({ metadata: { labels: { 'kosmos.io/node': 'true' } } })).to.be.undefined;
  });

  it('names none for no node', () => {
    expect(clusterOfNode(undefined)).to.be.undefined;
  });
});
