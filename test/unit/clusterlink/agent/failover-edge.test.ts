import { expect } from 'chai';
import fc from 'fast-check';
import type { NodeConfigGateways, NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import {
  activeGateways,
  chooseGateways,
  type GatewayChoices,
  type Liveness,
  routesThrough,
} from '../../../../src/clusterlink/agent/failover.js';

const none: GatewayChoices = new Map();
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

/** A cluster whose candidates w1, w2 and so on have the tunnel addresses 220.0.0.1, 220.0.0.2 and so on. */
function cluster(count: number, clusterName = 'west'): NodeConfigGateways {
  const candidates = Array.from({ length: count }, (_none, index) => ({
    ...{ nodeName: `w${index + 1}`, gw: `220.0.0.${index + 1}`, dev: 'vx-bridge' },
  }));
  return { clusterName, candidates, cidrs: ['10.20.0.0/16'] };
}

/** One letter for each candidate: + alive, - dead, ? unknown. */
function living(letters: string): Liveness {
  return (ip) => ({ '+': true, '-': false })[letters[Number(ip.split('.')[3]) - 1] ?? '?'];
}

/** Choices made one after the other, a second apart; what probes say each time. */
function history(gateways: NodeConfigGateways, ...states: readonly string[]): string[] {
  let choices = none;
  return states.map((letters, second) => {
    choices = chooseGateways([gateways], choices, living(letters), at(second));
    const [active] = activeGateways(choices);
    return `${active?.nodeName}${active?.switchedTime === at(second) ? '!' : ''}`;
  });
}

describe('the choice of a gateway over time', () => {
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['stays with the first while it lives', ['+++', '+--', '+?-'], ['w1', 'w1', 'w1']],
    ['goes on to the next that lives', ['+++', '-++', '--+'], ['w1', 'w2!', 'w3!']],
    ['passes over those of whom nothing is known', ['-?+'], ['w3!']],
    ['waits while nobody else is known to live', ['-??', '-?-', '-+-'], ['w1', 'w1', 'w2!']],
    ['does not go back by itself', ['-++', '+++', '+++'], ['w2!', 'w2', 'w2']],
    ['goes back when the second one dies', ['-++', '++-', '+-+'], ['w2!', 'w2', 'w1!']],
    ['stays when all are dead, until one lives', ['---', '---', '--+', '+++'], ['w1', 'w1', 'w3!', 'w3']],
    ['stays when what was known is forgotten', ['-++', '???'], ['w2!', 'w2']],
  ];
  for (const [what, states, expected] of table) {
    it(what, () => {
      expect(history(cluster(3), ...states)).to.deep.equal(expected);
    });
  }

  it('is always one of the candidates, and switches only from a dead one to one that lives', () => {
    const letters = fc.array(fc.constantFrom('+', '-', '?'), { minLength: 3, maxLength: 3 }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 12 }), (states) => {
        let previous = 'w1';
        for (const [index, entry] of history(cluster(3), ...states).entries()) {
          const name = entry.replace('!', '');
          const say = (node: string): string | undefined => states[index]?.[Number(node.slice(1)) - 1];
          expect(name).to.match(/^w[123]$/);
          expect(entry.endsWith('!')).to.equal(name !== previous);
          if (name !== previous) expect([say(previous), say(name)]).to.deep.equal(['-', '+']);
          previous = name;
        }
      }),
    );
  });

  it('is made for each cluster by itself', () => {
    const two = [cluster(2, 'west'), { ...cluster(2, 'north'), candidates: cluster(3).candidates.slice(1) }];
    const choices = chooseGateways(two, none, living('-++'), at(0));
    expect(activeGateways(choices)).to.deep.equal([
      { clusterName: 'west', nodeName: 'w2', switchedTime: at(0) },
      { clusterName: 'north', nodeName: 'w2' },
    ]);
  });

  it('is kept when only addresses or prefixes of the candidates change', () => {
    const switched = chooseGateways([cluster(2)], none, living('-+'), at(0));
    const moved = {
      ...cluster(2),
      cidrs: ['10.99.0.0/16'],
      candidates: cluster(2).candidates.map((one) => ({ ...one, dev: 'vx-b' })),
    };
    expect(activeGateways(chooseGateways([moved], switched, living('++'), at(1)))).to.deep.equal([
      { clusterName: 'west', nodeName: 'w2', switchedTime: at(0) },
    ]);
  });

  it('is left when its node is no candidate any more', () => {
    const switched = chooseGateways([cluster(2)], none, living('-+'), at(0));
    const fewer = { ...cluster(2), candidates: cluster(1).candidates };
    expect(activeGateways(chooseGateways([fewer], switched, living('-+'), at(1)))).to.deep.equal([
      { clusterName: 'west', nodeName: 'w1' },
    ]);
  });

  it('can not tell that a candidate without an address is dead', () => {
    const blank = { ...cluster(2), candidates: [{ nodeName: 'w1' }, ...cluster(2).candidates.slice(1)] };
    expect(history(blank, '-+', '-+')).to.deep.equal(['w1', 'w1']);
  });

  it('needs both families to be silent', () => {
    const both = {
      ...cluster(2),
      candidates: cluster(2).candidates.map((one) => ({ ...one, gw6: `9470::${one.nodeName.slice(1)}` })),
    };
    const say = (v4: boolean | undefined, v6: boolean | undefined): string | undefined => {
      const alive: Liveness = (ip) => (ip === '220.0.0.1' ? v4 : ip === '9470::1' ? v6 : true);
      return activeGateways(chooseGateways([both], none, alive, at(0)))[0]?.nodeName;
    };
    expect([say(false, false), say(false, undefined), say(undefined, false), say(true, false)]).to.deep.equal([
      'w2',
      'w1',
      'w1',
      'w1',
    ]);
  });
});

