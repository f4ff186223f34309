import { expect } from 'chai';
import type { NodeConfigDetection } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { detectUnderlay, type Surroundings, underlayOf } from '../../../../src/clusterlink/agent/detect.js';
import type { KernelAddress } from '../../../../src/clusterlink/agent/netlink/address.js';
import type { Link } from '../../../../src/clusterlink/agent/netlink/link.js';
import type { KernelRoute } from '../../../../src/clusterlink/agent/netlink/route.js';

const link = (index: number, name: string, change: Partial<Link> = {}): Link => ({
  ...{ index, name, kind: undefined, mac: '02:00:00:00:00:01', mtu: 1500, up: true, loopback: false },
  ...{ alias: undefined, vxlan: undefined, bytes: undefined },
  ...change,
});
const familyOf = (ip: string): 'ipv4' | 'ipv6' => (ip.includes(':') ? 'ipv6' : 'ipv4');
const address = (index: number, ip: string, change: Partial<KernelAddress> = {}): KernelAddress => ({
  ...{ index, ip, prefixLength: 24, family: familyOf(ip), scope: 0, unsuitable: false },
  ...change,
});
const route = (index: number | undefined, cidr: string, change: Partial<KernelRoute> = {}): KernelRoute => {
  const [destination = '', length] = cidr.split('/');
  return {
    ...{ family: familyOf(destination), index, destination, prefixLength: Number(length), table: 254, protocol: 3 },
    ...{ type: 1, metric: 0, gateway: undefined, source: undefined, paths: [] },
    ...change,
  };
};

const links = [link(1, 'lo', { loopback: true }), link(2, 'eth0'), link(3, 'eth1')];
const addresses = [address(2, '192.168.0.5'), address(3, '10.0.0.5'), address(3, 'fd00::5')];

function around(change: Partial<Surroundings>): Surroundings {
  return { links, addresses, routes: [], ...change };
}

describe('the interface that is detected', () => {
  const name = (routes: readonly KernelRoute[], detection?: NodeConfigDetection): string =>
    detectUnderlay(detection, around({ routes })).interfaceName;
  const reach = (canReach: string, ...routes: readonly KernelRoute[]): string =>
    name(routes, { method: 'canReach', canReach });

  it('is that of the default route with the lowest metric, in whatever order routes are told', () => {
    const routes = [route(2, '0.0.0.0/0', { metric: 200 }), route(3, '0.0.0.0/0', { metric: 100 })];
    expect([name(routes), name([...routes].reverse())]).to.deep.equal(['eth1', 'eth1']);
  });

  it('is that of IPv4, whatever the metric of IPv6 is', () => {
    expect(name([route(3, '::/0', { metric: 1 }), route(2, '0.0.0.0/0', { metric: 1024 })])).to.equal('eth0');
  });

  it('is none that a route leads nowhere from', () => {
    expect(name([route(3, '0.0.0.0/0', { type: 7 }), route(2, '0.0.0.0/0', { metric: 9 })])).to.equal('eth0');
    expect(() => name([route(undefined, '0.0.0.0/0')])).to.throw('there is no default route');
    expect(() => name([route(77, '0.0.0.0/0')])).to.throw('there is no default route');
  });

  it('is, of a route of several paths, always the same one', () => {
    const several = (...paths: readonly number[]): KernelRoute => route(undefined, '0.0.0.0/0', { paths });
    expect([name([several(3, 2)]), name([several(2, 3)])]).to.deep.equal(['eth0', 'eth0']);
    expect(name([several(77, 3)])).to.equal('eth1');
    expect(name([several(3, 2), route(3, '0.0.0.0/0', { metric: 9 })])).to.equal('eth0');
    expect(reach('10.9.9.9', several(2), route(undefined, '10.9.0.0/16', { paths: [3, 77] }))).to.equal('eth1');
    expect(() => name([several(77, 78)])).to.throw('there is no default route');
    expect(() => name([several(1)])).to.throw('there is no default route');
  });

  it('is never the loopback, not even for a route that leads there', () => {
    expect(reach('10.9.9.9', route(1, '10.9.0.0/16'), route(2, '0.0.0.0/0'))).to.equal('eth0');
  });

  it('is, for an address, that of its family alone', () => {
    const routes = [route(2, '0.0.0.0/0'), route(3, '::/0')];
    expect([reach('1.1.1.1', ...routes), reach('2001:db8::1', ...routes)]).to.deep.equal(['eth0', 'eth1']);
    expect(() => reach('2001:db8::1', routes[0]!)).to.throw('there is no route to 2001:db8::1');
  });

  it('is, for an address, that of the longest prefix, then of the lowest metric', () => {
    const routes = [
      route(2, '10.0.0.0/8', { metric: 1 }),
      route(3, '10.0.0.0/24', { metric: 500 }),
      route(2, '10.0.0.0/24', { metric: 900 }),
    ];
    expect([reach('10.0.0.9', ...routes), reach('10.0.1.9', ...routes)]).to.deep.equal(['eth1', 'eth0']);
  });

  it('says that the address to be reached is none', () => {
    for (const canReach of ['', 'host.example', '10.0.0', '10.0.0.0/8']) {
      expect(() => reach(canReach, route(2, '0.0.0.0/0'))).to.throw(`"${canReach}" is no IP address`);
    }
  });

  it('is that of the default route when no address is given to be reached', () => {
    expect(name([route(2, '0.0.0.0/0')], { method: 'canReach' })).to.equal('eth0');
  });

  it('may be named, also when it has no route at all, or is a tunnel', () => {
    const tunnel = around({
      links: [...links, link(9, 'wg0', { kind: 'wireguard' })],
      addresses: [address(9, '10.8.0.1')],
    });
    expect(detectUnderlay({ method: 'interface', interfaceName: 'wg0' }, tunnel)).to.deep.equal({
      ...{ interfaceName: 'wg0', mtu: 1500, ip: '10.8.0.1' },
    });
  });

  it('is found by its whole name only, with the case that it has', () => {
    for (const interfaceName of ['eth', 'eth00', 'ETH0', ' eth0', '']) {
      expect(() => detectUnderlay({ method: 'interface', interfaceName }, around({}))).to.throw(
        'there is no interface',
      );
    }
  });
});

