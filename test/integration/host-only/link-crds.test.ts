import { expect } from 'chai';
import type { LabCluster } from '../../../hack/lab/cluster.js';
import type { Lab } from '../../../hack/lab/lab.js';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import { sharedHost } from '../../support/shared-lab.js';
import { repositoryFile, repositoryManifests } from '../../support/yaml-files.js';

const CRDS = ['clusters', 'clusternodes', 'nodeconfigs'];
const MAC = '02:01:01:00:00:b0';

type Spec = Readonly<Record<string, unknown>>;

const link = (clusterLinkOptions: Spec): readonly [string, Spec] => ['Cluster', { clusterLinkOptions }];
const clusterNode = (spec: Spec): readonly [string, Spec] => ['ClusterNode', spec];
const nodeConfig = (spec: Spec): readonly [string, Spec] => ['NodeConfig', spec];
const device = (fields: Spec = {}): Spec => ({
  type: 'vxlan',
  name: 'vx-bridge',
  addr: '220.18.1.11/8',
  mac: MAC,
  bindDev: 'eth0',
  id: 54,
  port: 4876,
  ...fields,
});
const nat = (...rules: readonly Spec[]): readonly [string, Spec] => nodeConfig({ nat: rules });
const map = (globalCIDRsMap: Readonly<Record<string, string>>): readonly [string, Spec] => link({ globalCIDRsMap });

/** All that the planner can say, of two families, with standby gateways. */
const FULL_CONFIG: Spec = {
  clusterName: 'east',
  nodeName: 'n1',
  devices: [device({ mtu: 1450 }), device({ name: 'vx-bridge-6', addr: '9470:18::1:11/16', id: 64, port: 4866 })],
  routes: [{ cidr: '10.20.0.0/16', gw: '220.18.2.21', dev: 'vx-bridge' }],
  iptables: [{ table: 'nat', chain: 'POSTROUTING', rule: '-s 220.0.0.0/8 -j MASQUERADE' }],
  fdbs: [{ ip: '172.18.2.21', mac: '00:00:00:00:00:00', dev: 'vx-bridge' }],
  arps: [{ ip: '220.18.2.21', mac: MAC, dev: 'vx-bridge' }],
  nat: [
    { type: 'masquerade', family: 'ipv4', source: '220.0.0.0/8' },
    { type: 'prefixSnat', family: 'ipv4', source: '10.10.0.0/16', to: '242.10.0.0/16', outDev: 'vx-bridge' },
    { type: 'prefixDnat', family: 'ipv4', destination: '242.10.0.0/16', to: '10.10.0.0/16', inDev: 'vx-bridge' },
  ],
  detection: { method: 'canReach', canReach: '192.0.2.1' },
  gateways: [
    {
      clusterName: 'east',
      candidates: [
        { nodeName: 'n1', self: true },
        { nodeName: 'n2', gw: '210.18.1.12', dev: 'vx-local' },
      ],
      cidrs: ['10.20.0.0/16'],
      directRoutes: [{ cidr: '10.30.0.0/24', gw: '220.18.3.1', dev: 'vx-bridge' }],
    },
  ],
  peers: [{ clusterName: 'west', nodeName: 'n1', ip: '220.18.2.21' }],
  settings: { routeTable: 200, rulePriority: 200, routeProtocol: 98, clampMss: true },
};

const FULL_STATUS = {
  observedGeneration: 1,
  lastChangeTime: '2026-01-01T00:00:00Z',
  lastSyncTime: '2026-01-01T00:00:30Z',
  detected: { interfaceName: 'eth0', ip: '172.18.1.11', ip6: 'fd00:18::1:11', mtu: 1500 },
  driftRepaired: 3,
  errors: ['route 10.20.0.0/16: Nexthop has invalid gateway'],
  peers: [{ name: 'west/n1', ip: '220.18.2.21', reachable: true, rttMs: 0.4, loss: 0 }],
  activeGateways: [{ clusterName: 'west', nodeName: 'n2', switchedTime: '2026-01-01T00:00:10Z' }],
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Applied',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    },
  ],
};