describe('the routes of a choice', () => {
  const active = (clusterName: string, nodeName: string): GatewayChoices =>
    new Map([[clusterName, { nodeName, order: '', switchedTime: undefined }]]);
  const west = {
    ...cluster(1),
    candidates: [
      { nodeName: 'w1', gw: '220.0.0.1', dev: 'vx-bridge', gw6: '9470::1', dev6: 'vx-bridge-6' },
      { nodeName: 'w2', gw: '220.0.0.2', dev: 'vx-bridge' },
    ],
    cidrs: ['10.20.0.0/16', 'fd11:20::/64'],
  };
  const p2p: NodeConfigSpec = {
    clusterName: 'east',
    routes: [
      { cidr: '10.20.0.0/16', gw: '220.0.0.1', dev: 'vx-bridge' },
      { cidr: 'fd11:20::/64', gw: '9470::1', dev: 'vx-bridge-6' },
    ],
    gateways: [west],
  };

  it('stay as planned in a family that the new gateway does not have', () => {
    expect(routesThrough(p2p, active('west', 'w2'))).to.have.deep.members([
      { cidr: '10.20.0.0/16', gw: '220.0.0.2', dev: 'vx-bridge' },
      { cidr: 'fd11:20::/64', gw: '9470::1', dev: 'vx-bridge-6' },
    ]);
  });

  it('are the planned ones for a node that is no candidate, and for a cluster without candidates', () => {
    expect(routesThrough(p2p, active('west', 'w9'))).to.equal(p2p.routes);
    expect(routesThrough({ ...p2p, gateways: [{ ...west, candidates: [] }] }, active('west', 'w2'))).to.equal(
      p2p.routes,
    );
  });

  it('never have two ways to one destination', () => {
    const destinations = routesThrough(p2p, active('west', 'w2')).map(({ cidr }) => cidr);
    expect(new Set(destinations).size).to.equal(destinations.length);
  });

  it('touch nothing of other clusters', () => {
    const north = { cidr: '10.30.0.0/16', gw: '220.0.9.1', dev: 'vx-bridge' };
    const spec = { ...p2p, routes: [north, ...p2p.routes!] };
    expect(routesThrough(spec, active('west', 'w2'))[0]).to.equal(north);
  });

  it("go by the own cluster's next gateway on an ordinary node", () => {
    const east: NodeConfigGateways = {
      clusterName: 'east',
      candidates: [
        { nodeName: 'e1', gw: '210.0.0.1', dev: 'vx-local' },
        { nodeName: 'e2', gw: '210.0.0.2', dev: 'vx-local' },
      ],
      cidrs: ['10.20.0.0/16'],
    };
    const spec = {
      clusterName: 'east',
      routes: [{ cidr: '10.20.0.0/16', gw: '210.0.0.1', dev: 'vx-local' }],
      gateways: [east, west],
    };
    expect(routesThrough(spec, active('east', 'e2'))).to.deep.equal([
      { cidr: '10.20.0.0/16', gw: '210.0.0.2', dev: 'vx-local' },
    ]);
  });
});
