import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { planNetwork } from '../../../../src/clusterlink/planner/plan.js';
import { DEFAULT_PLANNER_SETTINGS } from '../../../../src/clusterlink/planner/settings.js';
import type { GoldenChange } from '../../../support/link-goldens.js';
import { DUAL_STACK, goldenInput } from '../../../support/link-goldens.js';
import { linkCluster, linkNode, listed } from '../../../support/link-plan.js';
import { repositoryManifests } from '../../../support/yaml-files.js';

const GATEWAY: GoldenChange = { both: { networkType: 'gateway' } };

const configOf = (change: GoldenChange, name: string): NodeConfigSpec =>
  planNetwork(goldenInput(change)).configs.get(name)!;
const mtus = (config: NodeConfigSpec): readonly (readonly [string, number | undefined])[] =>
  (config.devices ?? []).map(({ name, mtu }) => [name, mtu]);

/** `count` clusters in gateway mode, of two nodes. */
function clustersInGatewayMode(count: number): ReturnType<typeof planNetwork> {
  const indices = Array.from({ length: count }, (_, index) => index);
  return planNetwork({
    clusters: indices.map((i) => linkCluster(`c${i}`, { networkType: 'gateway' }, { podCIDRs: [`10.${i}.0.0/16`] })),
    clusterNodes: indices.flatMap((i) => [
      linkNode(`c${i}`, 'n1', { ip: `172.18.${i}.1`, roles: ['gateway'] }),
      linkNode(`c${i}`, 'n2', { ip: `172.18.${i}.2` }),
    ]),
  });
}

describe('a plan for clusters', () => {
  it('G15: is a full mesh of gateways, without transit', () => {
    const { configs } = clustersInGatewayMode(3);
    const { routes, fdbs, arps } = listed(configs.get('c0-n1'));
    expect(routes).to.deep.equal(['10.2.0.0/16 via 220.18.2.1 vx-bridge', '10.1.0.0/16 via 220.18.1.1 vx-bridge']);
    expect(fdbs.filter((entry) => entry.endsWith('vx-bridge'))).to.have.lengthOf(4);
    expect(arps.filter((entry) => entry.endsWith('vx-bridge'))).to.have.lengthOf(2);
  });

  it('says which node each config is for, and how its agent works', () => {
    expect(configOf(GATEWAY, 'east-n2')).to.deep.include({
      clusterName: 'east',
      nodeName: 'n2',
      settings: { routeTable: 200, rulePriority: 200, routeProtocol: 98, clampMss: true },
    });
  });

  it('has other numbers when it is told so', () => {
    const settings = {
      ...DEFAULT_PLANNER_SETTINGS,
      routeTable: 300,
      tunnels: {
        ...DEFAULT_PLANNER_SETTINGS.tunnels,
        local: { ipv4: { vni: 7, port: 4789 }, ipv6: { vni: 8, port: 1 } },
      },
    };
    const config = planNetwork({ ...goldenInput(GATEWAY), settings }).configs.get('east-n2');
    expect(config?.settings?.routeTable).to.equal(300);
    expect(config?.devices?.[0]).to.include({ id: 7, port: 4789 });
  });

  it('ignores ClusterNodes that say nothing, and those of unknown Clusters', () => {
    const input = goldenInput(GATEWAY);
    const clusterNodes = [...input.clusterNodes, linkNode('north', 'n1', { ip: '172.18.3.1' }), linkNode('', '', {})];
    expect(planNetwork({ ...input, clusterNodes })).to.deep.equal(planNetwork(input));
  });

  it('takes ranges that a Cluster states itself before those that were found', () => {
    const change = { ...GATEWAY, options: { west: { podCIDRs: ['10.99.0.0/16'], serviceCIDRs: [] } } };
    expect(listed(configOf(change, 'east-n1')).routes).to.deep.equal(['10.99.0.0/16 via 220.18.2.21 vx-bridge']);
  });
});

describe('the examples', () => {
  it('can be planned for, all together', () => {
    const clusters = repositoryManifests('examples/03-link').map(({ object }) => object as Cluster);
    const clusterNodes = clusters.map(({ metadata }, i) =>
      linkNode(metadata?.name ?? '', 'storage-1', { ip: `172.18.1.${i + 1}`, roles: ['gateway'] }),
    );
    const { configs, problems } = planNetwork({ clusters, clusterNodes });
    expect(problems).to.deep.equal([]);
    expect(listed(configs.get('host-storage-1')).routes.map((route) => route.split(' via')[0])).to.include.members([
      '242.21.0.0/16',
      '242.20.0.0/16',
    ]);
    expect(configs.get('member2-storage-1')?.detection).to.deep.equal({ method: 'interface', interfaceName: 'eth1' });
  });
});

