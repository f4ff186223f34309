import { expect } from 'chai';
import { planNetwork } from '../../../../src/clusterlink/planner/plan.js';
import { DUAL_STACK, goldenInput, goldenPlan, listedPlan } from '../../../support/link-goldens.js';
import type { Listed } from '../../../support/link-plan.js';

/** Goldens of Kosmos' computation; the names are those of its acceptance suite. */
const NOTHING: Listed = { devices: [], routes: [], fdbs: [], arps: [], iptables: [] };

const E1_BRIDGE = 'vx-bridge 220.18.1.11/8 B11 eth0 54 4876';
const E1_LOCAL = 'vx-local 210.18.1.11/8 L11 eth0 55 4877';
const E2_BRIDGE = 'vx-bridge 220.18.1.12/8 B12 eth0 54 4876';
const E2_LOCAL = 'vx-local 210.18.1.12/8 L12 eth0 55 4877';
const W1_BRIDGE = 'vx-bridge 220.18.2.21/8 B21 eth0 54 4876';
const W1_LOCAL = 'vx-local 210.18.2.21/8 L21 eth0 55 4877';
const W2_BRIDGE = 'vx-bridge 220.18.2.22/8 B22 eth0 54 4876';
const W2_LOCAL = 'vx-local 210.18.2.22/8 L22 eth0 55 4877';
const MASQUERADE = [
  'nat POSTROUTING -s 220.0.0.0/8 -j MASQUERADE',
  'nat POSTROUTING -s 210.0.0.0/8 -o vx-bridge -j MASQUERADE',
];

const fdb = (ip: string, mac: string, dev = 'vx-bridge'): readonly string[] => [
  `${ip} ${mac} ${dev}`,
  `${ip} Z ${dev}`,
];
const toEast = (...gws: readonly string[]): readonly string[] => gws.map((gw) => `${gw} vx-bridge`);

const G1 = {
  'east-n1': {
    devices: [E1_LOCAL, E1_BRIDGE],
    routes: ['10.21.0.0/16 via 220.18.2.21 vx-bridge', '10.20.0.0/16 via 220.18.2.21 vx-bridge'],
    fdbs: [...fdb('172.18.2.21', 'B21'), ...fdb('172.18.1.12', 'L12', 'vx-local')],
    arps: ['220.18.2.21 B21 vx-bridge', '210.18.1.12 L12 vx-local'],
    iptables: MASQUERADE,
  },
  'east-n2': {
    devices: [E2_LOCAL],
    routes: ['10.21.0.0/16 via 210.18.1.11 vx-local', '10.20.0.0/16 via 210.18.1.11 vx-local'],
    fdbs: fdb('172.18.1.11', 'L11', 'vx-local'),
    arps: ['210.18.1.11 L11 vx-local'],
    iptables: [],
  },
  'west-n1': {
    devices: [W1_LOCAL, W1_BRIDGE],
    routes: ['10.11.0.0/16 via 220.18.1.11 vx-bridge', '10.10.0.0/16 via 220.18.1.11 vx-bridge'],
    fdbs: [...fdb('172.18.2.22', 'L22', 'vx-local'), ...fdb('172.18.1.11', 'B11')],
    arps: ['220.18.1.11 B11 vx-bridge', '210.18.2.22 L22 vx-local'],
    iptables: MASQUERADE,
  },
  'west-n2': {
    devices: [W2_LOCAL],
    routes: ['10.11.0.0/16 via 210.18.2.21 vx-local', '10.10.0.0/16 via 210.18.2.21 vx-local'],
    fdbs: fdb('172.18.2.21', 'L21', 'vx-local'),
    arps: ['210.18.2.21 L21 vx-local'],
    iptables: [],
  },
};

const eastRoutes = toEast(
  '10.21.0.0/16 via 220.18.2.21',
  '10.20.0.64/26 via 220.18.2.22',
  '10.20.0.0/26 via 220.18.2.21',
);
const westRoutes = toEast(
  '10.11.0.0/16 via 220.18.1.11',
  '10.10.0.64/26 via 220.18.1.12',
  '10.10.0.0/26 via 220.18.1.11',
);
const ARP = {
  e1: '220.18.1.11 B11 vx-bridge',
  e2: '220.18.1.12 B12 vx-bridge',
  w1: '220.18.2.21 B21 vx-bridge',
  w2: '220.18.2.22 B22 vx-bridge',
};
const FDB = {
  e1: fdb('172.18.1.11', 'B11'),
  e2: fdb('172.18.1.12', 'B12'),
  w1: fdb('172.18.2.21', 'B21'),
  w2: fdb('172.18.2.22', 'B22'),
};
type Peer = keyof typeof ARP;
const p2p = (device: string, routes: readonly string[], ...peers: readonly Peer[]): Listed => ({
  devices: [device],
  routes,
  fdbs: peers.flatMap((peer) => FDB[peer]),
  arps: peers.map((peer) => ARP[peer]),
  iptables: [],
});

