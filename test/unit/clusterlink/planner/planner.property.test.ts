import { expect } from 'chai';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import type { ClusterNode } from '../../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster, ClusterLinkOptions } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import type { Plan } from '../../../../src/clusterlink/planner/plan.js';
import { planNetwork } from '../../../../src/clusterlink/planner/plan.js';
import { Planner } from '../../../../src/clusterlink/planner/planner.js';
import { overlaps, parseCidr } from '../../../../src/lib/cidr.js';
import { linkCluster, linkNode } from '../../../support/link-plan.js';

const CLUSTERS = ['a', 'b', 'a-b'] as const;
const NODES = ['n1', 'n2', 'b-n1'] as const;
const POOLS = ['10.1.0.0/16', '10.2.0.0/16', '10.0.0.0/14', '172.18.0.0/16', 'fd01::/64', 'fd02::/64'];
const SERVICES = ['10.101.0.0/16', '10.102.0.0/16', 'fd0a::/108'];

const clusterArbitrary = (name: string): fc.Arbitrary<Cluster> =>
  fc
    .record({
      networkType: fc.constantFrom('p2p', 'gateway'),
      ipFamily: fc.constantFrom('all', 'ipv4', 'ipv6'),
      enable: fc.constantFrom(true, true, undefined, false),
      mapped: fc.boolean(),
      bridge: fc.constantFrom('220.0.0.0/8', '221.0.0.0/8'),
      mtu: fc.constantFrom(undefined, 1400),
      podCIDRs: fc.uniqueArray(fc.constantFrom(...POOLS), { maxLength: 2 }),
      serviceCIDRs: fc.uniqueArray(fc.constantFrom(...SERVICES), { maxLength: 1 }),
      creationTimestamp: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    })
    .map(({ mapped, bridge, podCIDRs, serviceCIDRs, creationTimestamp, ...options }) => {
      const globalCIDRsMap = mapped ? { '10.1.0.0/16': `24${name.length}.1.0.0/16` } : {};
      const bridgeCIDRs = { ip: bridge, ip6: '9470::/16' };
      const cluster = linkCluster(name, { ...options, bridgeCIDRs, globalCIDRsMap }, { podCIDRs, serviceCIDRs });
      return { ...cluster, metadata: { name, creationTimestamp } };
    });

const nodeArbitrary = (cluster: string, node: string): fc.Arbitrary<ClusterNode> =>
  fc
    .record({
      // Few addresses, so that some collide.
      ip: fc.constantFrom('', '172.18.1.1', '172.18.1.2', '172.18.1.3', '10.1.0.9', '173.18.1.1'),
      ip6: fc.constantFrom('', 'fd18::1', 'fd18::2', 'fd18::3'),
      interfaceName: fc.constantFrom('eth0', 'eth0', 'eth1', ''),
      mtu: fc.constantFrom(undefined, 1500, 9000),
      roles: fc.constantFrom([], [], ['gateway']),
      standbyOrder: fc.constantFrom(undefined, undefined, 1, 2),
      podCIDRs: fc.uniqueArray(fc.constantFrom('10.1.0.0/24', '10.1.1.0/24', '10.2.0.0/24', 'fd01::/80'), {
        maxLength: 2,
      }),
    })
    .map((spec) => {
      return { ...linkNode(cluster, node, spec), metadata: { name: `${cluster}.${node}` } };
    });

type Step =
  | { readonly kind: 'cluster'; readonly cluster: Cluster }
  | { readonly kind: 'node'; readonly node: ClusterNode }
  | { readonly kind: 'noCluster' | 'noNode'; readonly name: string };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  ...CLUSTERS.map((name) => clusterArbitrary(name).map((cluster): Step => ({ kind: 'cluster', cluster }))),
  ...CLUSTERS.flatMap((cluster) =>
    NODES.map((node) => nodeArbitrary(cluster, node).map((it): Step => ({ kind: 'node', node: it }))),
  ),
  fc.constantFrom(...CLUSTERS).map((name): Step => ({ kind: 'noCluster', name })),
  fc
    .tuple(fc.constantFrom(...CLUSTERS), fc.constantFrom(...NODES))
    .map(([cluster, node]): Step => ({ kind: 'noNode', name: `${cluster}.${node}` })),
);

