import { expect } from 'chai';
import type { ClusterNodeSpec } from '../../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { LinkNode } from '../../../../src/clusterlink/cluster/link-node.js';
import type { Candidate } from '../../../../src/clusterlink/elector/choose.js';
import { gatewayCandidates } from '../../../../src/clusterlink/elector/candidates.js';
import { clusterNode, linkedCluster, linkNode } from '../../../support/link-objects.js';

interface Case {
  readonly node?: Partial<LinkNode>;
  readonly spec?: Partial<ClusterNodeSpec>;
  readonly family?: string;
}

const DETECTED = { interfaceName: 'eth0', ip: '172.18.1.11', ip6: 'fd00:18::11' };

function candidates({ node = {}, spec = {}, family = 'all' }: Case): readonly Candidate[] {
  return gatewayCandidates({
    cluster: linkedCluster('east', { ipFamily: family }),
    clusterNodes: [clusterNode('east', 'n1', { ...DETECTED, ...spec })],
    nodes: new Map([['n1', linkNode('n1', node)]]),
    healthOf: () => 'healthy',
  });
}

describe('nodes that can be a gateway', () => {
  it('are those whose agents have found their addresses', () => {
    expect(candidates({})).to.deep.equal([{ nodeName: 'n1', preferred: false, cordoned: false, health: 'healthy' }]);
    expect(candidates({ spec: { interfaceName: undefined } })).to.deep.equal([]);
  });

  const families: readonly (readonly [string, Partial<ClusterNodeSpec>, number])[] = [
    ['all', { ip: undefined }, 0],
    ['all', { ip6: undefined }, 0],
    ['ipv4', { ip6: undefined }, 1],
    ['ipv4', { ip: '' }, 0],
    ['ipv6', { ip: undefined }, 1],
    ['ipv6', { ip6: undefined }, 0],
  ];
  for (const [family, spec, count] of families) {
    it(`need the addresses of the families of their cluster: ${family} and ${JSON.stringify(spec)}`, () => {
      expect(candidates({ family, spec })).to.have.length(count);
    });
  }

  it('have to be there', () => {
    const state = {
      cluster: linkedCluster('east'),
      clusterNodes: [clusterNode('east', 'n2', DETECTED), { ...clusterNode('east', ''), spec: {} }],
      nodes: new Map(),
      healthOf: () => 'healthy' as const,
    };
    expect(gatewayCandidates(state)).to.deep.equal([]);
  });

  it('are asked for by a label', () => {
    const preferred = (value: string): boolean | undefined =>
      candidates({ node: { labels: { 'kosmos.io/gateway': value } } })[0]?.preferred;
    expect([preferred(''), preferred('true'), preferred('false')]).to.deep.equal([true, true, false]);
  });

  it('are about to go when they are cordoned', () => {
    expect(candidates({ node: { unschedulable: true } })[0]?.cordoned).to.equal(true);
  });
});