const G2 = {
  'east-n1': p2p(E1_BRIDGE, eastRoutes, 'w2', 'w1', 'e2'),
  'east-n2': p2p(E2_BRIDGE, eastRoutes, 'w2', 'w1', 'e1'),
  'west-n1': p2p(W1_BRIDGE, westRoutes, 'w2', 'e2', 'e1'),
  'west-n2': p2p(W2_BRIDGE, westRoutes, 'w1', 'e2', 'e1'),
};

describe('planNetwork', () => {
  it('G1: both clusters in gateway mode', () => {
    expect(goldenPlan({ both: { networkType: 'gateway' } })).to.deep.equal(G1);
  });

  it('G1, byte by byte', () => {
    const { configs } = planNetwork(goldenInput({ both: { networkType: 'gateway' } }));
    const { devices, routes, iptables, fdbs, arps } = configs.get('east-n2')!;
    expect(JSON.stringify({ devices, routes, iptables, fdbs, arps })).to.equal(
      '{"devices":[{"type":"vxlan","name":"vx-local","addr":"210.18.1.12/8","mac":"02:01:02:00:00:a0","bindDev":"eth0",' +
        '"id":55,"port":4877}],"routes":[{"cidr":"10.21.0.0/16","gw":"210.18.1.11","dev":"vx-local"},' +
        '{"cidr":"10.20.0.0/16","gw":"210.18.1.11","dev":"vx-local"}],"iptables":[],' +
        '"fdbs":[{"ip":"172.18.1.11","mac":"02:01:01:00:00:a0","dev":"vx-local"},' +
        '{"ip":"172.18.1.11","mac":"00:00:00:00:00:00","dev":"vx-local"}],' +
        '"arps":[{"ip":"210.18.1.11","mac":"02:01:01:00:00:a0","dev":"vx-local"}]}',
    );
  });

  it('G2: both clusters in P2P mode', () => {
    expect(goldenPlan({ both: { networkType: 'p2p' } })).to.deep.equal(G2);
  });

  it('G3: one of each', () => {
    const plan = goldenPlan({ options: { east: { networkType: 'gateway' }, west: { networkType: 'p2p' } } });
    expect(plan).to.deep.equal({
      'east-n1': {
        devices: [E1_LOCAL, E1_BRIDGE],
        routes: eastRoutes,
        fdbs: [...FDB.w2, ...FDB.w1, ...fdb('172.18.1.12', 'L12', 'vx-local')],
        arps: [ARP.w2, ARP.w1, '210.18.1.12 L12 vx-local'],
        iptables: MASQUERADE,
      },
      'east-n2': {
        ...G1['east-n2'],
        routes: [
          '10.21.0.0/16 via 210.18.1.11 vx-local',
          '10.20.0.64/26 via 210.18.1.11 vx-local',
          '10.20.0.0/26 via 210.18.1.11 vx-local',
        ],
      },
      'west-n1': p2p(W1_BRIDGE, G1['west-n1'].routes, 'w2', 'e1'),
      'west-n2': p2p(W2_BRIDGE, G1['west-n1'].routes, 'w1', 'e1'),
    });
  });

  it('G4: two families in gateway mode', () => {
    const plan = goldenPlan({ ...DUAL_STACK, both: { ipFamily: 'all', networkType: 'gateway' } });
    expect(plan['east-n1']).to.deep.equal({
      devices: [
        "vx-local-6 9480:18::1:11/16 L11' eth0 65 4867",
        E1_LOCAL,
        "vx-bridge-6 9470:18::1:11/16 B11' eth0 64 4866",
        E1_BRIDGE,
      ],
      routes: [
        'fd11:21::/108 via 9470:18::2:21 vx-bridge-6',
        'fd11:20::/64 via 9470:18::2:21 vx-bridge-6',
        ...G1['east-n1'].routes,
      ],
      fdbs: [
        ...fdb('fd00:18::2:21', "B21'", 'vx-bridge-6'),
        ...fdb('fd00:18::1:12', "L12'", 'vx-local-6'),
        ...G1['east-n1'].fdbs,
      ],
      arps: [
        "9480:18::1:12 L12' vx-local-6",
        "9470:18::2:21 B21' vx-bridge-6",
        '220.18.2.21 B21 vx-bridge',
        '210.18.1.12 L12 vx-local',
      ],
      iptables: [
        'nat POSTROUTING -s 9480::/16 -o vx-bridge-6 -j MASQUERADE',
        'nat POSTROUTING -s 9470::/16 -j MASQUERADE',
        ...MASQUERADE,
      ],
    });
    expect(plan['east-n2']).to.deep.equal({
      devices: ["vx-local-6 9480:18::1:12/16 L12' eth0 65 4867", E2_LOCAL],
      routes: [
        'fd11:21::/108 via 9480:18::1:11 vx-local-6',
        'fd11:20::/64 via 9480:18::1:11 vx-local-6',
        ...G1['east-n2'].routes,
      ],
      fdbs: [...fdb('fd00:18::1:11', "L11'", 'vx-local-6'), ...G1['east-n2'].fdbs],
      arps: ["9480:18::1:11 L11' vx-local-6", '210.18.1.11 L11 vx-local'],
      iptables: [],
    });
    expect(plan['west-n2']!.routes).to.deep.equal([
      'fd11:11::/108 via 9480:18::2:21 vx-local-6',
      'fd11:10::/64 via 9480:18::2:21 vx-local-6',
      ...G1['west-n2'].routes,
    ]);
  });

  it('G5, corrected: overlapping clusters with global ranges, each address translated to one of its own', () => {
    const found = { podCIDRs: ['10.10.0.0/16'], serviceCIDRs: ['10.11.0.0/16'] };
    const plan = goldenPlan({
      both: { networkType: 'gateway' },
      options: {
        east: { globalCIDRsMap: { '10.10.0.0/16': '242.10.0.0/16', '10.11.0.0/16': '242.11.0.0/16' } },
        west: { globalCIDRsMap: { '10.10.0.0/16': '242.20.0.0/16', '10.11.0.0/16': '242.21.0.0/16' } },
      },
      found: { east: found, west: found },
    });
    const { devices, fdbs, arps } = G1['east-n1'];
    expect(plan['east-n1']).to.deep.equal({
      devices,
      fdbs,
      arps,
      routes: ['242.21.0.0/16 via 220.18.2.21 vx-bridge', '242.20.0.0/16 via 220.18.2.21 vx-bridge'],
      iptables: [
        'nat PREROUTING -d 242.11.0.0/16 -i vx-bridge -j NETMAP --to 10.11.0.0/16',
        'nat PREROUTING -d 242.10.0.0/16 -i vx-bridge -j NETMAP --to 10.10.0.0/16',
        ...[MASQUERADE[0]!, MASQUERADE[1]!],
        'nat POSTROUTING -s 10.11.0.0/16 -o vx-bridge -j NETMAP --to 242.11.0.0/16',
        'nat POSTROUTING -s 10.10.0.0/16 -o vx-bridge -j NETMAP --to 242.10.0.0/16',
      ],
    });
    expect(plan['east-n2']).to.deep.equal({
      ...G1['east-n2'],
      routes: ['242.21.0.0/16 via 210.18.1.11 vx-local', '242.20.0.0/16 via 210.18.1.11 vx-local'],
    });
    expect(plan['west-n1']!.routes).to.deep.equal([
      '242.11.0.0/16 via 220.18.1.11 vx-bridge',
      '242.10.0.0/16 via 220.18.1.11 vx-bridge',
    ]);
    expect(plan['west-n2']!.routes).to.deep.equal([
      '242.11.0.0/16 via 210.18.2.21 vx-local',
      '242.10.0.0/16 via 210.18.2.21 vx-local',
    ]);
  });

  it('G6: no route to a range that the own cluster uses', () => {
    const plan = goldenPlan({
      both: { networkType: 'gateway' },
      found: { west: { podCIDRs: ['10.10.0.0/16'] } },
    });
    expect(plan).to.deep.equal({
      'east-n1': { ...G1['east-n1'], routes: ['10.21.0.0/16 via 220.18.2.21 vx-bridge'] },
      'east-n2': { ...G1['east-n2'], routes: ['10.21.0.0/16 via 210.18.1.11 vx-local'] },
      'west-n1': { ...G1['west-n1'], routes: ['10.11.0.0/16 via 220.18.1.11 vx-bridge'] },
      'west-n2': { ...G1['west-n2'], routes: ['10.11.0.0/16 via 210.18.2.21 vx-local'] },
    });
  });

  const eastAlone = {
    'west-n1': {
      ...G1['west-n1'],
      routes: [],
      fdbs: fdb('172.18.2.22', 'L22', 'vx-local'),
      arps: ['210.18.2.22 L22 vx-local'],
    },
    'west-n2': { ...G1['west-n2'], routes: [] },
  };

  it('G7: a cluster without a gateway', () => {
    const plan = goldenPlan({ both: { networkType: 'gateway' }, nodes: { 'east-n1': { roles: [] } } });
    expect(plan).to.deep.equal({
      'east-n1': { ...NOTHING, devices: [E1_LOCAL] },
      'east-n2': { ...NOTHING, devices: [E2_LOCAL] },
      ...eastAlone,
    });
  });

  it('G8: a Cluster that is not enabled', () => {
    const plan = goldenPlan({ both: { networkType: 'gateway' }, options: { east: { enable: false } } });
    expect(plan).to.deep.equal(eastAlone);
  });

  it('G9: clusters that share no family', () => {
    const plan = goldenPlan({
      ...DUAL_STACK,
      both: { networkType: 'gateway' },
      options: { east: { ipFamily: 'ipv4' }, west: { ipFamily: 'ipv6' } },
    });
    expect(plan['east-n1']).to.deep.equal({
      devices: [E1_LOCAL, E1_BRIDGE],
      routes: [],
      fdbs: fdb('172.18.1.12', 'L12', 'vx-local'),
      arps: ['210.18.1.12 L12 vx-local'],
      iptables: MASQUERADE,
    });
    expect(plan['west-n2']).to.deep.equal({
      devices: ["vx-local-6 9480:18::2:22/16 L22' eth0 65 4867"],
      routes: [],
      fdbs: fdb('fd00:18::2:21', "L21'", 'vx-local-6'),
      arps: ["9480:18::2:21 L21' vx-local-6"],
      iptables: [],
    });
  });

  it('G10, better: MACs of new nodes are local, unicast, distinct, and the same every time', () => {
    const { nodeConfigs: _, ...input } = goldenInput({ both: { networkType: 'gateway' } });
    const first = planNetwork(input);
    const macs = [...first.configs.values()].flatMap(({ devices = [] }) => devices.map(({ mac }) => mac));
    expect(macs.every((mac) => (Number.parseInt(mac.slice(0, 2), 16) & 3) === 2)).to.be.true;
    expect(new Set(macs).size).to.equal(6);
    expect(planNetwork(input)).to.deep.equal(first);
    const nodeConfigs = [...first.configs].map(([name, spec]) => ({ metadata: { name }, spec }));
    expect(JSON.stringify([...planNetwork({ ...input, nodeConfigs }).configs])).to.equal(
      JSON.stringify([...first.configs]),
    );
  });

  it('G11: P2P without any gateway', () => {
    const plan = goldenPlan({ nodes: { 'east-n1': { roles: [] }, 'west-n1': { roles: [] } } });
    expect(plan).to.deep.equal(
      Object.fromEntries(
        Object.entries(G2).map(([name, config]) => [name, { ...config, routes: config.routes.slice(1) }]),
      ),
    );
  });

  for (const [what, spec] of [
    ['an interface', { interfaceName: '' }],
    ['an address', { ip: '' }],
  ] as const) {
    it(`G12, better: a node without ${what} is asked to find it, and others ignore it`, () => {
      const change = { both: { networkType: 'gateway' as const }, nodes: { 'east-n2': spec } };
      const { configs } = planNetwork(goldenInput(change));
      expect(configs.get('east-n2')).to.deep.equal({
        clusterName: 'east',
        nodeName: 'n2',
        detection: { method: 'defaultRoute' },
        settings: { routeTable: 200, rulePriority: 200, routeProtocol: 98, clampMss: true },
      });
      expect(goldenPlan(change)['east-n1']).to.deep.equal({
        ...G1['east-n1'],
        fdbs: FDB.w1,
        arps: [ARP.w1],
      });
    });
  }

  it('G13, corrected: blocks of a mapped range are mapped too', () => {
    const plan = goldenPlan({ options: { east: { globalCIDRsMap: { '10.10.0.0/16': '242.10.0.0/16' } } } });
    expect(plan['west-n1']!.routes).to.deep.equal([
      '242.10.0.64/26 via 220.18.1.12 vx-bridge',
      '242.10.0.0/26 via 220.18.1.11 vx-bridge',
      '10.11.0.0/16 via 220.18.1.11 vx-bridge',
    ]);
    expect(plan['east-n2']!.iptables).to.deep.equal([
      'nat PREROUTING -d 242.10.0.0/16 -i vx-bridge -j NETMAP --to 10.10.0.0/16',
      'nat POSTROUTING -s 10.10.0.0/16 -o vx-bridge -j NETMAP --to 242.10.0.0/16',
    ]);
  });

  it('G14: a single cluster in gateway mode', () => {
    const input = goldenInput({ both: { networkType: 'gateway' } });
    const plan = listedPlan(planNetwork({ ...input, clusters: input.clusters.slice(1) }));
    expect(plan).to.deep.equal(eastAlone);
  });

  it('G14: a single cluster in P2P mode', () => {
    const input = goldenInput({});
    const plan = listedPlan(planNetwork({ ...input, clusters: input.clusters.slice(1) }));
    expect(plan).to.deep.equal({ 'west-n1': p2p(W1_BRIDGE, [], 'w2'), 'west-n2': p2p(W2_BRIDGE, [], 'w1') });
  });
});