/** Inputs with everything there, for the properties of a plan. */
const inputArbitrary = fc
  .tuple(
    fc.tuple(...CLUSTERS.map(clusterArbitrary)),
    fc.tuple(...CLUSTERS.flatMap((cluster) => NODES.map((node) => nodeArbitrary(cluster, node)))),
  )
  .map(([clusters, clusterNodes]) => ({ clusters, clusterNodes }));

class Inputs {
  readonly clusters = new Map<string, Cluster>();
  readonly nodes = new Map<string, ClusterNode>();

  apply(step: Step, planner: Planner): void {
    switch (step.kind) {
      case 'cluster':
        this.clusters.set(step.cluster.metadata?.name ?? '', step.cluster);
        planner.setCluster(step.cluster);
        break;
      case 'node':
        this.nodes.set(step.node.metadata?.name ?? '', step.node);
        planner.setNode(step.node);
        break;
      case 'noCluster':
        this.clusters.delete(step.name);
        planner.removeCluster(step.name);
        break;
      case 'noNode':
        this.nodes.delete(step.name);
        planner.removeNode(step.name);
        break;
    }
  }

  full(): Plan {
    return planNetwork({ clusters: [...this.clusters.values()], clusterNodes: [...this.nodes.values()] });
  }
}

/** A federation in order, and one field that changes at a time: what depends on a single thing has to show. */
const healthyClusters = CLUSTERS.map((name, index) =>
  linkCluster(
    name,
    { networkType: index === 2 ? 'p2p' : 'gateway', ipFamily: 'all' },
    { podCIDRs: [`10.${index}.0.0/16`, `fd0${index}::/64`], serviceCIDRs: [`10.10${index}.0.0/16`] },
  ),
);
const healthyNodes = CLUSTERS.flatMap((cluster, c) =>
  NODES.map((node, n) => {
    const addresses = { ip: `172.18.${c}.${n + 1}`, ip6: `fd18::${c}:${n + 1}`, podCIDRs: [`10.${c}.${n}.0/24`] };
    const roles = n === 0 ? ['gateway'] : [];
    const spec = { ...addresses, mtu: 1500, roles, standbyOrder: n === 1 ? 1 : undefined };
    return { ...linkNode(cluster, node, spec), metadata: { name: `${cluster}.${node}` } };
  }),
);
const fieldArbitrary: fc.Arbitrary<ClusterNode['spec']> = fc.oneof(
  fc.record({ mtu: fc.constantFrom(undefined, 1300, 1400, 1500) }),
  fc.record({ standbyOrder: fc.constantFrom(undefined, 1, 2, 3) }),
  fc.record({ roles: fc.constantFrom([], ['gateway']) }),
  fc.record({ ip: fc.constantFrom('', '172.18.9.9', '173.18.0.1') }),
  fc.record({ ip6: fc.constantFrom('', 'fd18::9:9', 'fd18:1::9') }),
  fc.record({ podCIDRs: fc.constantFrom([], ['10.2.9.0/24'], ['10.1.0.0/24', 'fd02::/80']) }),
  fc.record({ interfaceName: fc.constantFrom('', 'eth0', 'eth1') }),
);
const optionArbitrary: fc.Arbitrary<ClusterLinkOptions> = fc.oneof(
  fc.record({ mtu: fc.constantFrom(undefined, 1300) }),
  fc.record({ networkType: fc.constantFrom('p2p', 'gateway') }),
  fc.record({ ipFamily: fc.constantFrom('all', 'ipv4', 'ipv6') }),
  fc.record({ defaultNICName: fc.constantFrom('*', 'bond0') }),
  fc.record({ globalCIDRsMap: fc.constantFrom({}, { '10.0.0.0/16': '242.0.0.0/16' }) }),
  fc.record({ bridgeCIDRs: fc.constantFrom(...['220', '221'].map((n) => ({ ip: `${n}.0.0.0/8`, ip6: '9470::/16' }))) }),
);
const editArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.nat(healthyNodes.length - 1), fieldArbitrary).map(([index, fields]): Step => {
    const node = healthyNodes[index]!;
    return { kind: 'node', node: { ...node, spec: { ...node.spec, ...fields } } };
  }),
  fc.tuple(fc.nat(CLUSTERS.length - 1), optionArbitrary).map(([index, options]): Step => {
    const { spec, ...cluster } = healthyClusters[index]!;
    const clusterLinkOptions = { ...spec.clusterLinkOptions, ...options };
    return { kind: 'cluster', cluster: { ...cluster, spec: { clusterLinkOptions } } };
  }),
);
const healthySteps: readonly Step[] = [
  ...healthyClusters.map((cluster): Step => ({ kind: 'cluster', cluster })),
  ...healthyNodes.map((node): Step => ({ kind: 'node', node })),
];

