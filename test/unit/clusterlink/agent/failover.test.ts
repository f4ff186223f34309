import { expect } from 'chai';
import type { NodeConfigGateways, NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import {
  activeGateways,
  chooseGateways,
  type GatewayChoices,
  routesThrough,
} from '../../../../src/clusterlink/agent/failover.js';

const NOW = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:09.000Z';
const none: GatewayChoices = new Map();
const west: NodeConfigGateways = {
  clusterName: 'west',
  candidates: [
    { nodeName: 'w1', gw: '220.0.2.1', dev: 'vx-bridge', gw6: '9470::2:1', dev6: 'vx-bridge-6' },
    { nodeName: 'w2', gw: '220.0.2.2', dev: 'vx-bridge', gw6: '9470::2:2', dev6: 'vx-bridge-6' },
  ],
  cidrs: ['10.20.0.0/16', 'fd11:20::/64'],
};

/** Who is alive; all others are unknown. */
function living(answers: Readonly<Record<string, boolean>>): (ip: string) => boolean | undefined {
  return (ip) => answers[ip];
}

function choice(choices: GatewayChoices, cluster = 'west'): string | undefined {
  return choices.get(cluster)?.nodeName;
}

describe('chooseGateways', () => {
  const dead = living({ '220.0.2.1': false, '9470::2:1': false, '220.0.2.2': true });

  it("takes the manager's first candidate, also when nothing is known of it", () => {
    expect(activeGateways(chooseGateways([west], none, living({}), NOW))).to.deep.equal([
      { clusterName: 'west', nodeName: 'w1' },
    ]);
  });

  it('goes to the first one that is alive when the present one is dead', () => {
    const choices = chooseGateways([west], none, dead, NOW);
    expect(activeGateways(choices)).to.deep.equal([{ clusterName: 'west', nodeName: 'w2', switchedTime: NOW }]);
  });

  it('stays when nobody is known to be better', () => {
    expect(choice(chooseGateways([west], none, living({ '220.0.2.1': false, '9470::2:1': false }), NOW))).to.equal(
      'w1',
    );
  });

  it('takes a node for alive that answers in one family', () => {
    const half = living({ '220.0.2.1': false, '9470::2:1': true, '220.0.2.2': true });
    expect(choice(chooseGateways([west], none, half, NOW))).to.equal('w1');
  });

  it('does not go back when the first one returns', () => {
    const switched = chooseGateways([west], none, dead, NOW);
    const later = chooseGateways([west], switched, living({ '220.0.2.1': true, '220.0.2.2': true }), LATER);
    expect(activeGateways(later)).to.deep.equal([{ clusterName: 'west', nodeName: 'w2', switchedTime: NOW }]);
  });

  it("follows the manager's new order at once", () => {
    const switched = chooseGateways([west], none, dead, NOW);
    const confirmed = { ...west, candidates: [...west.candidates].reverse() };
    expect(activeGateways(chooseGateways([confirmed], switched, living({}), LATER))).to.deep.equal([
      { clusterName: 'west', nodeName: 'w2' },
    ]);
    const third = { ...west, candidates: [{ nodeName: 'w3', gw: '220.0.2.3', dev: 'vx-bridge' }, ...west.candidates] };
    expect(choice(chooseGateways([third], switched, living({}), LATER))).to.equal('w3');
  });

  it('knows that the node itself is alive', () => {
    const own = { ...west, candidates: [west.candidates[0]!, { nodeName: 'w2', self: true }] };
    expect(choice(chooseGateways([own], none, living({ '220.0.2.1': false, '9470::2:1': false }), NOW))).to.equal('w2');
  });

  it('forgets clusters that are gone, and has nothing for those without candidates', () => {
    expect(chooseGateways([], chooseGateways([west], none, dead, NOW), dead, LATER).size).to.equal(0);
    expect(chooseGateways([{ ...west, candidates: [] }], none, dead, NOW).size).to.equal(0);
  });
});

describe('routesThrough', () => {
  const choose = (...names: readonly (readonly [string, string])[]): GatewayChoices =>
    new Map(names.map(([cluster, nodeName]) => [cluster, { nodeName, order: '', switchedTime: undefined }]));
  const service = { cidr: '10.21.0.0/16', gw: '220.0.9.9', dev: 'vx-bridge' };
  const p2p: NodeConfigSpec = {
    clusterName: 'east',
    routes: [service, { cidr: '10.20.0.0/16', gw: '220.0.2.1', dev: 'vx-bridge' }],
    gateways: [west],
  };

  it("are the config's own while every cluster has its first gateway", () => {
    expect(routesThrough(p2p, choose(['west', 'w1']))).to.equal(p2p.routes);
    expect(routesThrough(p2p, none)).to.equal(p2p.routes);
    expect(routesThrough({}, none)).to.deep.equal([]);
  });

  it('lead through the active gateway of the cluster that has the destination', () => {
    expect(routesThrough(p2p, choose(['west', 'w2']))).to.deep.equal([
      service,
      { cidr: '10.20.0.0/16', gw: '220.0.2.2', dev: 'vx-bridge' },
      { cidr: 'fd11:20::/64', gw: '9470::2:2', dev: 'vx-bridge-6' },
    ]);
  });

  const own: NodeConfigGateways = {
    clusterName: 'east',
    candidates: [
      { nodeName: 'e1', gw: '210.0.1.1', dev: 'vx-local' },
      { nodeName: 'e2', self: true },
    ],
    cidrs: ['10.20.0.0/16', '10.30.0.0/16'],
    directRoutes: [{ cidr: '10.30.0.0/16', gw: '220.0.3.1', dev: 'vx-bridge' }],
  };
  const standby: NodeConfigSpec = {
    clusterName: 'east',
    routes: [
      { cidr: '10.20.0.0/16', gw: '210.0.1.1', dev: 'vx-local' },
      { cidr: '10.30.0.0/16', gw: '210.0.1.1', dev: 'vx-local' },
    ],
    gateways: [own, { ...west, cidrs: ['10.20.0.0/16'] }],
  };

  it('go straight out of a standby that has become the gateway', () => {
    expect(routesThrough(standby, choose(['east', 'e2'], ['west', 'w1']))).to.deep.equal([
      { cidr: '10.30.0.0/16', gw: '220.0.3.1', dev: 'vx-bridge' },
      { cidr: '10.20.0.0/16', gw: '220.0.2.1', dev: 'vx-bridge' },
    ]);
  });

  it('go through the active gateway of the other side then', () => {
    expect(routesThrough(standby, choose(['east', 'e2'], ['west', 'w2']))[1]).to.deep.equal({
      ...{ cidr: '10.20.0.0/16', gw: '220.0.2.2', dev: 'vx-bridge' },
    });
  });

  it("lead to the own cluster's gateway, whatever the other side's is", () => {
    expect(routesThrough(standby, choose(['east', 'e1'], ['west', 'w2']))).to.deep.equal(standby.routes);
  });
});