describe('the addresses of an interface', () => {
  const found = (some: readonly KernelAddress[], routes: readonly KernelRoute[] = []): unknown =>
    underlayOf('eth0', around({ addresses: some, routes }));

  const none: readonly (readonly [string, KernelAddress])[] = [
    ['of another interface', address(3, '10.0.0.1')],
    ['of the link', address(2, 'fe80::1', { scope: 253 })],
    ['of the host', address(2, '10.0.0.1', { scope: 254 })],
    ['that is temporary or not known to be unique', address(2, 'fd00::1', { unsuitable: true })],
  ];
  for (const [what, one] of none) {
    it(`are none ${what}`, () => {
      expect(found([one])).to.deep.equal({ mtu: 1500, ip: undefined, ip6: undefined });
      expect(() =>
        detectUnderlay({ method: 'interface', interfaceName: 'eth0' }, around({ addresses: [one] })),
      ).to.throw('the interface eth0 has no address');
    });
  }

  it('are the first ones in each family', () => {
    expect(
      found([address(2, '10.0.0.2'), address(2, '10.0.0.1'), address(2, 'fd00::2'), address(2, 'fd00::1')]),
    ).to.include({
      ...{ ip: '10.0.0.2', ip6: 'fd00::2' },
    });
  });

  const two = [address(2, '10.0.0.2'), address(2, '10.0.0.1')];

  it('are those that the default route names, if they are there', () => {
    expect(found(two, [route(2, '0.0.0.0/0', { source: '10.0.0.1' })])).to.include({ ip: '10.0.0.1' });
    expect(found(two, [route(2, '0.0.0.0/0', { source: '10.0.0.99' })])).to.include({ ip: '10.0.0.2' });
  });

  it('are not those that other routes name, or the default route of another interface', () => {
    expect(found(two, [route(2, '10.0.0.0/24', { source: '10.0.0.1' })])).to.include({ ip: '10.0.0.2' });
    expect(found(two, [route(3, '0.0.0.0/0', { source: '10.0.0.1' })])).to.include({ ip: '10.0.0.2' });
  });

  it('leave out a family that there is none of', () => {
    const only6 = around({ addresses: [address(2, 'fd00::1')], routes: [route(2, '::/0')] });
    expect(detectUnderlay(undefined, only6)).to.deep.equal({ interfaceName: 'eth0', mtu: 1500, ip6: 'fd00::1' });
  });
});
