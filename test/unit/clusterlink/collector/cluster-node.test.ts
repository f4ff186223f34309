import { expect } from 'chai';
import type { ClusterNode } from '../../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfigDetected } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import {
  diffClusterNodes,
  type ClusterNodeChanges,
  type NodesState,
} from '../../../../src/clusterlink/collector/cluster-node.js';
import { distinctNodeObjectName } from '../../../../src/clusterlink/planner/object-names.js';
import { clusterNode, linkNode } from '../../../support/link-objects.js';

function diff(state: Partial<NodesState>): ClusterNodeChanges {
  return diffClusterNodes({
    ...{ cluster: 'east', nodes: [], blocks: new Map(), detected: new Map(), actual: [] },
    ...state,
  });
}

const NOTHING: ClusterNodeChanges = { create: [], patch: [], remove: [], nameless: [] };
const ETH0: NodeConfigDetected = { interfaceName: 'eth0', ip: '172.18.1.11', ip6: 'fd00:18::11', mtu: 1500 };

describe('diffClusterNodes', () => {
  it('makes a ClusterNode for each node, with the addresses that the kubelet reports', () => {
    const nodes = [linkNode('n1', { addresses: ['192.0.2.1', '2001:db8::1'] })];
    const { create } = diff({ nodes, blocks: new Map([['n1', ['10.10.0.0/26']]]) });
    expect(create).to.deep.equal([
      {
        apiVersion: 'kosmos.io/v1alpha1',
        kind: 'ClusterNode',
        metadata: { name: 'east-n1', labels: { 'kosmos.io/cluster': 'east' } },
        spec: {
          ...{ clusterName: 'east', nodeName: 'n1', podCIDRs: ['10.10.0.0/26'], ip: '192.0.2.1', ip6: '2001:db8::1' },
        },
      },
    ]);
  });

  it('makes none for virtual and excluded nodes', () => {
    const virtual = linkNode('kosmos-west', { labels: { 'kosmos.io/node': 'true' } });
    const excluded = linkNode('n2', { labels: { 'kosmos.io/exclude': 'true' } });
    expect(diff({ nodes: [virtual, excluded] })).to.deep.equal(NOTHING);
  });

  it('takes away those of nodes that are gone or excluded, and of no other cluster', () => {
    const gone = clusterNode('east', 'n1');
    const excluded = clusterNode('east', 'n2');
    const other = clusterNode('west', 'n1');
    const nodes = [linkNode('n2', { labels: { 'kosmos.io/exclude': 'true' } })];
    expect(diff({ nodes, actual: [gone, excluded, other] })).to.deep.equal({ ...NOTHING, remove: [gone, excluded] });
  });

  it('never mixes nodes of one name in two clusters', () => {
    const own = clusterNode('east', 'n1', { podCIDRs: ['10.10.0.0/26'] });
    const other = clusterNode('west', 'n1', { podCIDRs: ['10.20.0.0/26'] });
    const blocks = new Map([['n1', ['10.10.0.64/26']]]);
    const { patch } = diff({ nodes: [linkNode('n1')], blocks, actual: [other, own] });
    expect(patch).to.deep.equal([{ name: 'east-n1', uid: 'east-n1-uid', spec: { podCIDRs: ['10.10.0.64/26'] } }]);
  });

  it('writes what the agent found, and takes back what it no longer finds', () => {
    const actual = [clusterNode('east', 'n1', { podCIDRs: [], ip: '192.0.2.1' })];
    const nodes = [linkNode('n1', { addresses: ['192.0.2.1'] })];
    const first = diff({ nodes, actual, detected: new Map([['n1', ETH0]]) });
    expect(first.patch.map(({ spec }) => spec)).to.deep.equal([ETH0].map((found) => ({ ...found })));
    const later = [clusterNode('east', 'n1', { podCIDRs: [], ...ETH0 })];
    const { ip6: _gone, ...without } = ETH0;
    expect(diff({ nodes, actual: later, detected: new Map([['n1', without]]) }).patch).to.deep.equal([
      { name: 'east-n1', uid: 'east-n1-uid', spec: { ip6: null } },
    ]);
  });

  it('keeps what an agent once found while it reports nothing', () => {
    const actual = [clusterNode('east', 'n1', { podCIDRs: [], ...ETH0 })];
    expect(diff({ nodes: [linkNode('n1', { addresses: ['192.0.2.9'] })], actual })).to.deep.equal(NOTHING);
  });

  it('keeps blocks while they are not known', () => {
    const actual = [clusterNode('east', 'n1', { podCIDRs: ['10.10.0.0/26'] })];
    expect(diff({ nodes: [linkNode('n1')], blocks: undefined, actual })).to.deep.equal(NOTHING);
    expect(diff({ nodes: [linkNode('n1')], blocks: undefined }).create[0]?.spec.podCIDRs).to.deep.equal([]);
  });

  it('names the ClusterNodes that leave no name for a node, as long as they are there', () => {
    const digest = distinctNodeObjectName('east', 'n1');
    const foreign = ['east-n1', digest].map((name) => ({ ...clusterNode('west', name), metadata: { name } }));
    const changes = diff({ nodes: [linkNode('n1'), linkNode('n2')], actual: foreign });
    expect(changes.nameless).to.deep.equal([{ node: 'n1', taken: ['east-n1', digest] }]);
    expect(changes.create.map(({ metadata }) => metadata?.name)).to.deep.equal(['east-n2']);
    expect(changes.remove).to.deep.equal([]);
    const [first, second] = foreign.map((object) => diff({ nodes: [linkNode('n1')], actual: [object] }));
    expect([first?.nameless, second?.nameless]).to.deep.equal([[], []]);
    expect(first?.create.map(({ metadata }) => metadata?.name)).to.deep.equal([digest]);
    expect(second?.create.map(({ metadata }) => metadata?.name)).to.deep.equal(['east-n1']);
  });

  it('leaves roles to the elector', () => {
    const actual = [clusterNode('east', 'n1', { podCIDRs: [], roles: ['gateway'], standbyOrder: 1 })];
    expect(diff({ nodes: [linkNode('n1')], actual })).to.deep.equal(NOTHING);
  });

  it('changes nothing when it is done', () => {
    const nodes = [linkNode('n1', { addresses: ['192.0.2.1'] }), linkNode('n2')];
    const detected = new Map([['n1', ETH0]]);
    const actual: readonly ClusterNode[] = diff({ nodes, detected }).create;
    expect(diff({ nodes, detected, actual })).to.deep.equal(NOTHING);
  });

  it('gives a node another name when its own stands for a node of another cluster', () => {
    const other = clusterNode('a-b', 'c');
    const { create } = diff({ cluster: 'a', nodes: [linkNode('b-c')], actual: [other] });
    const name = create[0]?.metadata?.name;
    expect(name).to.match(/^a-b-c-[0-9a-f]{8}$/);
    expect(diff({ cluster: 'a', nodes: [linkNode('b-c')], actual: [other, ...create] })).to.deep.equal(NOTHING);
  });
});
