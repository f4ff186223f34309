import { expect } from 'chai';
import { desiredState, ownershipOf } from '../../../../src/clusterlink/agent/desired.js';
import { metricOf } from '../../../../src/clusterlink/agent/state.js';
import { eth0, MAC, spec, underlay } from './specs.js';

function desired(change: object = {}, find = underlay): ReturnType<typeof desiredState> {
  const changed = { ...spec, ...change };
  return desiredState(changed, changed.routes ?? [], find);
}

describe('desiredState', () => {
  it('makes devices of the size that the underlay and its family leave', () => {
    const devices = desired().state.devices;
    expect(devices.get('vx-bridge')).to.deep.equal({
      ...{ name: 'vx-bridge', mac: MAC, mtu: 1450, vni: 54, port: 4876, local: '172.18.1.11', underlay: 'eth0' },
    });
    expect(devices.get('vx-bridge-6')).to.include({ mtu: 1430, local: 'fd00:18::1:11' });
  });

  it('takes a smaller size from the config, and never a larger one than fits', () => {
    const withMtu = (mtu: number): number | undefined =>
      desired({ devices: [{ ...spec.devices![0], mtu }] }).state.devices.get('vx-bridge')?.mtu;
    expect([withMtu(1400), withMtu(9000)]).to.deep.equal([1400, 1450]);
  });

  it('gives each device its address, and each family a rule', () => {
    const { addresses, rules } = desired().state;
    expect([...addresses.keys()]).to.deep.equal(['vx-bridge 220.18.1.11/8', 'vx-bridge-6 9470:18::1:11/16']);
    expect([...rules.values()]).to.deep.equal([
      { family: 'ipv4', priority: 200, table: 200, protocol: 98 },
      { family: 'ipv6', priority: 200, table: 200, protocol: 98 },
    ]);
  });

  it('marks routes and rules with the numbers of the settings', () => {
    const settings = { routeTable: 300, rulePriority: 90, routeProtocol: 99 };
    const { routes, rules } = desired({ settings }).state;
    expect([...routes.values()].map(({ table, protocol }) => [table, protocol])).to.deep.equal([
      [300, 99],
      [300, 99],
    ]);
    expect([...rules.values()][0]).to.include({ priority: 90, table: 300, protocol: 99 });
    expect(ownershipOf({})).to.deep.equal({ table: 200, priority: 200, protocol: 98 });
  });

  it('cuts host bits off destinations', () => {
    const routes = [{ cidr: '10.20.3.4/22', gw: '220.18.2.21', dev: 'vx-bridge' }];
    expect([...desired({ routes }).state.routes.values()][0]).to.include({
      destination: '10.20.0.0',
      prefixLength: 22,
    });
  });

  it('knows one text for each address', () => {
    const routes = [{ cidr: 'FD11:20:0::/64', gw: '9470:0018::2:21', dev: 'vx-bridge-6' }];
    expect([...desired({ routes }).state.routes.values()][0]).to.include({
      ...{ destination: 'fd11:20::', gateway: '9470:18::2:21', metric: metricOf('9470:18::2:21') },
    });
  });

  const wrong: readonly (readonly [string, object, string])[] = [
    ['an address that is none', { arps: [{ ip: 'x', mac: MAC, dev: 'vx-bridge' }] }, '"x" is no IP address'],
    [
      'an Ethernet address that is none',
      { fdbs: [{ ip: '1.2.3.4', mac: 'x', dev: 'vx-bridge' }] },
      '"x" is no Ethernet address',
    ],
    [
      'a prefix that is none',
      { routes: [{ cidr: '10.0.0.0/33', gw: '1.2.3.4', dev: 'vx-bridge' }] },
      'length of its prefix',
    ],
    [
      'a prefix without length',
      { routes: [{ cidr: '10.0.0.0', gw: '1.2.3.4', dev: 'vx-bridge' }] },
      'length of its prefix',
    ],
    ['mixed families', { routes: [{ cidr: '10.0.0.0/8', gw: '::1', dev: 'vx-bridge' }] }, 'different families'],
  ];
  for (const [what, change, problem] of wrong) {
    it(`reports ${what}, and keeps all else`, () => {
      const { problems, state } = desired(change);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.contain(problem);
      expect(state.devices.size).to.equal(2);
    });
  }

  it('leaves out what hangs on a device that can not be had', () => {
    const { state, problems } = desired({}, (name) => (name === 'eth0' ? { mtu: 1500, ip: eth0.ip } : undefined));
    expect([...state.devices.keys()]).to.deep.equal(['vx-bridge']);
    expect([...state.routes.values()].map(({ dev }) => dev)).to.deep.equal(['vx-bridge']);
    expect(problems[0]).to.contain('the interface eth0 has no ipv6 address');
  });

  it('says which interface is missing, or too small', () => {
    expect(desired({}, () => undefined).problems[0]).to.contain('there is no interface eth0');
    expect(desired({}, () => ({ ...eth0, mtu: 1300 })).problems[0]).to.contain('is too small for a tunnel');
  });

  it('is empty for a config that wants nothing', () => {
    const { state } = desired({ devices: [], routes: [], arps: [], fdbs: [] });
    expect(Object.values(state).map(({ size }: { size: number }) => size)).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });
});

describe('metricOf', () => {
  it('is different for most gateways', () => {
    const metrics = new Set<number>();
    for (let node = 0; node < 10_000; node++) metrics.add(metricOf(`220.${node >> 8}.0.${node & 255}`));
    expect(metrics.size).to.be.greaterThan(9_000);
  });

  it('is never one that the kernel gives by itself', () => {
    expect(metricOf('220.18.2.21')).to.be.within(1024, 1024 + 65535);
    expect(metricOf('9470:18::2:21')).to.be.within(1024, 1024 + 65535);
  });
});
