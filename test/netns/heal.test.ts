import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { KernelLab } from './kernel-lab.js';
import { TwoClusters } from './two-clusters.js';

const NODE = 'east-n1';
const LIMIT_MS = 2_000;
const GATEWAY = { networkType: 'gateway', ipFamily: 'all' } as const;

/** What somebody does by hand, and what has to be there again afterwards. */
const damages: readonly (readonly [what: string, damage: string, check: string, expected: RegExp])[] = [
  [
    'a route',
    'ip route flush table 200',
    'ip route show table 200',
    /10\.20\.0\.0\/16 via 220\.18\.2\.11 dev vx-bridge proto 98 metric \d+ onlink/,
  ],
  ['a route of IPv6', 'ip -6 route flush table 200', 'ip -6 route show table 200', /fd11:20::\/64 via 9470:18::2:11/],
  ['the rule', 'ip rule del pref 200', 'ip rule', /200:\s+from all lookup 200 proto 98/],
  [
    'forwarding entries',
    'bridge fdb del 00:00:00:00:00:00 dev vx-bridge dst 172.18.2.11 self',
    'bridge fdb show dev vx-bridge',
    /00:00:00:00:00:00 dst 172\.18\.2\.11 self permanent/,
  ],
  [
    'a neighbour',
    'ip neigh del 220.18.2.11 dev vx-bridge',
    'ip neigh show dev vx-bridge',
    /220\.18\.2\.11 .* PERMANENT/,
  ],
  ['an address', 'ip addr flush dev vx-bridge scope global', 'ip addr show dev vx-bridge', /inet 220\.18\.1\.11\/8/],
  ['a device', 'ip link del vx-bridge', 'ip -d link show dev vx-bridge', /vxlan id 54 local 172\.18\.1\.11 dev eth0/],
  ['the state of a device', 'ip link set vx-bridge down', 'ip link show up dev vx-bridge', /vx-bridge/],
  ['the size of a device', 'ip link set vx-local mtu 1000', 'ip link show dev vx-local', /mtu 1450/],
  ['the nftables table', 'nft delete table inet kosmos', 'nft list tables', /table inet kosmos/],
  [
    'a chain of the nftables table',
    'nft flush chain inet kosmos postrouting',
    'nft list chain inet kosmos postrouting',
    /masquerade/,
  ],
];

/** Routes of our protocol, in our table, that no config asks for. */
const strange: readonly (readonly [what: string, route: string])[] = [
  ['without a gateway', '10.91.0.0/16 dev vx-bridge'],
  ['without a gateway, of IPv6', 'fd91::/64 dev vx-bridge-6'],
  ['by another device', '10.92.0.0/16 dev eth0'],
  ['of several paths', '10.93.0.0/16 nexthop via 172.18.2.11 dev eth0 nexthop via 220.18.2.11 dev vx-bridge onlink'],
  ['of several paths, of IPv6', 'fd93::/64 nexthop via fd00:18::2:11 dev eth0 nexthop via fd00:18::2:12 dev eth0'],
  ['by a gateway of the other family', '10.94.0.0/16 via inet6 fd00:18::2:11 dev eth0'],
];

