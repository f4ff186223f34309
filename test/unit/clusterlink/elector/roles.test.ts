import { expect } from 'chai';
import { isGateway, standbysOf } from '../../../../src/clusterlink/cluster/gateways.js';
import { roleChanges } from '../../../../src/clusterlink/elector/role-changes.js';
import { clusterNode } from '../../../support/link-objects.js';

describe('roleChanges', () => {
  const election = { gateway: 'b', standbys: ['a'] };

  it('gives the role before it takes it away, so that there is never none', () => {
    const nodes = [clusterNode('east', 'a', { roles: ['gateway'] }), clusterNode('east', 'b', { standbyOrder: 1 })];
    expect(roleChanges(nodes, election)).to.deep.equal([
      {
        ...{ name: 'east-b', uid: 'east-b-uid', resourceVersion: undefined },
        spec: { roles: ['gateway'], standbyOrder: null },
      },
      { name: 'east-a', uid: 'east-a-uid', resourceVersion: undefined, spec: { roles: null, standbyOrder: 1 } },
    ]);
  });

  it('leaves roles of others', () => {
    const nodes = [
      clusterNode('east', 'a', { roles: ['Gateway', 'edge'] }),
      clusterNode('east', 'b', { roles: ['edge'] }),
    ];
    const roles = roleChanges(nodes, election).map(({ spec }) => spec.roles);
    expect(roles).to.deep.equal([['edge', 'gateway'], ['edge']]);
  });

  it('has nothing to write when all is as elected', () => {
    const nodes = [
      clusterNode('east', 'a', { standbyOrder: 1 }),
      clusterNode('east', 'b', { roles: ['gateway'] }),
      clusterNode('east', 'c'),
    ];
    expect(roleChanges(nodes, election)).to.deep.equal([]);
  });

  it('takes away a place among those that stand by', () => {
    const nodes = [clusterNode('east', 'b', { roles: ['gateway'] }), clusterNode('east', 'c', { standbyOrder: 2 })];
    expect(roleChanges(nodes, election).map(({ spec }) => spec)).to.deep.equal([{ standbyOrder: null }]);
  });
});

describe('the gateways of a cluster', () => {
  it('have the role, in whatever case it is written', () => {
    expect(isGateway(clusterNode('east', 'a', { roles: ['GateWay'] }))).to.equal(true);
    expect(isGateway(clusterNode('east', 'a'))).to.equal(false);
  });

  it('are followed by others in their order', () => {
    const nodes = [
      clusterNode('east', 'a', { standbyOrder: 2 }),
      clusterNode('east', 'b'),
      clusterNode('east', 'c', { standbyOrder: 1 }),
    ];
    expect(standbysOf(nodes)).to.deep.equal(['c', 'a']);
  });
});
