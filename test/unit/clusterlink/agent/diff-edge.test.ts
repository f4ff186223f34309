import { expect } from 'chai';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { desiredState } from '../../../../src/clusterlink/agent/desired.js';
import { type Changes, countChanges, describeOperation, diffStates } from '../../../../src/clusterlink/agent/diff.js';
import {
  type Device,
  EMPTY_STATE,
  type NetworkState,
  type PresentDevice,
  type PresentState,
  type Route,
  routeKey,
} from '../../../../src/clusterlink/agent/state.js';
import { applyChanges } from './model-kernel.js';
import { device, MAC, presentAs, spec, underlay, ZERO } from './specs.js';

const wanted = stateOf({});
const nothing = presentAs(EMPTY_STATE);

function stateOf(change: Partial<NodeConfigSpec>): NetworkState {
  const changed = { ...spec, ...change };
  return desiredState(changed, changed.routes ?? [], underlay).state;
}

function withDevices(...devices: readonly Device[]): NetworkState {
  return { ...EMPTY_STATE, devices: new Map(devices.map((one) => [one.name, one])) };
}

function present(name: string, change: Partial<PresentDevice> = {}): PresentDevice {
  return { index: 9, name, vxlan: device(name), up: true, own: true, ...change };
}

function presentWith(...devices: readonly PresentDevice[]): PresentState {
  return { ...nothing, devices: new Map(devices.map((one) => [one.name, one])) };
}

function lines({ devices, rest }: Changes): string[] {
  return [...devices, ...rest].map(describeOperation);
}

describe('a device that is there', () => {
  const other: readonly (readonly [string, Partial<Device>])[] = [
    ['another VNI', { vni: 55 }],
    ['another port', { port: 4789 }],
    ['another source', { local: '172.18.1.12' }],
    ['a source of the other family', { local: 'fd00:18::1:11' }],
    ['another underlay', { underlay: 'eth1' }],
    ['an underlay that is gone', { underlay: '' }],
  ];
  for (const [what, change] of other) {
    it(`is made anew when it has ${what}`, () => {
      const there = presentWith(present('vx-bridge', { vxlan: device('vx-bridge', change) }));
      expect(lines(diffStates(there, withDevices(device('vx-bridge'))))).to.deep.equal([
        'delete device vx-bridge',
        'add device vx-bridge',
      ]);
    });
  }

  it('is made anew when it has our alias, and is of another kind', () => {
    const there = presentWith(present('vx-bridge', { vxlan: undefined }));
    const changes = diffStates(there, withDevices(device('vx-bridge')));
    expect(lines(changes)).to.deep.equal(['delete device vx-bridge', 'add device vx-bridge']);
    expect(changes.problems).to.deep.equal([]);
  });

  it('is changed once, whatever there is to change', () => {
    const there = presentWith(
      present('vx-bridge', { vxlan: device('vx-bridge', { mtu: 1, mac: ZERO }), up: false, own: false }),
    );
    expect(lines(diffStates(there, withDevices(device('vx-bridge'))))).to.deep.equal(['change device vx-bridge']);
  });

  it('stays when it is foreign, and nobody wants one of its name', () => {
    const foreign = presentWith(present('flannel.1', { own: false }), present('br0', { own: false, vxlan: undefined }));
    expect(countChanges(diffStates(foreign, EMPTY_STATE))).to.equal(0);
    expect(countChanges(diffStates(foreign, withDevices()))).to.equal(0);
  });
});

describe("devices whose VNIs are in each other's way", () => {
  it('are all removed before any is made, when two exchange theirs', () => {
    const there = presentWith(
      present('vx-a', { vxlan: device('vx-a', { vni: 1 }) }),
      present('vx-b', { vxlan: device('vx-b', { vni: 2 }) }),
    );
    const swapped = withDevices(device('vx-a', { vni: 2 }), device('vx-b', { vni: 1 }));
    expect(lines(diffStates(there, swapped))).to.deep.equal([
      'delete device vx-a',
      'delete device vx-b',
      'add device vx-a',
      'add device vx-b',
    ]);
  });

  it("go last when they are in nobody's way: what they carry has a new way then", () => {
    const there = presentWith(present('vx-old', { vxlan: device('vx-old', { vni: 99 }) }));
    expect(lines(diffStates(there, withDevices(device('vx-bridge'))))).to.deep.equal([
      'add device vx-bridge',
      'delete device vx-old',
    ]);
  });

  it("are in no one's way with the same VNI at another port", () => {
    const there = presentWith(present('vx-old', { vxlan: device('vx-old', { port: 4789 }) }));
    expect(lines(diffStates(there, withDevices(device('vx-bridge')))).at(-1)).to.equal('delete device vx-old');
  });
});

