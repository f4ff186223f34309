import { expect } from 'chai';
import fc from 'fast-check';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { type Desired, desiredState } from '../../../../src/clusterlink/agent/desired.js';
import { metricOf } from '../../../../src/clusterlink/agent/state.js';
import { MAC, spec, underlay } from './specs.js';

const [bridge, bridge6] = [spec.devices![0]!, spec.devices![1]!];
const EMPTY: NodeConfigSpec = { devices: [], routes: [], fdbs: [], arps: [] };

function desired(change: Partial<NodeConfigSpec>, find = underlay): Desired {
  const changed = { ...spec, ...change };
  return desiredState(changed, changed.routes ?? [], find);
}

function devicesFor(...devices: NonNullable<NodeConfigSpec['devices']>): Desired {
  return desired({ ...EMPTY, devices });
}

describe('what is wanted of devices', () => {
  it('has rules for the families that there are tunnels of, and no others', () => {
    const families = (...devices: NonNullable<NodeConfigSpec['devices']>): string[] =>
      [...devicesFor(...devices).state.rules.values()].map(({ family }) => family);
    expect([families(bridge), families(bridge6), families(bridge6, bridge), families()]).to.deep.equal([
      ['ipv4'],
      ['ipv6'],
      ['ipv4', 'ipv6'],
      [],
    ]);
  });

  it('has the outer family of the tunnel address, on a host that has both', () => {
    const { state } = devicesFor(bridge, bridge6);
    expect([...state.devices.values()].map(({ local }) => local)).to.deep.equal(['172.18.1.11', 'fd00:18::1:11']);
  });

  const sizes: readonly (readonly [string, number, number | undefined, string, number | undefined])[] = [
    ['an ordinary network', 1500, undefined, '220.0.0.1/8', 1450],
    ['an ordinary network of IPv6', 1500, undefined, '9470::1/16', 1430],
    ['jumbo frames', 9000, undefined, '220.0.0.1/8', 8950],
    ['the smallest underlay of IPv4', 1330, undefined, '220.0.0.1/8', 1280],
    ['one byte less', 1329, undefined, '220.0.0.1/8', undefined],
    ['the smallest underlay of IPv6', 1350, undefined, '9470::1/16', 1280],
    ['one byte less of IPv6', 1349, undefined, '9470::1/16', undefined],
    ['a config that asks for less', 9000, 1300, '220.0.0.1/8', 1300],
    ['a config that asks for as much as there is', 1500, 1450, '220.0.0.1/8', 1450],
    ['a config that asks for too much', 1500, 1451, '220.0.0.1/8', 1450],
  ];
  for (const [what, below, mtu, addr, expected] of sizes) {
    it(`has ${expected === undefined ? 'no place' : `an MTU of ${expected}`} with ${what}`, () => {
      const device = { ...bridge, addr, mtu };
      const { state, problems } = desired({ ...EMPTY, devices: [device] }, () => ({
        ...underlay('eth0')!,
        mtu: below,
      }));
      expect(state.devices.get('vx-bridge')?.mtu).to.equal(expected);
      expect(problems.some((problem) => problem.includes(`the MTU ${below}`))).to.equal(expected === undefined);
    });
  }

  it('is in lower case, as the kernel tells of it', () => {
    const { state } = devicesFor({ ...bridge, mac: MAC.toUpperCase() });
    expect(state.devices.get('vx-bridge')?.mac).to.equal(MAC);
  });

  it('keeps the host bits of a tunnel address', () => {
    expect([...devicesFor(bridge).state.addresses.values()]).to.deep.equal([
      { dev: 'vx-bridge', ip: '220.18.1.11', prefixLength: 8 },
    ]);
  });

  const wrong: readonly (readonly [string, object, string])[] = [
    ['a name that is too long', { name: 'sixteen--letters' }, '"sixteen--letters" is no name of a device'],
    ['no name', { name: '' }, '"" is no name of a device'],
    ['a name with a path in it', { name: '../all' }, '"../all" is no name of a device'],
    ['no address', { addr: '' }, 'is no IP address'],
    ['an address without length', { addr: '220.0.0.1' }, 'length of its prefix'],
    ['no Ethernet address', { mac: '' }, '"" is no Ethernet address'],
    ['an Ethernet address in another form', { mac: '02-02-01-00-00-b0' }, 'is no Ethernet address'],
    ['an Ethernet address that is too long', { mac: `${MAC}:00` }, 'is no Ethernet address'],
    ['an interface that is not there', { bindDev: 'eth7' }, 'there is no interface eth7'],
  ];
  for (const [what, change, problem] of wrong) {
    it(`leaves out a device with ${what}, its address and what hangs on it, and no other`, () => {
      const { state, problems } = desired({ devices: [{ ...bridge, ...change }, bridge6] });
      expect(problems.filter((one) => one.startsWith('device '))).to.have.length(1);
      expect(problems[0]).to.contain(problem);
      expect([...state.devices.keys(), ...state.addresses.keys()]).to.deep.equal([
        'vx-bridge-6',
        'vx-bridge-6 9470:18::1:11/16',
      ]);
      expect([state.neighbours.size, state.forwarding.size, state.routes.size]).to.deep.equal([0, 0, 1]);
    });
  }
});

