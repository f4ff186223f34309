import { expect } from 'chai';
import type { Changes, Operation } from '../../../../src/clusterlink/agent/diff.js';
import { diffStates } from '../../../../src/clusterlink/agent/diff.js';
import { NetlinkKernel } from '../../../../src/clusterlink/agent/kernel.js';
import { FLAG, RTM } from '../../../../src/clusterlink/agent/netlink/constants.js';
import { decodeLink } from '../../../../src/clusterlink/agent/netlink/link.js';
import { decodeNeighbour } from '../../../../src/clusterlink/agent/netlink/neighbour.js';
import { readAttributes } from '../../../../src/clusterlink/agent/netlink/reader.js';
import { decodeRoute } from '../../../../src/clusterlink/agent/netlink/route.js';
import { decodeRule } from '../../../../src/clusterlink/agent/netlink/rule.js';
import { EMPTY_STATE, type NetworkState, type Peer, type Route } from '../../../../src/clusterlink/agent/state.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeLibc } from '../../../support/fake-netlink.js';
import { ScriptedKernel } from '../../../support/scripted-kernel.js';
import { device, MAC, ZERO } from './specs.js';

const NOTHING: Changes = { devices: [], rest: [], problems: [] };
const wantedOf = (...names: readonly string[]): NetworkState => ({
  ...EMPTY_STATE,
  devices: new Map(names.map((name) => [name, device(name)])),
});
const route = (change: Partial<Route> = {}): Route => ({
  ...{ family: 'ipv4', table: 200, protocol: 98, destination: '10.20.0.0', prefixLength: 16 },
  ...{ gateway: '220.18.2.21', dev: 'vx-bridge', metric: 1100 },
  ...change,
});
const peer = (ip: string, mac = MAC, dev = 'vx-bridge'): Peer => ({ dev, ip, mac });

