import { expect } from 'chai';
import { detectUnderlay, type Surroundings, underlayOf } from '../../../../src/clusterlink/agent/detect.js';
import type { KernelAddress } from '../../../../src/clusterlink/agent/netlink/address.js';
import type { Link } from '../../../../src/clusterlink/agent/netlink/link.js';
import type { KernelRoute } from '../../../../src/clusterlink/agent/netlink/route.js';

function link(index: number, name: string, change: Partial<Link> = {}): Link {
  return {
    ...{ index, name, kind: undefined, mac: '02:00:00:00:00:01', mtu: 1500, up: true, loopback: false },
    ...{ alias: undefined, vxlan: undefined, bytes: undefined },
    ...change,
  };
}

function address(index: number, ip: string, change: Partial<KernelAddress> = {}): KernelAddress {
  const family = ip.includes(':') ? 'ipv6' : 'ipv4';
  return { index, ip, prefixLength: 24, family, scope: 0, unsuitable: false, ...change };
}

function route(
  index: number,
  destination: string,
  prefixLength: number,
  change: Partial<KernelRoute> = {},
): KernelRoute {
  const family = destination.includes(':') ? 'ipv6' : 'ipv4';
  return {
    ...{ family, index, destination, prefixLength, table: 254, protocol: 3, type: 1, metric: 0 },
    ...{ gateway: undefined, source: undefined, paths: [] },
    ...change,
  };
}

const around: Surroundings = {
  links: [
    link(1, 'lo', { loopback: true }),
    link(2, 'eth0'),
    link(3, 'eth1', { mtu: 9000 }),
    link(4, 'eth10'),
    link(9, 'vx-bridge', { alias: 'kosmos' }),
  ],
  addresses: [
    address(1, '127.0.0.1'),
    address(2, '192.168.0.5'),
    address(2, '192.168.0.6'),
    address(2, 'fe80::1', { scope: 253 }),
    address(2, 'fd00::1', { unsuitable: true }),
    address(2, 'fd00::2'),
    address(3, '10.0.0.5'),
    address(9, '220.0.0.5'),
  ],
  routes: [
    route(9, '8.0.0.0', 8),
    route(2, '0.0.0.0', 0, { metric: 100, source: '192.168.0.6' }),
    route(3, '0.0.0.0', 0, { metric: 200 }),
    route(3, '10.0.0.0', 16),
    route(2, '10.0.0.0', 8),
    route(2, '::', 0),
  ],
};

describe('detectUnderlay', () => {
  it('finds the interface of the default route, with the source that it names', () => {
    const found = { interfaceName: 'eth0', mtu: 1500, ip: '192.168.0.6', ip6: 'fd00::2' };
    expect(detectUnderlay(undefined, around)).to.deep.equal(found);
    expect(detectUnderlay({ method: 'defaultRoute' }, around)).to.deep.equal(found);
  });

  it('finds an interface by its exact name', () => {
    expect(detectUnderlay({ method: 'interface', interfaceName: 'eth1' }, around)).to.deep.equal({
      ...{ interfaceName: 'eth1', mtu: 9000, ip: '10.0.0.5' },
    });
    expect(() => detectUnderlay({ method: 'interface', interfaceName: 'eth' }, around)).to.throw(
      'there is no interface eth',
    );
  });

  it('finds the interface that the longest route to an address leads to', () => {
    const nameFor = (canReach: string): string =>
      detectUnderlay({ method: 'canReach', canReach }, around).interfaceName;
    expect(['10.0.9.9', '10.1.0.1', '1.1.1.1', '2001:db8::1'].map(nameFor)).to.deep.equal([
      'eth1',
      'eth0',
      'eth0',
      'eth0',
    ]);
  });

  it('never takes a tunnel, whatever routes lead there', () => {
    expect(detectUnderlay({ method: 'canReach', canReach: '8.8.8.8' }, around).interfaceName).to.equal('eth0');
  });

  it('says what is missing', () => {
    const none = { ...around, routes: [] };
    expect(() => detectUnderlay(undefined, none)).to.throw('there is no default route');
    expect(() => detectUnderlay({ method: 'canReach', canReach: '8.8.8.8' }, none)).to.throw(
      'there is no route to 8.8.8.8',
    );
    expect(() => detectUnderlay({ method: 'interface', interfaceName: 'eth10' }, around)).to.throw(
      'the interface eth10 has no address',
    );
    expect(() => detectUnderlay({ method: 'interface' }, around)).to.throw('there is no interface');
  });

  it('uses the default route of IPv6 where there is no other', () => {
    const routes = around.routes.filter(({ family }) => family === 'ipv6');
    expect(detectUnderlay(undefined, { ...around, routes })).to.include({ interfaceName: 'eth0', ip: '192.168.0.5' });
  });
});

describe('underlayOf', () => {
  it('tells what tunnels over an interface have to know', () => {
    expect(underlayOf('eth1', around)).to.deep.equal({ mtu: 9000, ip: '10.0.0.5', ip6: undefined });
    expect(underlayOf('eth7', around)).to.equal(undefined);
  });
});
