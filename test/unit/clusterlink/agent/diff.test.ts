import { expect } from 'chai';
import fc from 'fast-check';
import { desiredState } from '../../../../src/clusterlink/agent/desired.js';
import { countChanges, describeOperation, diffStates, type Operation } from '../../../../src/clusterlink/agent/diff.js';
import {
  EMPTY_STATE,
  type NetworkState,
  type PresentDevice,
  type PresentState,
  type Route,
} from '../../../../src/clusterlink/agent/state.js';
import { applyChanges } from './model-kernel.js';
import { device, presentAs, spec, underlay, ZERO } from './specs.js';

const wanted = desiredState(spec, spec.routes ?? [], underlay).state;
const nothing: PresentState = presentAs(EMPTY_STATE);

function without(state: PresentState, kind: keyof NetworkState, index = 0): PresentState {
  const items = [...(state[kind] as ReadonlyMap<string, unknown>)];
  items.splice(index, 1);
  return { ...state, [kind]: new Map(items) };
}

function lines(operations: readonly Operation[]): string[] {
  return operations.map(describeOperation);
}

describe('diffStates', () => {
  it('is empty when all is as wanted', () => {
    expect(countChanges(diffStates(presentAs(wanted), wanted))).to.equal(0);
  });

  it('makes everything from devices up to routes', () => {
    const { devices, rest } = diffStates(nothing, wanted);
    expect(lines(devices)).to.deep.equal(['add device vx-bridge', 'add device vx-bridge-6']);
    expect(lines(rest)).to.deep.equal([
      'add address 220.18.1.11/8 dev vx-bridge',
      'add address 9470:18::1:11/16 dev vx-bridge-6',
      'add rule ipv4 pref 200 lookup 200',
      'add rule ipv6 pref 200 lookup 200',
      'add neighbour 220.18.2.21 lladdr 02:02:01:00:00:b0 dev vx-bridge',
      'add forwarding 172.18.2.21 lladdr 02:02:01:00:00:b0 dev vx-bridge',
      'add forwarding 172.18.2.21 lladdr 00:00:00:00:00:00 dev vx-bridge',
      'add route 10.20.0.0/16 via 220.18.2.21 dev vx-bridge',
      'add route fd11:20::/64 via 9470:18::2:21 dev vx-bridge-6',
    ]);
  });

  for (const kind of ['addresses', 'rules', 'neighbours', 'forwarding', 'routes'] as const) {
    it(`adds one of the ${kind} that is missing, and nothing else`, () => {
      const changes = diffStates(without(presentAs(wanted), kind), wanted);
      expect(changes.devices).to.deep.equal([]);
      expect(changes.rest).to.deep.equal([
        { kind: changes.rest[0]?.kind, action: 'add', item: [...wanted[kind].values()][0] },
      ]);
    });
  }

  it('makes a device anew with all that hangs on it in the same pass', () => {
    const present = presentAs(wanted);
    const other = { ...present.devices.get('vx-bridge')!, vxlan: device('vx-bridge', { vni: 99 }) };
    const changes = diffStates({ ...present, devices: new Map([...present.devices, ['vx-bridge', other]]) }, wanted);
    expect(lines(changes.devices)).to.deep.equal(['delete device vx-bridge', 'add device vx-bridge']);
    expect(lines(changes.rest)).to.have.length(5);
    expect(lines(changes.rest)).to.satisfy((all: string[]) => all.every((line) => /^add .* dev vx-bridge$/.test(line)));
  });

  it('changes what can be changed while a device is there', () => {
    const present = presentAs(wanted);
    const changed: readonly Partial<PresentDevice>[] = [
      { vxlan: device('vx-bridge', { mtu: 1400 }) },
      { vxlan: device('vx-bridge', { mac: '02:00:00:00:00:01' }) },
      { up: false },
      { own: false },
    ];
    for (const change of changed) {
      const devices = new Map([...present.devices, ['vx-bridge', { ...present.devices.get('vx-bridge')!, ...change }]]);
      const changes = diffStates({ ...present, devices }, wanted);
      expect(changes.devices.map(({ action }) => action)).to.deep.equal(['change']);
      expect(changes.rest).to.deep.equal([]);
    }
  });

  it('leaves a device of the same name alone that is not ours, and all that would hang on it', () => {
    const foreign = { index: 9, name: 'vx-bridge', vxlan: undefined, up: true, own: false };
    const changes = diffStates({ ...nothing, devices: new Map([['vx-bridge', foreign]]) }, wanted);
    expect(lines(changes.devices)).to.deep.equal(['add device vx-bridge-6']);
    expect(lines(changes.rest).filter((line) => line.endsWith('vx-bridge'))).to.deep.equal([]);
    expect(changes.problems).to.deep.equal([
      'device vx-bridge: there is another device of that name, which is left alone',
    ]);
  });

  it('adds before it removes, and removes from routes down to devices', () => {
    const { devices, rest, problems } = diffStates(presentAs(wanted), EMPTY_STATE);
    expect([devices, problems]).to.deep.equal([[], []]);
    // What hangs on a device goes away with it.
    expect(lines(rest)).to.deep.equal([
      'delete rule ipv4 pref 200 lookup 200',
      'delete rule ipv6 pref 200 lookup 200',
      'delete device vx-bridge',
      'delete device vx-bridge-6',
    ]);
  });

  it('removes an old device first when it holds the VNI and port of a new one', () => {
    const old: PresentDevice = { index: 9, name: 'vx-old', vxlan: device('vx-old'), up: true, own: true };
    const { devices } = diffStates({ ...nothing, devices: new Map([['vx-old', old]]) }, wanted);
    expect(lines(devices)[0]).to.equal('delete device vx-old');
  });

  it('moves a route to another gateway by adding first', () => {
    const moved = desiredState(
      spec,
      [{ cidr: '10.20.0.0/16', gw: '220.18.2.22', dev: 'vx-bridge' }, spec.routes![1]!],
      underlay,
    );
    expect(lines(diffStates(presentAs(wanted), moved.state).rest)).to.deep.equal([
      'add route 10.20.0.0/16 via 220.18.2.22 dev vx-bridge',
      'delete route 10.20.0.0/16 via 220.18.2.21 dev vx-bridge',
    ]);
  });

  it('replaces a route whose successor has the same metric, in one step', () => {
    const [key, route] = [...wanted.routes][0]!;
    const other: Route = { ...route, gateway: '220.18.9.9' };
    const changes = diffStates({ ...presentAs(wanted), routes: new Map([...wanted.routes, [key, other]]) }, wanted);
    expect(lines(changes.rest)).to.deep.equal(['add route 10.20.0.0/16 via 220.18.2.21 dev vx-bridge']);
  });

  it('does not delete the old destination of an Ethernet address that the new one has replaced', () => {
    const moved = { ...spec, fdbs: spec.fdbs!.map((entry) => ({ ...entry, ip: '172.18.2.22' })) };
    const changes = diffStates(presentAs(wanted), desiredState(moved, spec.routes!, underlay).state);
    expect(lines(changes.rest)).to.deep.equal([
      'add forwarding 172.18.2.22 lladdr 02:02:01:00:00:b0 dev vx-bridge',
      `add forwarding 172.18.2.22 lladdr ${ZERO} dev vx-bridge`,
      `delete forwarding 172.18.2.21 lladdr ${ZERO} dev vx-bridge`,
    ]);
  });
});

