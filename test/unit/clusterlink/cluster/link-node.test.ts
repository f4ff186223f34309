import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import { isLinked, trimLinkNode } from '../../../../src/clusterlink/cluster/link-node.js';

const NODE: Node = {
  metadata: { name: 'n1', uid: 'u', resourceVersion: '5', labels: { zone: 'a' }, annotations: { big: 'text' } },
  spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24', 'fd01::/64'], unschedulable: true },
  status: {
    addresses: [
      { type: 'Hostname', address: 'n1' },
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'ExternalIP', address: '203.0.113.1' },
      { type: 'InternalIP', address: '2001:db8::1' },
    ],
    conditions: [{ type: 'Ready', status: 'True' }],
  },
};

describe('trimLinkNode', () => {
  it('keeps what ClusterLink looks at', () => {
    expect(trimLinkNode(NODE)).to.deep.equal({
      metadata: { name: 'n1', uid: 'u', resourceVersion: '5' },
      labels: { zone: 'a' },
      podCIDRs: ['10.1.0.0/24', 'fd01::/64'],
      addresses: ['192.0.2.1', '2001:db8::1'],
      ready: 'True',
      unschedulable: true,
    });
  });

  it('takes a node that says nothing for one in an unknown state', () => {
    const trimmed = trimLinkNode({ metadata: { name: 'n1' } });
    expect(trimmed).to.deep.include({
      labels: {},
      podCIDRs: [],
      addresses: [],
      ready: 'Unknown',
      unschedulable: false,
    });
  });

  for (const status of ['False', 'Unknown'] as const) {
    it(`knows that it is not ready: ${status}`, () => {
      const conditions = [{ type: 'Ready', status }];
      expect(trimLinkNode({ ...NODE, status: { conditions } }).ready).to.equal(status);
    });
  }
});

describe('a node takes part in ClusterLink', () => {
  it('as a rule', () => {
    expect(isLinked({ labels: {} })).to.equal(true);
  });

  it('unless it is a virtual node', () => {
    expect(isLinked({ labels: { 'kosmos.io/node': 'true' } })).to.equal(false);
  });

  it('unless it is excluded', () => {
    expect(isLinked({ labels: { 'kosmos.io/exclude': 'true' } })).to.equal(false);
    expect(isLinked({ labels: { 'kosmos.io/exclude': 'false' } })).to.equal(true);
  });
});