describe('the CRDs of ClusterLink on a real API server', () => {
  let lab: Lab;
  let host: LabCluster;

  const manifest = (name: string, kind: string, spec: Spec): string =>
    JSON.stringify({ apiVersion: 'kosmos.io/v1alpha1', kind, metadata: { name }, spec });
  const apply = async (input: string): Promise<{ readonly code: number; readonly stderr: string }> => {
    const { code, stderr } = await host.kubectl(['apply', '-f', '-'], { input, allowFailure: true });
    return { code, stderr };
  };
  const printed = async (resource: string, name: string): Promise<Readonly<Record<string, string>>> => {
    const { stdout } = await host.kubectl(['get', `${resource}.kosmos.io`, name, '-o', 'wide']);
    const [header = [], row = []] = stdout.split('\n').map((line) => line.trim().split(/\s{2,}/));
    return Object.fromEntries(header.map((column, index) => [column, row[index] ?? '']));
  };

  before(async () => {
    lab = await sharedHost();
    host = lab.host;
    for (const plural of CRDS) {
      await host.kubectl(['apply', '-f', '-'], { input: repositoryFile(`crds/kosmos.io_${plural}.yaml`) });
      await host.kubectl(['wait', '--for=condition=Established', '--timeout=30s', `crd/${plural}.kosmos.io`]);
    }
  });

  for (const plural of CRDS) {
    it(`takes that of ${plural} as it is, without a warning and with a structural schema`, async () => {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.kosmos.io`;
      expect(JSON.stringify(await host.api.json('GET', path))).not.to.contain('NonStructuralSchema');
      const again = await host.kubectl(['apply', '-f', '-'], {
        input: repositoryFile(`crds/kosmos.io_${plural}.yaml`),
      });
      expect(again.stderr).to.equal('');
    });
  }

  describe('accept', () => {
    const accepted: readonly (readonly [string, readonly [string, Spec]])[] = [
      [
        'prefixes as kosmosctl spells them',
        link({
          bridgeCIDRs: { ip: '220.0.0.0/8', ip6: '9480::0/16' },
          localCIDRs: { ip: '210.0.0.0/8', ip6: '9470::0/16' },
        }),
      ],
      ['other ranges', link({ localCIDRs: { ip: '100.64.0.0/11', ip6: 'fd64::/32' } })],
      ['a map of both families', map({ '10.10.0.0/16': '242.10.0.0/16', 'fd11:10::/64': 'fd24:10::/64' })],
      ['a map that swaps two ranges', map({ '10.10.0.0/16': '10.11.0.0/16', '10.11.0.0/16': '10.10.0.0/16' })],
      ['a map that is full', map(manyRanges(32))],
      ['CIDRs of its own', link({ podCIDRs: ['10.10.0.0/16'], serviceCIDRs: ['10.11.0.0/16', 'fd00::/108'] })],
      ['an interface by address', link({ autodetectionMethod: 'can-reach=fd00::1' })],
      ['an MTU', link({ mtu: 9000 })],
      ['a node that is not known yet', clusterNode({ clusterName: 'east', nodeName: 'n1' })],
      ['a node as Kosmos writes it', clusterNode({ ...node(), ip6: '' })],
      ['a node with many blocks', clusterNode({ ...node(), podCIDRs: Object.keys(manyRanges(200)) })],
      ['detection only', nodeConfig({ clusterName: 'east', nodeName: 'n1', detection: { method: 'defaultRoute' } })],
      ['a whole config', nodeConfig(FULL_CONFIG)],
      ['a config as Kosmos writes it', nodeConfig({ ...FULL_CONFIG, nat: undefined, gateways: undefined })],
    ];
    accepted.forEach(([name, [kind, spec]], index) => {
      it(name, async () => {
        const { code, stderr } = await apply(manifest(`accepted-${index}`, kind, spec));
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      });
    });

    for (const { path, object } of repositoryManifests('examples/03-link')) {
      it(`${path}: ${(object as Cluster).metadata?.name ?? ''}`, async () => {
        const { code, stderr } = await apply(JSON.stringify(object));
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      });
    }

    it('a config with as many routes as a large federation has', async () => {
      const routes = Array.from({ length: 5000 }, (_, i) => ({
        cidr: `10.${i >> 8}.${i & 255}.0/24`,
        gw: '220.18.2.21',
        dev: 'vx-bridge',
      }));
      const body = JSON.parse(manifest('many', 'NodeConfig', { ...FULL_CONFIG, routes })) as unknown;
      const created = await host.api.json('POST', '/apis/kosmos.io/v1alpha1/nodeconfigs', { body });
      expect(created).to.have.nested.property('spec.routes').with.lengthOf(5000);
    });
  });

  describe('refuse', () => {
    for (const [name, [kind, spec], message] of [
      ['an unknown family', link({ ipFamily: 'dual' }), 'ipFamily'],
      ['a prefix of the wrong family', link({ bridgeCIDRs: { ip: 'fd00::/16', ip6: '9470::/16' } }), 'IPv4 CIDR'],
      ['the other way round', link({ localCIDRs: { ip: '210.0.0.0/8', ip6: '210.0.0.0/8' } }), 'IPv6 CIDR'],
      ['an address as a prefix', link({ bridgeCIDRs: { ip: '220.0.0.0', ip6: '9470::/16' } }), 'IPv4 CIDR'],
      ['a prefix without room for nodes', link({ bridgeCIDRs: { ip: '220.0.0.0/30', ip6: '9470::/16' } }), '/4 to /24'],
      ['overlapping tunnels', link({ bridgeCIDRs: { ip: '210.1.0.0/16', ip6: '9470::/16' } }), 'bridgeCIDRs.ip and'],
      ['those of IPv6', link({ localCIDRs: { ip: '210.0.0.0/8', ip6: '9470::/24' } }), 'bridgeCIDRs.ip6 and'],
      ['a map to another family', map({ '10.10.0.0/16': 'fd00::/16' }), 'same family and prefix length'],
      ['a map to another length', map({ '10.10.0.0/16': '242.10.0.0/17' }), 'same family and prefix length'],
      ['a map of no CIDR', map({ east: '242.10.0.0/16' }), 'same family and prefix length'],
      [
        'a map of ranges that overlap',
        map({ '10.0.0.0/8': '242.0.0.0/8', '10.1.0.0/16': '243.1.0.0/16' }),
        'of the cluster overlap',
      ],
      [
        'a map to ranges that overlap',
        map({ '10.1.0.0/16': '242.1.0.0/16', '10.2.0.0/16': '242.1.0.0/16' }),
        'others see overlap',
      ],
      ['a map into the tunnels', map({ '10.10.0.0/16': '220.10.0.0/16' }), 'overlaps with bridgeCIDRs'],
      ['pods and services in one range', link({ podCIDRs: ['10.0.0.0/8'], serviceCIDRs: ['10.96.0.0/12'] }), 'overlap'],
      ['pods in no range', link({ podCIDRs: ['10.0.0.1'] }), 'must be a CIDR'],
      ['a method that there is not', link({ autodetectionMethod: 'first-found' }), 'can-reach='],
      ['an MTU too small for IPv6', link({ mtu: 1300 }), 'mtu'],
      ['a name where an address must be', clusterNode({ ...node(), ip: 'n1' }), 'IPv4 address'],
      ['an address of the wrong family', clusterNode({ ...node(), ip6: '172.18.1.11' }), 'IPv6 address'],
      ['a block that is none', clusterNode({ ...node(), podCIDRs: ['10.10.0.64'] }), 'must be a CIDR'],
      ['a device of somebody else', nodeConfig({ devices: [device({ name: 'eth0' })] }), 'devices[0].name'],
      ['a device without VNI', nodeConfig({ devices: [device({ id: 0 })] }), 'devices[0].id'],
      ['a device with half an address', nodeConfig({ devices: [device({ addr: '220.18.1.11' })] }), 'prefix'],
      ['another kind of device', nodeConfig({ devices: [device({ type: 'gre' })] }), 'devices[0].type'],
      ['a route without a gateway', nodeConfig({ routes: [{ cidr: '10.0.0.0/8', dev: 'vx-bridge' }] }), 'gw'],
      ['a route over another device', nodeConfig({ routes: [{ cidr: '10.0.0.0/8', gw: 'x', dev: 'eth0' }] }), 'dev'],
      ['a MAC that is none', nodeConfig({ arps: [{ ip: '220.0.0.1', mac: '02', dev: 'vx-bridge' }] }), 'mac'],
      ['NAT of nothing', nat({ type: 'masquerade', family: 'ipv4' }), 'about a source'],
      ['NAT to nowhere', nat({ type: 'prefixSnat', family: 'ipv4', source: '10.0.0.0/8' }), 'need to'],
      [
        'DNAT of a source',
        nat({ type: 'prefixDnat', family: 'ipv4', source: '10.0.0.0/8', to: '11.0.0.0/8' }),
        'about',
      ],
      ['detection by no name', nodeConfig({ detection: { method: 'interface' } }), 'needs interfaceName'],
      ['detection by two ways', nodeConfig({ detection: { method: 'canReach', interfaceName: 'a' } }), 'canReach'],
      ['the main table', nodeConfig({ settings: { routeTable: 254 } }), "kernel's own"],
      ['the protocol of the kernel', nodeConfig({ settings: { routeProtocol: 2 } }), 'routeProtocol'],
    ] as const) {
      it(name, async () => {
        const { code, stderr } = await apply(manifest('refused', kind, spec));
        expect(code).not.to.equal(0);
        expect(stderr).to.contain(message);
      });
    }
  });

  it('keep the status of a NodeConfig apart, and print it', async () => {
    await apply(manifest('east-n1', 'NodeConfig', FULL_CONFIG));
    const path = '/apis/kosmos.io/v1alpha1/nodeconfigs/east-n1';
    const contentType = 'application/merge-patch+json';
    await host.api.json('PATCH', `${path}/status`, { body: { status: FULL_STATUS }, contentType });
    await apply(manifest('east-n1', 'NodeConfig', { ...FULL_CONFIG, routes: [] }));
    expect(await host.api.json('GET', path)).to.have.deep.property('status', FULL_STATUS);
    expect(await printed('nodeconfigs', 'east-n1')).to.include({
      CLUSTER: 'east',
      NODE: 'n1',
      READY: 'True',
      INTERFACE: 'eth0',
      IP: '172.18.1.11',
      IP6: 'fd00:18::1:11',
      DRIFT: '3',
      REASON: 'Applied',
    });
  });

  it('print a ClusterNode', async () => {
    await apply(manifest('east-n1', 'ClusterNode', node()));
    expect(await printed('clusternodes', 'east-n1')).to.include({
      ROLES: '["gateway"]',
      INTERFACE: 'eth0',
      IP: '172.18.1.11',
      CLUSTER: 'east',
      NODE: 'n1',
    });
  });

  it("keep the link's status of a Cluster apart", async () => {
    await apply(manifest('linked', 'Cluster', { clusterLinkOptions: {} }));
    const path = '/apis/kosmos.io/v1alpha1/clusters/linked';
    const clusterLinkStatus = {
      podCIDRs: ['10.10.0.0/16'],
      serviceCIDRs: ['10.11.0.0/16'],
      gateway: 'n1',
      standbyGateways: ['n2'],
      nodes: { ready: 1, total: 2, summary: '1/2' },
    };
    const contentType = 'application/merge-patch+json';
    await host.api.json('PATCH', `${path}/status`, { body: { status: { clusterLinkStatus } }, contentType });
    const cluster = (await host.api.json('GET', path)) as Cluster;
    expect(cluster.status?.clusterLinkStatus).to.deep.equal(clusterLinkStatus);
  });
});

function node(): Spec {
  return {
    clusterName: 'east',
    nodeName: 'n1',
    ip: '172.18.1.11',
    ip6: 'fd00:18::1:11',
    interfaceName: 'eth0',
    mtu: 1500,
    podCIDRs: ['10.10.0.0/26'],
    roles: ['gateway'],
    standbyOrder: 1,
  };
}

function manyRanges(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`10.${i}.0.0/16`, `242.${i}.0.0/16`]));
}