describe('applying the difference', () => {
  const byte = fc.integer({ min: 1, max: 4 });
  const mac = byte.map((last) => `02:00:00:00:00:0${last}`);
  const dev = fc.constantFrom('vx-bridge', 'vx-local');
  const peer = fc.record({ ip: byte.map((last) => `172.18.0.${last}`), mac: fc.oneof(mac, fc.constant(ZERO)), dev });
  const config = fc.record({
    devices: fc.uniqueArray(
      fc.record({
        ...{
          type: fc.constant('vxlan' as const),
          name: dev,
          mac,
          bindDev: fc.constant('eth0'),
          port: fc.constant(4876),
        },
        ...{ addr: byte.map((last) => `220.0.0.${last}/8`), id: fc.integer({ min: 54, max: 55 }) },
      }),
      { selector: ({ name }) => name, maxLength: 2 },
    ),
    routes: fc.array(
      fc.record({ cidr: byte.map((third) => `10.0.${third}.0/24`), gw: byte.map((last) => `220.0.0.${last}`), dev }),
      { maxLength: 6 },
    ),
    // An ordinary Ethernet address has one destination.
    fdbs: fc.uniqueArray(peer, {
      selector: ({ mac: address, dev: on, ip }) => `${on} ${address} ${address === ZERO ? ip : ''}`,
      maxLength: 6,
    }),
    arps: fc.array(peer, { maxLength: 6 }),
  });
  const state = config.map((some) => desiredState(some, some.routes, underlay).state);

  it('gives what was wanted, whatever there was before, and then there is nothing left to do', () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        const first = applyChanges(nothing, diffStates(nothing, before));
        const second = applyChanges(first, diffStates(first, after));
        expect(countChanges(diffStates(second, after))).to.equal(0);
      }),
      { numRuns: 500 },
    );
  });

  it('heals whatever was taken away', () => {
    const kinds = fc.constantFrom('devices', 'addresses', 'rules', 'neighbours', 'forwarding', 'routes');
    fc.assert(
      fc.property(state, kinds, fc.nat(), (some, kind: keyof NetworkState, which) => {
        const there = applyChanges(nothing, diffStates(nothing, some));
        const damaged = without(there, kind, which % Math.max(1, some[kind].size));
        const healed = applyChanges(damaged, diffStates(damaged, some));
        expect(countChanges(diffStates(healed, some))).to.equal(0);
      }),
    );
  });
});