describe('routes', () => {
  const [first] = [...wanted.routes.values()] as [Route, ...Route[]];
  const there = (...routes: readonly Route[]): PresentState => ({
    ...presentAs(wanted),
    routes: new Map([...wanted.routes, ...routes.map((route): [string, Route] => [routeKey(route), route])]),
  });

  it('move from a device that goes away to its successor before it does', () => {
    const renamed = {
      devices: spec.devices!.map((one) => ({ ...one, name: `${one.name}x`, id: one.id + 100 })),
      routes: spec.routes!.map((one) => ({ ...one, dev: `${one.dev}x` })),
      fdbs: [],
      arps: [],
    };
    const changes = lines(diffStates(presentAs(wanted), stateOf(renamed)));
    const at = (line: string): number => changes.indexOf(line);
    expect(at('add route 10.20.0.0/16 via 220.18.2.21 dev vx-bridgex')).to.be.greaterThan(at('add device vx-bridgex'));
    expect(at('delete device vx-bridge')).to.be.greaterThan(
      at('add route 10.20.0.0/16 via 220.18.2.21 dev vx-bridgex'),
    );
    expect(changes.some((line) => line.startsWith('delete route'))).to.equal(false);
  });

  it('are removed from a table that is no longer the one', () => {
    const moved = stateOf({ settings: { routeTable: 300 } });
    const changes = lines(diffStates(presentAs(wanted), moved));
    expect(changes.filter((line) => line.startsWith('delete'))).to.deep.equal([
      'delete route 10.20.0.0/16 via 220.18.2.21 dev vx-bridge',
      'delete route fd11:20::/64 via 9470:18::2:21 dev vx-bridge-6',
      'delete rule ipv4 pref 200 lookup 200',
      'delete rule ipv6 pref 200 lookup 200',
    ]);
    expect(changes.indexOf('add rule ipv4 pref 200 lookup 300')).to.be.lessThan(
      changes.indexOf('delete rule ipv4 pref 200 lookup 200'),
    );
  });

  it('with another metric are removed, whoever made them', () => {
    const { rest } = diffStates(there({ ...first, metric: 7 }), wanted);
    expect(rest).to.deep.equal([{ kind: 'route', action: 'delete', item: { ...first, metric: 7 } }]);
  });

  it('without a gateway are removed, and replaced where they are in the place of a wanted one', () => {
    const bare = { ...first, destination: '10.99.0.0', gateway: '' };
    expect(diffStates(there(bare), wanted).rest).to.deep.equal([{ kind: 'route', action: 'delete', item: bare }]);
    expect(diffStates(there({ ...first, gateway: '' }), wanted).rest).to.deep.equal([
      { kind: 'route', action: 'add', item: first },
    ]);
  });

  it('are replaced that lead to another device', () => {
    expect(diffStates(there({ ...first, dev: 'eth0' }), wanted).rest).to.deep.equal([
      { kind: 'route', action: 'add', item: first },
    ]);
  });
});

describe('neighbours and forwarding entries', () => {
  it('of another Ethernet address are replaced in one step', () => {
    const key = 'vx-bridge 220.18.2.21';
    const old = { ...wanted.neighbours.get(key)!, mac: '02:00:00:00:00:99' };
    const state = { ...presentAs(wanted), neighbours: new Map([[key, old]]) };
    expect(lines(diffStates(state, wanted))).to.deep.equal([`add neighbour 220.18.2.21 lladdr ${MAC} dev vx-bridge`]);
  });

  it('of several destinations of zeros come and go one by one', () => {
    const entries = (...ips: readonly string[]): NetworkState =>
      stateOf({ fdbs: ips.map((ip) => ({ ip, mac: ZERO, dev: 'vx-bridge' })) });
    const changes = diffStates(presentAs(entries('172.18.0.1', '172.18.0.2')), entries('172.18.0.2', '172.18.0.3'));
    expect(lines(changes)).to.deep.equal([
      `add forwarding 172.18.0.3 lladdr ${ZERO} dev vx-bridge`,
      `delete forwarding 172.18.0.1 lladdr ${ZERO} dev vx-bridge`,
    ]);
  });

  it('of the same Ethernet address on another device are still removed', () => {
    const on = (dev: string): NetworkState => stateOf({ fdbs: [{ ip: '172.18.0.1', mac: MAC, dev }] });
    expect(lines(diffStates(presentAs(on('vx-bridge')), on('vx-bridge-6')))).to.deep.equal([
      `add forwarding 172.18.0.1 lladdr ${MAC} dev vx-bridge-6`,
      `delete forwarding 172.18.0.1 lladdr ${MAC} dev vx-bridge`,
    ]);
  });

  it('are not touched where the device is a foreign one', () => {
    const state = {
      ...presentAs(wanted),
      devices: new Map([['vx-bridge', present('vx-bridge', { own: false, vxlan: undefined })]]),
    };
    const changes = diffStates(
      { ...state, addresses: new Map(), neighbours: new Map(), forwarding: new Map() },
      wanted,
    );
    expect(lines(changes).filter((line) => line.startsWith('add') && line.endsWith('dev vx-bridge'))).to.deep.equal([]);
  });
});

describe('a change of families', () => {
  const only = (family: 'ipv4' | 'ipv6'): NetworkState => {
    const dev = family === 'ipv4' ? 'vx-bridge' : 'vx-bridge-6';
    return stateOf({
      devices: spec.devices!.filter(({ name }) => name === dev),
      routes: spec.routes!.filter((route) => route.dev === dev),
      fdbs: spec.fdbs!.filter((entry) => entry.dev === dev),
      arps: spec.arps!.filter((entry) => entry.dev === dev),
    });
  };

  for (const [from, to] of [
    ['ipv4', 'ipv6'],
    ['ipv6', 'ipv4'],
  ] as const) {
    it(`from ${from} to ${to} leaves nothing of the old one, in one pass`, () => {
      const before = applyChanges(nothing, diffStates(nothing, only(from)));
      const after = applyChanges(before, diffStates(before, only(to)));
      expect(countChanges(diffStates(after, only(to)))).to.equal(0);
      expect([...after.rules.values()].map(({ family }) => family)).to.deep.equal([to]);
    });

    it(`from ${from} to both touches nothing that is there`, () => {
      const changes = diffStates(presentAs(only(from)), wanted);
      expect(lines(changes).filter((line) => !line.startsWith('add'))).to.deep.equal([]);
      expect(countChanges(changes)).to.equal(countChanges(diffStates(nothing, only(to))));
    });
  }
});