describe('what is wanted of routes', () => {
  const routes = (...all: NonNullable<NodeConfigSpec['routes']>): Desired => desired({ routes: all });

  it('is each destination once for a gateway, however it is written', () => {
    const { state } = routes(
      { cidr: '10.20.0.0/16', gw: '220.0.0.2', dev: 'vx-bridge' },
      { cidr: '10.20.9.9/16', gw: '220.0.0.2', dev: 'vx-bridge' },
      { cidr: 'fd11::/64', gw: '9470::2', dev: 'vx-bridge-6' },
      { cidr: 'FD11:0:0:0::1/64', gw: '9470:0::2', dev: 'vx-bridge-6' },
    );
    expect([...state.routes.values()].map(({ destination }) => destination)).to.deep.equal(['10.20.0.0', 'fd11::']);
  });

  it('may be everything, and a single address', () => {
    const { state, problems } = routes(
      { cidr: '0.0.0.0/0', gw: '220.0.0.2', dev: 'vx-bridge' },
      { cidr: '::/0', gw: '9470::2', dev: 'vx-bridge-6' },
      { cidr: '10.0.0.1/32', gw: '220.0.0.2', dev: 'vx-bridge' },
      { cidr: 'fd11::1/128', gw: '9470::2', dev: 'vx-bridge-6' },
    );
    expect(problems).to.deep.equal([]);
    expect(
      [...state.routes.values()].map(({ destination, prefixLength }) => `${destination}/${prefixLength}`),
    ).to.deep.equal(['0.0.0.0/0', '::/0', '10.0.0.1/32', 'fd11::1/128']);
  });

  it('says which of many makes no sense, and keeps all others', () => {
    const good = Array.from({ length: 50 }, (_none, at) => ({
      cidr: `10.${at}.0.0/16`,
      gw: '220.0.0.2',
      dev: 'vx-bridge',
    }));
    const { state, problems } = routes(...good, { cidr: '10.0.0.0/16', gw: '', dev: 'vx-bridge' });
    expect(state.routes.size).to.equal(50);
    expect(problems).to.deep.equal(['route {"cidr":"10.0.0.0/16","gw":"","dev":"vx-bridge"}: "" is no IP address']);
  });

  it('are those that it is given, not those of the config', () => {
    const { state } = desiredState(spec, [{ cidr: '10.99.0.0/16', gw: '220.0.0.2', dev: 'vx-bridge' }], underlay);
    expect([...state.routes.values()].map(({ destination }) => destination)).to.deep.equal(['10.99.0.0']);
  });

  it('is nothing on a device of somebody else', () => {
    expect(routes({ cidr: '10.20.0.0/16', gw: '172.18.0.1', dev: 'eth0' }).state.routes.size).to.equal(0);
  });
});

describe('what is wanted, whatever a config says', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('10.0.0.0/8', '220.0.0.1/8', '9470::1/16', '220.0.0.2', '9470::2', MAC, 'vx-bridge', 'eth0', '::'),
  );
  const peers = fc.array(fc.record({ ip: text, mac: text, dev: text }), { maxLength: 4 });
  const config = fc.record({
    devices: fc.array(
      fc.record({
        ...{ type: fc.constant('vxlan' as const), name: text, addr: text, mac: text, bindDev: text },
        ...{ id: fc.integer({ min: 1, max: 99 }), port: fc.integer({ min: 1, max: 65535 }) },
      }),
      { maxLength: 4 },
    ),
    routes: fc.array(fc.record({ cidr: text, gw: text, dev: text }), { maxLength: 4 }),
    ...{ fdbs: peers, arps: peers },
  });

  it('can be told, and hangs on devices that are wanted too', () => {
    fc.assert(
      fc.property(config, (some) => {
        const { state, problems } = desiredState(some, some.routes, underlay);
        const { devices, addresses, neighbours, forwarding, routes } = state;
        for (const items of [addresses, neighbours, forwarding, routes]) {
          for (const { dev } of items.values()) expect(devices.has(dev)).to.equal(true);
        }
        const items = [some.devices, some.routes, some.fdbs, some.arps].reduce((sum, { length }) => sum + length, 0);
        expect(problems.length).to.be.at.most(items);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for a config whose lists are in another order', () => {
    const sorted = (state: Desired['state']): unknown =>
      Object.values(state).map((items: ReadonlyMap<string, unknown>) => [...items.entries()].sort());
    const reversed = {
      ...spec,
      devices: [...spec.devices!].reverse(),
      routes: [...spec.routes!].reverse(),
      fdbs: [...spec.fdbs!].reverse(),
    };
    expect(sorted(desiredState(reversed, reversed.routes, underlay).state)).to.deep.equal(
      sorted(desiredState(spec, spec.routes!, underlay).state),
    );
  });
});

describe('metrics of routes', () => {
  it('are the same for the same gateway, however it is written', () => {
    expect(metricOf('9470:0018:0::0002')).to.equal(metricOf('9470:18::2'));
  });

  it('fit into what the kernel keeps, for any gateway', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (gateway) => {
        expect(metricOf(gateway)).to.be.within(1024, 1024 + 0xffff);
      }),
    );
  });
});