describe('NetlinkKernel', () => {
  let script: ScriptedKernel;
  let libc: FakeLibc;
  let clock: FakeClock;
  let kernel: NetlinkKernel;

  beforeEach(() => {
    script = new ScriptedKernel();
    libc = new FakeLibc();
    libc.answer = script.answer;
    clock = new FakeClock();
    kernel = new NetlinkKernel(libc, clock);
    script.link({ index: 1, name: 'lo' });
    script.link({ index: 2, name: 'eth0', mac: '02:00:00:00:00:02' });
  });

  describe('what is present', () => {
    beforeEach(() => {
      script.link({ index: 10, name: 'vx-bridge', mac: MAC, mtu: 1450, alias: 'kosmos', vxlan: { underlay: 2 } });
      script.link({ index: 11, name: 'flannel.1', mac: MAC, vxlan: { vni: 1, underlay: 2 } });
    });

    it('is what the wanted devices and the alias tell of', () => {
      const { devices } = kernel.present(wantedOf('vx-bridge'), 98);
      expect([...devices.values()]).to.deep.equal([
        { index: 10, name: 'vx-bridge', up: true, own: true, vxlan: device('vx-bridge') },
      ]);
    });

    it('is an own device also when nobody wants it any more, and when it has another name', () => {
      script.link({ index: 12, name: 'vx-old', mac: MAC, alias: 'kosmos', vxlan: { vni: 99, underlay: 2 } });
      expect([...kernel.present(EMPTY_STATE, 98).devices.keys()]).to.deep.equal(['vx-bridge', 'vx-old']);
    });

    it('is a foreign device only when it has the name of a wanted one', () => {
      script.link({ index: 13, name: 'vx-local', mac: MAC });
      const { devices } = kernel.present(wantedOf('vx-local'), 98);
      expect(devices.get('vx-local')).to.include({ own: false, vxlan: undefined });
      expect(diffStates(kernel.present(wantedOf('vx-local'), 98), wantedOf('vx-local')).problems).to.have.length(1);
    });

    it('shows a device that learns as one that has to be made anew', () => {
      script.link({ index: 10, name: 'vx-bridge', mac: MAC, alias: 'kosmos', vxlan: { underlay: 2, learning: true } });
      const wanted = wantedOf('vx-bridge');
      expect(diffStates(kernel.present(wanted, 98), wanted).devices.map(({ action }) => action)).to.deep.equal([
        'delete',
        'add',
      ]);
    });

    it('shows a device as another one whose underlay is gone, or has another number', () => {
      script.unlink(2);
      expect(kernel.present(wantedOf('vx-bridge'), 98).devices.get('vx-bridge')?.vxlan?.underlay).to.equal('');
      script.link({ index: 5, name: 'eth0' });
      expect(kernel.present(wantedOf('vx-bridge'), 98).devices.get('vx-bridge')?.vxlan?.underlay).to.equal('');
    });

    it('is of addresses those of tunnels that were given to them', () => {
      script.address(10, '220.18.1.11', 8);
      script.address(10, 'fe80::1', 64, 253);
      script.address(10, '9470::1', 16);
      script.address(2, '172.18.1.11', 16);
      script.address(11, '10.244.0.0', 32);
      expect([...kernel.present(wantedOf('vx-bridge'), 98).addresses.keys()]).to.deep.equal([
        'vx-bridge 220.18.1.11/8',
        'vx-bridge 9470::1/16',
      ]);
    });

    it('is of rules those of the protocol that hold for every packet', () => {
      script.rule({ family: 'ipv4', priority: 200, table: 200, protocol: 98 });
      script.rule({ family: 'ipv6', priority: 200, table: 300, protocol: 98 });
      script.rule({ family: 'ipv4', priority: 100, table: 200, protocol: 3 });
      script.rule({ family: 'ipv4', priority: 201, table: 200, protocol: 98 }, 0x10);
      expect([...kernel.present(EMPTY_STATE, 98).rules.keys()]).to.deep.equal(['ipv4 200 200 98', 'ipv6 200 300 98']);
    });

    it('is of neighbours those that are permanent, and of forwarding entries all', () => {
      script.neighbour({ index: 10, ip: '220.18.2.21', mac: MAC });
      script.neighbour({ index: 10, ip: '220.18.2.99', mac: MAC }, { state: 2 });
      script.neighbour({ index: 10, ip: '9470::2:21', mac: MAC });
      script.neighbour({ index: 2, ip: '172.18.0.1', mac: MAC });
      script.neighbour({ index: 10, ip: '172.18.2.21', mac: ZERO }, { forwarding: true });
      script.neighbour({ index: 10, ip: '172.18.2.22', mac: MAC }, { forwarding: true, state: 2 });
      script.neighbour({ index: 11, ip: '172.18.2.22', mac: MAC }, { forwarding: true });
      const present = kernel.present(wantedOf('vx-bridge'), 98);
      expect([...present.neighbours.keys()]).to.deep.equal(['vx-bridge 220.18.2.21', 'vx-bridge 9470::2:21']);
      expect([...present.forwarding.values()]).to.deep.equal([peer('172.18.2.21', ZERO), peer('172.18.2.22')]);
    });

    it('is of routes those of the protocol, in whatever table', () => {
      script.route({ ...route(), index: 10 });
      script.route({ ...route({ table: 1000, destination: '10.21.0.0' }), index: 10 });
      script.route({ ...route({ protocol: 3, destination: '10.22.0.0' }), index: 10 });
      script.route({ ...route({ destination: '10.23.0.0' }), index: 10 }, 6);
      script.route({ ...route({ family: 'ipv6', destination: 'fd11::', gateway: '9470::1' }), index: 10 });
      const { routes } = kernel.present(wantedOf('vx-bridge'), 98);
      expect([...routes.keys()]).to.deep.equal([
        '200 10.20.0.0/16 1100',
        '1000 10.21.0.0/16 1100',
        '200 fd11::/16 1100',
      ]);
      expect(routes.get('200 10.20.0.0/16 1100')).to.deep.equal(route());
    });

    it('asks for the neighbours of no device that is none of its tunnels', () => {
      kernel.present(wantedOf('vx-bridge'), 98);
      const asked = libc.sent.flat().filter(({ type }) => type === RTM.GETNEIGH);
      expect(asked.map(({ body }) => readAttributes(body, 12).get(8)?.readUInt32LE(0))).to.deep.equal([10, 10, 10]);
    });
  });

  describe('routes', () => {
    it('are none where there is no such table', () => {
      script.dumpErrors.set(RTM.GETROUTE, 'ENOENT');
      expect(kernel.routes({ family: 'ipv4', table: 254 })).to.deep.equal([]);
    });

    it('are not taken for none after any other error', () => {
      script.dumpErrors.set(RTM.GETROUTE, 'EPERM');
      expect(() => kernel.routes({ family: 'ipv4', table: 254 })).to.throw('EPERM');
    });
  });

  describe('applying changes', () => {
    const addDevice = (name: string, change = {}): Operation => ({
      ...({ kind: 'device', action: 'add' } as const),
      item: device(name, change),
    });
    const add = (item: Route): Operation => ({ kind: 'route', action: 'add', item });
    const remove = (item: Route): Operation => ({ kind: 'route', action: 'delete', item });
    const types = (): number[] =>
      libc.sent.flat().flatMap(({ type, flags }) => ((flags & FLAG.DUMP) === FLAG.DUMP ? [] : [type]));

    it('makes a device, gives it its alias and brings it up before anything uses it', async () => {
      const order: string[] = [];
      const errors = await kernel.apply({ ...NOTHING, devices: [addDevice('vx-bridge')], rest: [add(route())] }, () => {
        order.push(`then: ${types().length}`);
        return Promise.resolve();
      });
      expect(errors).to.deep.equal([]);
      expect(order).to.deep.equal(['then: 2']);
      expect(types()).to.deep.equal([RTM.NEWLINK, RTM.NEWLINK, RTM.NEWROUTE]);
      const [made] = script.links().filter(({ name }) => name === 'vx-bridge');
      expect(made).to.deep.include({ alias: 'kosmos', up: true, mac: MAC, mtu: 1450 });
      expect(made?.vxlan).to.deep.equal({ vni: 54, port: 4876, local: '172.18.1.11', underlay: 2, learning: false });
    });

    it('names devices by the numbers that they have then', async () => {
      await kernel.apply({ ...NOTHING, devices: [addDevice('vx-bridge')], rest: [add(route())] });
      const [last] = libc.sent.at(-1) ?? [];
      const index = script.links().find(({ name }) => name === 'vx-bridge')?.index;
      expect(decodeRoute(last!)).to.include({ index, gateway: '220.18.2.21', table: 200, protocol: 98 });
    });

    it('changes a device that is there, by its number', async () => {
      script.link({ index: 10, name: 'vx-bridge', mac: '02:00:00:00:00:09', mtu: 1300, vxlan: { underlay: 2 } });
      await kernel.apply({ ...NOTHING, devices: [{ kind: 'device', action: 'change', item: device('vx-bridge') }] });
      const change = libc.sent.flat().find(({ type }) => type === RTM.NEWLINK);
      expect(decodeLink(change!)).to.include({ index: 10, mac: MAC, mtu: 1450, alias: 'kosmos', up: true });
    });

    it('does nothing to devices that are not named', async () => {
      await kernel.apply({
        ...NOTHING,
        rest: [{ kind: 'rule', action: 'add', item: { family: 'ipv6', priority: 200, table: 300, protocol: 98 } }],
      });
      expect(types()).to.deep.equal([RTM.NEWRULE]);
      const rule = { family: 'ipv6', priority: 200, table: 300, protocol: 98 };
      expect(decodeRule(libc.sent.flat().at(-1)!)).to.include(rule);
    });

    it('says that a device is missing, and what the device below was', async () => {
      const errors = await kernel.apply({ ...NOTHING, devices: [addDevice('vx-bridge', { underlay: 'eth7' })] });
      expect(errors).to.deep.equal(['add device vx-bridge: a device is missing']);
      expect(types()).to.deep.equal([]);
    });

    it('reports a device that can not be made once, and not all that would hang on it', async () => {
      script.refuse = ({ type }) => (type === RTM.NEWLINK ? ['EEXIST', 'A VXLAN device exists'] : undefined);
      const errors = await kernel.apply({
        ...NOTHING,
        devices: [addDevice('vx-bridge')],
        rest: [add(route()), { kind: 'neighbour', action: 'add', item: peer('220.18.2.21') }],
      });
      expect(errors).to.deep.equal(['add device vx-bridge: EEXIST: A VXLAN device exists']);
      expect(types()).to.deep.equal([RTM.NEWLINK]);
    });

    it('does not let one refusal keep others from being done', async () => {
      script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
      script.refuse = (message) => (decodeRoute(message)?.destination === '10.21.0.0' ? ['EINVAL'] : undefined);
      const destinations = ['10.20.0.0', '10.21.0.0', '10.22.0.0'];
      const errors = await kernel.apply({
        ...NOTHING,
        rest: destinations.map((destination) => add(route({ destination }))),
      });
      expect(errors).to.deep.equal(['add route 10.21.0.0/16 via 220.18.2.21 dev vx-bridge: EINVAL']);
      expect(types()).to.have.length(3);
    });

    const tolerated: readonly (readonly [string, string, Operation])[] = [
      ['a route that is gone', 'ESRCH', remove(route())],
      [
        'an address that is gone',
        'EADDRNOTAVAIL',
        { kind: 'address', action: 'delete', item: { dev: 'vx-bridge', ip: '220.0.0.1', prefixLength: 8 } },
      ],
      ['a neighbour that is gone', 'ENOENT', { kind: 'neighbour', action: 'delete', item: peer('220.0.0.1') }],
      ['a device that is gone', 'ENODEV', { kind: 'device', action: 'delete', item: { name: 'vx-bridge' } }],
      [
        'an address that is there',
        'EEXIST',
        { kind: 'address', action: 'add', item: { dev: 'vx-bridge', ip: '220.0.0.1', prefixLength: 8 } },
      ],
      [
        'a rule that is there',
        'EEXIST',
        { kind: 'rule', action: 'add', item: { family: 'ipv4', priority: 1, table: 2, protocol: 98 } },
      ],
    ];
    for (const [what, error, operation] of tolerated) {
      it(`takes no offence at ${what}: somebody else was faster`, async () => {
        script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
        script.refuse = () => [error];
        expect(await kernel.apply({ ...NOTHING, rest: [operation] })).to.deep.equal([]);
      });
    }

    it('reports a route that can not be added because there is one', async () => {
      script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
      script.refuse = () => ['EEXIST'];
      expect(await kernel.apply({ ...NOTHING, rest: [add(route())] })).to.have.length(1);
    });

    it('adds to the destinations of the address of zeros, and replaces that of another', async () => {
      script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
      const entries = [peer('172.18.2.21', ZERO), peer('172.18.2.21')];
      await kernel.apply({ ...NOTHING, rest: entries.map((item) => ({ kind: 'forwarding', action: 'add', item })) });
      const sent = libc.sent.flat().filter(({ type }) => type === RTM.NEWNEIGH);
      expect(
        sent.map((message) => [decodeNeighbour(message)?.mac, message.flags & (FLAG.APPEND | FLAG.REPLACE)]),
      ).to.deep.equal([
        [ZERO, FLAG.APPEND],
        [MAC, FLAG.REPLACE],
      ]);
    });

    it('removes every kind of object that it can add', async () => {
      script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
      const errors = await kernel.apply({
        ...NOTHING,
        rest: [
          remove(route()),
          { kind: 'forwarding', action: 'delete', item: peer('172.18.2.21') },
          { kind: 'neighbour', action: 'delete', item: peer('220.18.2.21') },
          { kind: 'rule', action: 'delete', item: { family: 'ipv4', priority: 200, table: 200, protocol: 98 } },
          { kind: 'address', action: 'delete', item: { dev: 'vx-bridge', ip: '220.18.1.11', prefixLength: 8 } },
          { kind: 'device', action: 'delete', item: { name: 'vx-bridge' } },
        ],
      });
      expect(errors).to.deep.equal([]);
      expect(types()).to.deep.equal([RTM.DELROUTE, RTM.DELNEIGH, RTM.DELNEIGH, RTM.DELRULE, RTM.DELADDR, RTM.DELLINK]);
      expect(script.links().map(({ name }) => name)).to.deep.equal(['lo', 'eth0']);
    });

    it('removes routes of its protocol that others have made without a gateway, or over several paths', async () => {
      script.link({ index: 10, name: 'vx-bridge', alias: 'kosmos', mac: MAC, mtu: 1450, vxlan: { underlay: 2 } });
      script.route({ ...route({ destination: '10.30.0.0', gateway: '' }), index: 10 });
      script.route({ ...route({ destination: '10.31.0.0', gateway: '' }), index: 0 });
      const wanted = wantedOf('vx-bridge');
      const changes = diffStates(kernel.present(wanted, 98), wanted);
      expect(await kernel.apply(changes)).to.deep.equal([]);
      const deleted = libc.sent.flat().filter(({ type }) => type === RTM.DELROUTE);
      expect(deleted.map((message) => decodeRoute(message))).to.deep.equal([
        {
          ...{ family: 'ipv4', table: 200, protocol: 98, type: 0, destination: '10.30.0.0', prefixLength: 16 },
          ...{ gateway: undefined, index: 10, metric: 1100, source: undefined, paths: [] },
        },
        {
          ...{ family: 'ipv4', table: 200, protocol: 98, type: 0, destination: '10.31.0.0', prefixLength: 16 },
          ...{ gateway: undefined, index: undefined, metric: 1100, source: undefined, paths: [] },
        },
      ]);
    });

    it('sends much in few calls, in order', async () => {
      script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
      const rest = Array.from({ length: 600 }, (_none, at) =>
        add(route({ destination: `10.${at >> 8}.${at & 255}.0`, prefixLength: 24 })),
      );
      expect(await kernel.apply({ ...NOTHING, rest })).to.deep.equal([]);
      const batches = libc.sent.filter(([first]) => first?.type === RTM.NEWROUTE);
      expect(batches.map(({ length }) => length)).to.deep.equal([256, 256, 88]);
      expect(batches.flat().map((message) => decodeRoute(message)?.destination)).to.deep.equal(
        rest.map(({ item }) => ('destination' in item ? item.destination : '')),
      );
    });

    it('lets others have their turn when it takes long', async () => {
      script.link({ index: 10, name: 'vx-bridge', vxlan: { underlay: 2 } });
      const rest = Array.from({ length: 600 }, (_none, at) =>
        add(route({ destination: `10.${at >> 8}.${at & 255}.0`, prefixLength: 24 })),
      );
      libc.answer = (requests) => {
        clock.stall(11);
        return script.answer(requests);
      };
      let done = false;
      const applying = kernel.apply({ ...NOTHING, rest }).then(() => (done = true));
      await Promise.resolve();
      expect([done, clock.pendingTimers]).to.deep.equal([false, 1]);
      await clock.advance(100);
      await applying;
      expect(libc.sent.filter(([first]) => first?.type === RTM.NEWROUTE)).to.have.length(3);
    });
  });

  it('closes its socket', () => {
    kernel.close();
    expect(libc.closed).to.deep.equal(libc.opened);
  });
});
