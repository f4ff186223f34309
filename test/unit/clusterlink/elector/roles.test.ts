import { expect } from 'chai';
import { isGateway, standbysOf } from '../../../../src/clusterlink/cluster/gateways.js';
import { AgentPulse } from '../../../../src/clusterlink/elector/pulse.js';
import { roleChanges } from '../../../../src/clusterlink/elector/role-changes.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { clusterNode, nodeConfig } from '../../../support/link-objects.js';

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

describe('AgentPulse', () => {
  const report = (node: string, lastSyncTime?: string): ReturnType<typeof nodeConfig> =>
    nodeConfig('east', node, {}, lastSyncTime === undefined ? {} : { lastSyncTime });

  it('tells for how long a report has not changed, whatever time it names', async () => {
    const clock = new FakeClock();
    const pulse = new AgentPulse(clock);
    pulse.see([report('a', '1970-01-01T00:00:00Z')]);
    await clock.advance(5_000);
    pulse.see([report('a', '1970-01-01T00:00:00Z')]);
    expect(pulse.silenceMs('a')).to.equal(5_000);
    pulse.see([report('a', '1969-01-01T00:00:00Z')]);
    expect(pulse.silenceMs('a')).to.equal(0);
  });

  it('knows nothing of agents that have never spoken, or are gone', () => {
    const pulse = new AgentPulse(new FakeClock());
    pulse.see([report('a'), report('b', '2026-01-01T00:00:00Z'), { spec: {} }]);
    expect(pulse.silenceMs('a')).to.equal(undefined);
    expect(pulse.silenceMs('b')).to.equal(0);
    pulse.see([]);
    expect(pulse.silenceMs('b')).to.equal(undefined);
  });
});