/** The assertion that explains is slow, and seldom needed. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).to.deep.equal(expected);
}

function expectToFollow(rounds: readonly (readonly Step[])[]): void {
  const planner = new Planner();
  const inputs = new Inputs();
  for (const round of rounds) {
    const before = configsOf(planner);
    for (const step of round) inputs.apply(step, planner);
    const { changed, removed, problems } = planner.plan();
    const full = inputs.full();
    const after = configsOf(planner);
    expectSame(after, Object.fromEntries(full.configs));
    expectSame(problems, full.problems);
    for (const name of Object.keys(after)) {
      if (!changed.has(name)) expect(after[name]).to.equal(before[name]);
    }
    expect([...removed].sort()).to.deep.equal(Object.keys(before).filter((name) => !(name in after)));
  }
}

const configsOf = (planner: Planner): Record<string, NodeConfigSpec | undefined> =>
  Object.fromEntries([...planner.names()].sort().map((name) => [name, planner.config(name)]));

describe('Planner', function () {
  this.timeout(60_000);

  it('says after any changes what a new one says of the same inputs, and names what changed', () => {
    fc.assert(
      fc.property(fc.array(fc.array(stepArbitrary, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), expectToFollow),
      { numRuns: 40 },
    );
  });

  it('does so after one field at a time of a federation in order', () => {
    fc.assert(
      fc.property(fc.array(editArbitrary, { maxLength: 15 }), (edits) => {
        expectToFollow([healthySteps, ...edits.map((edit) => [edit])]);
      }),
      { numRuns: 40 },
    );
  });

  it('says the same in whatever order it hears of things', () => {
    fc.assert(
      fc.property(inputArbitrary, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (input, keys) => {
        const shuffled = <T>(items: readonly T[]): readonly T[] =>
          items
            .map((item, i) => ({ item, key: keys[i] ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const other = { clusters: shuffled(input.clusters), clusterNodes: shuffled(input.clusterNodes) };
        expectSame(planNetwork(other), planNetwork(input));
      }),
    );
  });

  it('finds nothing to change when it is told what it knows', () => {
    fc.assert(
      fc.property(inputArbitrary, ({ clusters, clusterNodes }) => {
        const planner = new Planner();
        const tell = (): ReadonlySet<string> => {
          clusters.forEach((cluster) => planner.setCluster(structuredClone(cluster)));
          clusterNodes.forEach((node) => planner.setNode(structuredClone(node)));
          return planner.plan().changed;
        };
        tell();
        for (const name of planner.names()) {
          planner.setPreviousDevices(name, structuredClone(planner.config(name)?.devices ?? []));
        }
        const before = configsOf(planner);
        tell();
        expectSame(configsOf(planner), before);
        expect([...tell()]).to.deep.equal([]);
      }),
    );
  });
});

describe('a plan', function () {
  this.timeout(60_000);

  const check = (assertion: (spec: NodeConfigSpec, plan: Plan, clusters: readonly Cluster[]) => void): void => {
    fc.assert(
      fc.property(inputArbitrary, (input) => {
        const plan = planNetwork(input);
        for (const spec of plan.configs.values()) assertion(spec, plan, input.clusters);
      }),
      { numRuns: 60 },
    );
  };

  it('has a neighbour and FDB entries on the device of every route', () => {
    check(({ routes = [], arps = [], fdbs = [], devices = [], gateways = [] }) => {
      const candidates = gateways.flatMap(({ candidates: all }) => all);
      const hops = [
        ...routes,
        ...gateways.flatMap(({ directRoutes = [] }) => directRoutes),
        ...candidates.flatMap(({ gw, dev }) => (gw === undefined || dev === undefined ? [] : [{ gw, dev }])),
        ...candidates.flatMap(({ gw6, dev6 }) =>
          gw6 === undefined || dev6 === undefined ? [] : [{ gw: gw6, dev: dev6 }],
        ),
      ];
      for (const { gw, dev } of hops) {
        if (!devices.some(({ name }) => name === dev)) continue;
        const mac = arps.find((arp) => arp.ip === gw && arp.dev === dev)?.mac;
        expect(mac).to.be.a('string');
        expect(fdbs.some((entry) => entry.mac === mac && entry.dev === dev)).to.be.true;
      }
      for (const { dev } of routes) expect(devices.map(({ name }) => name)).to.include(dev);
    });
  });

  it('has no route into the own cluster, and one for each range at most', () => {
    check((spec, _, clusters) => {
      const { podCIDRs = [], serviceCIDRs = [] } =
        clusters.find(({ metadata }) => metadata?.name === spec.clusterName)?.status?.clusterLinkStatus ?? {};
      const own = [...podCIDRs, ...serviceCIDRs].map((text) => parseCidr(text)!);
      const cidrs = (spec.routes ?? []).map(({ cidr }) => cidr);
      expect(new Set(cidrs).size).to.equal(cidrs.length);
      for (const cidr of cidrs)
        expect(
          own.some((range) => overlaps(range, parseCidr(cidr)!)),
          cidr,
        ).to.be.false;
    });
  });

  it('sends to addresses of nodes alone, and gives no two nodes one address in a tunnel', () => {
    check((spec, { configs }) => {
      const all = [...configs.values()].flatMap(({ devices = [], clusterName = '' }) =>
        devices.map(({ name, addr, mac }) => ({ addr, mac, scope: name.startsWith('vx-local') ? clusterName : '' })),
      );
      const keys = all.map(({ addr, scope }) => `${scope}/${addr}`);
      expect(new Set(keys).size).to.equal(keys.length);
      const macs = new Set(all.map(({ mac }) => mac));
      for (const { mac } of spec.arps ?? []) expect(macs.has(mac)).to.be.true;
      expect((spec.devices ?? []).map(({ mac }) => mac)).not.to.include.members(['00:00:00:00:00:00']);
    });
  });

  it('leads both ways: where a node sends to another, that one knows it', () => {
    check((spec, { configs }) => {
      const own = new Map((spec.devices ?? []).map(({ name, addr }) => [name, addr.split('/')[0]]));
      for (const { ip, dev } of spec.arps ?? []) {
        const other = [...configs.values()].find(({ clusterName, devices = [] }) => {
          const sameScope = !dev.startsWith('vx-local') || clusterName === spec.clusterName;
          return sameScope && devices.some(({ name, addr }) => name === dev && addr.split('/')[0] === ip);
        });
        expect(
          other?.arps?.some((arp) => arp.dev === dev && arp.ip === own.get(dev)),
          `${ip} ${dev}`,
        ).to.be.true;
      }
    });
  });

  it('has every list in descending order', () => {
    check((spec) => {
      for (const list of [spec.devices, spec.routes, spec.iptables, spec.fdbs, spec.arps, spec.nat]) {
        const keys = (list ?? []).map((item) => JSON.stringify(item));
        expect(keys).to.deep.equal([...new Set(keys)].sort().reverse());
      }
    });
  });

  it('gives each gateway an entry that its routes go through', () => {
    check(({ routes = [], gateways = [] }) => {
      for (const { candidates, cidrs } of gateways) {
        const first = candidates[0]!;
        if (first.self === true) continue;
        for (const { cidr, gw } of routes.filter((route) => cidrs.includes(route.cidr))) {
          const own = gateways.find(({ candidates: all }) => all.some(({ self }) => self === true));
          const active = own === undefined || own.candidates[0]?.self === true ? first : own.candidates[0]!;
          expect([active.gw, active.gw6], cidr).to.include(gw);
        }
      }
    });
  });
});