describe('MTUs', () => {
  const change = (...values: readonly (number | undefined)[]): GoldenChange => ({
    ...DUAL_STACK,
    both: { ipFamily: 'all', networkType: 'gateway' },
    nodes: {
      'east-n1': { ...DUAL_STACK.nodes?.['east-n1'], mtu: values[0] },
      'east-n2': { ...DUAL_STACK.nodes?.['east-n2'], mtu: values[1] },
      'west-n1': { ...DUAL_STACK.nodes?.['west-n1'], mtu: values[2] },
      'west-n2': { ...DUAL_STACK.nodes?.['west-n2'], mtu: values[3] },
    },
  });

  it('leave room for the outer header of the family', () => {
    expect(mtus(configOf(change(1500, 1500, 1500, 1500), 'east-n1'))).to.deep.equal([
      ['vx-local-6', 1430],
      ['vx-local', 1450],
      ['vx-bridge-6', 1430],
      ['vx-bridge', 1450],
    ]);
  });

  it('fit the smallest underlay on which a tunnel ends', () => {
    const config = configOf(change(9000, 9000, 1500, 9000), 'east-n1');
    expect(mtus(config)).to.deep.equal([
      ['vx-local-6', 8930],
      ['vx-local', 8950],
      ['vx-bridge-6', 1430],
      ['vx-bridge', 1450],
    ]);
  });

  it('are left to the agent while they are not known', () => {
    expect(mtus(configOf(change(undefined, 1500, 1500, 1500), 'east-n1')).map(([, mtu]) => mtu)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(mtus(configOf(change(undefined, 1500, undefined, undefined), 'east-n2'))).to.deep.equal([
      ['vx-local-6', 1430],
      ['vx-local', 1450],
    ]);
  });

  it('can be lowered by the Cluster', () => {
    const lowered = { ...change(1500, 1500, 1500, 1500), options: { west: { mtu: 1400 } } };
    expect(mtus(configOf(lowered, 'west-n2'))).to.deep.equal([
      ['vx-local-6', 1330],
      ['vx-local', 1350],
    ]);
    expect(mtus(configOf(lowered, 'east-n1')).slice(2)).to.deep.equal([
      ['vx-bridge-6', 1330],
      ['vx-bridge', 1350],
    ]);
  });
});

describe('NAT', () => {
  it('has the same rules in both forms', () => {
    const map = { '10.10.0.0/16': '242.10.0.0/16' };
    const { nat, iptables } = configOf({ ...GATEWAY, options: { east: { globalCIDRsMap: map } } }, 'east-n1');
    expect(nat).to.have.deep.members([
      { type: 'masquerade', family: 'ipv4', source: '210.0.0.0/8', outDev: 'vx-bridge' },
      { type: 'masquerade', family: 'ipv4', source: '220.0.0.0/8' },
      { type: 'prefixSnat', family: 'ipv4', source: '10.10.0.0/16', to: '242.10.0.0/16', outDev: 'vx-bridge' },
      { type: 'prefixDnat', family: 'ipv4', destination: '242.10.0.0/16', to: '10.10.0.0/16', inDev: 'vx-bridge' },
    ]);
    expect(iptables).to.have.lengthOf(4);
  });

  it('knows the prefixes of all clusters', () => {
    const bridgeCIDRs = { ip: '221.0.0.0/8', ip6: '9470::/16' };
    const { iptables } = listed(configOf({ ...GATEWAY, options: { west: { bridgeCIDRs } } }, 'east-n1'));
    expect(iptables).to.deep.equal([
      'nat POSTROUTING -s 221.0.0.0/8 -j MASQUERADE',
      'nat POSTROUTING -s 220.0.0.0/8 -j MASQUERADE',
      'nat POSTROUTING -s 210.0.0.0/8 -o vx-bridge -j MASQUERADE',
    ]);
  });

  it('is that of global ranges alone in P2P mode', () => {
    const map = { '10.10.0.0/16': '242.10.0.0/16' };
    const change = { options: { east: { globalCIDRsMap: map } } };
    expect(configOf(change, 'east-n2').nat?.map(({ type }) => type)).to.deep.equal(['prefixSnat', 'prefixDnat']);
    expect(configOf(change, 'west-n2').nat).to.deep.equal([]);
  });
});

describe('tunnel addresses of another prefix', () => {
  it('have routes of their own, so that hosts are answered', () => {
    const bridgeCIDRs = { ip: '221.0.0.0/8', ip6: '9470::/16' };
    const change = { ...GATEWAY, options: { west: { bridgeCIDRs } } };
    expect(listed(configOf(change, 'east-n1')).routes).to.deep.equal([
      '221.18.2.21/32 via 221.18.2.21 vx-bridge',
      '10.21.0.0/16 via 221.18.2.21 vx-bridge',
      '10.20.0.0/16 via 221.18.2.21 vx-bridge',
    ]);
    expect(listed(configOf(change, 'east-n2')).routes).to.have.lengthOf(2);
  });
});

describe('detection', () => {
  const detection = (options: object): NodeConfigSpec['detection'] =>
    configOf({ both: { networkType: 'gateway', ...options } }, 'east-n1').detection;

  it('goes by the default route', () => expect(detection({})).to.deep.equal({ method: 'defaultRoute' }));

  it('goes by the route to an address', () => {
    const canReach = { method: 'canReach', canReach: '192.0.2.1' };
    expect(detection({ autodetectionMethod: 'can-reach=192.0.2.1' })).to.deep.equal(canReach);
  });

  it('takes no method that there is not', () => {
    expect(detection({ autodetectionMethod: 'first-found' })).to.deep.equal({ method: 'defaultRoute' });
    expect(detection({ autodetectionMethod: 'can-reach=example.org' })).to.deep.equal({ method: 'defaultRoute' });
  });

  it('goes by the name that the Cluster has for all nodes', () => {
    const named = { method: 'interface', interfaceName: 'bond0' };
    expect(detection({ defaultNICName: 'bond0', autodetectionMethod: 'can-reach=192.0.2.1' })).to.deep.equal(named);
  });

  it('goes by the name for the node, which has to be named exactly', () => {
    const nicNodeNames = [
      { interfaceName: 'eth9', nodeName: ['n10', 'n'] },
      { interfaceName: 'eth1', nodeName: ['n2', 'n1'] },
    ];
    const named = { method: 'interface', interfaceName: 'eth1' };
    expect(detection({ nicNodeNames, defaultNICName: 'bond0' })).to.deep.equal(named);
  });
});

describe('peers', () => {
  it('are gateways for the others of a cluster, and gateways of other clusters for a gateway', () => {
    const { configs } = clustersInGatewayMode(3);
    expect(configs.get('c0-n2')?.peers).to.deep.equal([{ clusterName: 'c0', nodeName: 'n1', ip: '210.18.0.1' }]);
    expect(configs.get('c0-n1')?.peers).to.deep.equal([
      { clusterName: 'c1', nodeName: 'n1', ip: '220.18.1.1' },
      { clusterName: 'c2', nodeName: 'n1', ip: '220.18.2.1' },
    ]);
  });

  it('are nodes of other clusters in P2P mode, no more than allowed, and every node is probed by some', () => {
    const input = goldenInput({});
    const settings = { ...DEFAULT_PLANNER_SETTINGS, probePeers: 1 };
    const { configs } = planNetwork({ ...input, settings });
    const probed = [...configs.values()].map(({ peers = [] }) => peers.map((peer) => peer.ip));
    expect(probed.every((ips) => ips.length === 1)).to.be.true;
    expect(configs.get('east-n2')?.peers?.[0]?.clusterName).to.equal('west');
    expect(
      planNetwork(input)
        .configs.get('east-n1')
        ?.peers?.map(({ nodeName }) => nodeName),
    ).to.deep.equal(['n1', 'n2']);
  });

  it('have the addresses of the families that both have', () => {
    const change = {
      ...DUAL_STACK,
      both: { ipFamily: 'all', networkType: 'gateway' as const },
      options: { west: { ipFamily: 'ipv6' } },
    };
    expect(configOf(change, 'east-n1').peers).to.deep.equal([
      { clusterName: 'west', nodeName: 'n1', ip6: '9470:18::2:21' },
    ]);
  });

  it('are none where there is nobody to probe', () => {
    const change = { ...GATEWAY, options: { east: { enable: false } } };
    expect(configOf(change, 'west-n1')).not.to.have.property('peers');
  });
});

describe('a node with one of two families', () => {
  it('takes part with the one that it has', () => {
    const nodes = { ...DUAL_STACK.nodes, 'east-n2': { ip6: '' } };
    const change = { ...DUAL_STACK, both: { ipFamily: 'all', networkType: 'gateway' as const }, nodes };
    expect(configOf(change, 'east-n2').devices?.map(({ name }) => name)).to.deep.equal(['vx-local']);
    expect(listed(configOf(change, 'east-n2')).routes).to.have.lengthOf(2);
    expect(configOf(change, 'east-n1').arps?.filter(({ dev }) => dev === 'vx-local-6')).to.deep.equal([]);
  });
});