describe('what somebody changes by hand', () => {
  let clusters: TwoClusters;
  let lab: KernelLab;

  before(async () => {
    clusters = await TwoClusters.up('heal');
    ({ lab } = clusters);
    await lab.apply(clusters.plan({ east: GATEWAY, west: GATEWAY }));
  });

  after(() => clusters.down());

  async function ping(): Promise<void> {
    const target = clusters.seenFromOutside('west-n1', 'ipv4');
    await lab.exec(`${NODE}-pod`, 'busybox', 'ping', '-c', '1', '-W', '1', target);
  }

  for (const [what, damage, check, expected] of damages) {
    it(`is put right within two seconds: ${what}`, async () => {
      await ping();
      await lab.script(NODE, damage);
      const damagedAt = performance.now();
      await eventually(async () => expect(await lab.script(NODE, check)).to.match(expected), {
        timeoutMs: LIMIT_MS,
        intervalMs: 20,
      });
      await eventually(ping, { timeoutMs: Math.max(0, LIMIT_MS - (performance.now() - damagedAt)), intervalMs: 20 });
    });
  }

  it('is counted in the status', async () => {
    const before = lab.status(NODE).driftRepaired ?? 0;
    await lab.script(NODE, 'ip route flush table 200');
    await eventually(() => expect(lab.status(NODE).driftRepaired).to.be.greaterThan(before), { timeoutMs: 5_000 });
  });

  it("leaves no more than was there: what doesn't belong on a device of ours is removed", async () => {
    await lab.script(NODE, 'ip route add 10.99.0.0/16 via 220.18.2.11 dev vx-bridge onlink table 200 proto 98');
    await eventually(
      async () => expect(await lab.script(NODE, 'ip route show table 200')).to.not.contain('10.99.0.0'),
      {
        timeoutMs: LIMIT_MS,
      },
    );
  });

  for (const [what, route] of strange) {
    it(`is removed: a route ${what}`, async () => {
      const family = route.includes('::/') ? '-6' : '-4';
      const [destination = '', ...way] = route.split(' ');
      await lab.script(NODE, `ip ${family} route add ${destination} table 200 proto 98 ${way.join(' ')}`);
      await eventually(
        async () => {
          expect(await lab.script(NODE, `ip ${family} route show table 200`)).to.not.contain(destination);
        },
        { timeoutMs: LIMIT_MS, intervalMs: 20 },
      );
      expect(lab.status(NODE).errors ?? []).to.deep.equal([]);
    });
  }

  it('is no hindrance to finding the interface: a default route of several paths is one as well', async () => {
    await lab.script(
      NODE,
      `ip link add eth9 type veth peer name eth9-peer
       ip link set eth9 up; ip link set eth9-peer up
       ip addr add 192.0.2.1/24 dev eth9
       ip route replace default nexthop via 192.0.2.254 dev eth9 nexthop via 172.18.255.254 dev eth0`,
    );
    await lab.apply(clusters.plan({ east: GATEWAY, west: GATEWAY }));
    expect(lab.status(NODE).detected).to.include({ interfaceName: 'eth0', ip: '172.18.1.11' });
  });
});

describe('what belongs to others', () => {
  let clusters: TwoClusters;
  let lab: KernelLab;

  const foreign = `ip route add 10.98.0.0/16 dev eth0 table 200 proto static
    ip rule add pref 200 from all lookup 200
    ip rule add pref 200 from 10.97.0.0/16 lookup 200 proto 98
    ip link add vx-foreign type vxlan id 77 local 172.18.1.11 dev eth0 dstport 4999
    ip link set vx-foreign up
    ip addr add 192.0.2.1/24 dev vx-foreign
    bridge fdb append 00:00:00:00:00:00 dev vx-foreign dst 172.18.2.21
    ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev vx-foreign
    nft 'table inet foreign { chain forward { type filter hook forward priority filter; policy accept; ct state invalid drop; }; }'`;
  const dump = `ip -o addr show dev vx-foreign scope global
    ip route show table 200 proto static
    ip rule show | grep -v 'from all lookup 200 proto 98'
    bridge fdb show dev vx-foreign
    ip neigh show dev vx-foreign
    nft list table inet foreign
    nft list table inet cni`;

  before(async () => {
    clusters = await TwoClusters.up('frgn');
    ({ lab } = clusters);
  });

  after(() => clusters.down());

  it('stays as it is, whatever the config does', async () => {
    await lab.script(NODE, foreign);
    const before = await lab.script(NODE, dump);
    expect(before).to.contain('10.98.0.0/16').and.to.contain('from 10.97.0.0/16');
    await lab.apply(clusters.plan({ east: GATEWAY, west: GATEWAY }));
    await lab.apply(clusters.plan({ east: { ...GATEWAY, networkType: 'p2p' }, west: GATEWAY }));
    await lab.apply(new Map());
    await lab.uninstallAgent(NODE);
    expect(await lab.script(NODE, dump)).to.equal(before);
    lab.startAgent(NODE);
  });

  it("is in nobody's way: the kernel's own words are in the status, and all else is applied", async () => {
    const node = 'west-n1';
    await lab.script(node, 'ip link add vx-other type vxlan id 54 local 172.18.2.11 dev eth0 dstport 4876');
    const config = clusters.plan({ east: GATEWAY, west: GATEWAY }).get(node);
    lab.configure(node, config ?? {});
    await eventually(
      () => {
        const { errors = [], conditions = [] } = lab.status(node);
        expect(errors).to.deep.equal([
          'add device vx-bridge: EEXIST: A VXLAN device with the specified VNI already exists',
        ]);
        expect(conditions[0]).to.include({ type: 'Ready', status: 'False', reason: 'Incomplete' });
      },
      { timeoutMs: 10_000 },
    );
    expect(await lab.script(node, 'ip -o addr show dev vx-local')).to.contain('210.18.2.11/8');
    await lab.script(node, 'ip link del vx-other');
    await eventually(() => expect(lab.status(node).conditions?.[0]?.status).to.equal('True'), { timeoutMs: 10_000 });
  });
});
