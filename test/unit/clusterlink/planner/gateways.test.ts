import { expect } from 'chai';
import type { ClusterNodeSpec } from '../../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { planNetwork } from '../../../../src/clusterlink/planner/plan.js';
import type { GoldenChange } from '../../../support/link-goldens.js';
import { goldenInput } from '../../../support/link-goldens.js';
import { linkNode, listed } from '../../../support/link-plan.js';

const GATEWAY: GoldenChange = { both: { networkType: 'gateway' } };

/** The golden federation with a third node in each cluster, where n2 is the first standby. */
function withStandbys(change: GoldenChange, third: ClusterNodeSpec = {}): (name: string) => NodeConfigSpec {
  const input = goldenInput({ ...change, nodes: { 'east-n2': { standbyOrder: 1 }, 'west-n2': { standbyOrder: 1 } } });
  const clusterNodes = [
    ...input.clusterNodes,
    linkNode('east', 'n3', { ip: '172.18.1.13', podCIDRs: ['10.10.0.128/26'], ...third }),
    linkNode('west', 'n3', { ip: '172.18.2.23', podCIDRs: ['10.20.0.128/26'], ...third }),
  ];
  const { configs } = planNetwork({ ...input, clusterNodes });
  return (name) => configs.get(name)!;
}

const names = (config: NodeConfigSpec): readonly string[] => (config.devices ?? []).map(({ name }) => name);

describe('standby gateways', () => {
  const of = withStandbys(GATEWAY);

  it('have all devices and NAT of a gateway, and go through the active one', () => {
    const { devices, routes, iptables } = listed(of('east-n2'));
    expect(names(of('east-n2'))).to.deep.equal(['vx-local', 'vx-bridge']);
    expect(devices).to.have.lengthOf(2);
    expect(iptables).to.deep.equal(listed(of('east-n1')).iptables);
    expect(of('east-n2').nat).to.deep.equal(of('east-n1').nat);
    expect(routes).to.deep.equal(['10.21.0.0/16 via 210.18.1.11 vx-local', '10.20.0.0/16 via 210.18.1.11 vx-local']);
  });

  it('are known to gateways and standbys of other clusters, and to all nodes of their own', () => {
    const ips = (name: string): readonly string[] => (of(name).arps ?? []).map(({ ip }) => ip).sort();
    expect(ips('east-n1')).to.deep.equal(['210.18.1.12', '210.18.1.13', '220.18.1.12', '220.18.2.21', '220.18.2.22']);
    expect(ips('east-n2')).to.deep.equal(['210.18.1.11', '210.18.1.13', '220.18.1.11', '220.18.2.21', '220.18.2.22']);
    expect(ips('east-n3')).to.deep.equal(['210.18.1.11', '210.18.1.12']);
  });

  it('stand in the config of a node without tunnels to other clusters as ways out', () => {
    expect(of('east-n3').gateways).to.deep.equal([
      {
        clusterName: 'east',
        candidates: [
          { nodeName: 'n1', gw: '210.18.1.11', dev: 'vx-local' },
          { nodeName: 'n2', gw: '210.18.1.12', dev: 'vx-local' },
        ],
        cidrs: ['10.21.0.0/16', '10.20.0.0/16'],
      },
    ]);
  });

  it('stand in the config of a gateway as ways in, and it knows itself', () => {
    const west = {
      clusterName: 'west',
      candidates: [
        { nodeName: 'n1', gw: '220.18.2.21', dev: 'vx-bridge' },
        { nodeName: 'n2', gw: '220.18.2.22', dev: 'vx-bridge' },
      ],
      cidrs: ['10.20.0.0/16', '10.21.0.0/16'],
    };
    const cidrs = ['10.21.0.0/16', '10.20.0.0/16'];
    expect(of('east-n1').gateways).to.deep.equal([
      {
        clusterName: 'east',
        candidates: [
          { nodeName: 'n1', self: true },
          { nodeName: 'n2', gw: '210.18.1.12', dev: 'vx-local' },
        ],
        cidrs,
      },
      west,
    ]);
    expect(of('east-n2').gateways).to.deep.equal([
      {
        clusterName: 'east',
        candidates: [
          { nodeName: 'n1', gw: '210.18.1.11', dev: 'vx-local' },
          { nodeName: 'n2', self: true },
        ],
        cidrs,
      },
      west,
    ]);
  });

  it('know the routes that depend on no gateway', () => {
    const mixed = withStandbys({ options: { east: { networkType: 'gateway' }, west: { networkType: 'p2p' } } });
    const [own, west] = mixed('east-n2').gateways ?? [];
    expect(west?.cidrs).to.deep.equal(['10.21.0.0/16']);
    expect(own?.directRoutes).to.deep.equal([
      { cidr: '10.20.0.64/26', gw: '220.18.2.22', dev: 'vx-bridge' },
      { cidr: '10.20.0.128/26', gw: '220.18.2.23', dev: 'vx-bridge' },
      { cidr: '10.20.0.0/26', gw: '220.18.2.21', dev: 'vx-bridge' },
    ]);
    expect(mixed('east-n3').gateways?.map(({ directRoutes }) => directRoutes)).to.deep.equal([undefined]);
  });

  it('take over services alone in P2P mode, where every node knows them', () => {
    const p2p = withStandbys({});
    for (const node of ['n1', 'n2', 'n3']) {
      expect(p2p(`east-${node}`).gateways?.map(({ clusterName, cidrs }) => [clusterName, cidrs])).to.deep.equal([
        ['west', ['10.21.0.0/16']],
      ]);
    }
  });

  it('keep their order, and come after a second node with the role', () => {
    const order = (third: ClusterNodeSpec): readonly string[] =>
      withStandbys(GATEWAY, third)('east-n3').gateways?.[0]?.candidates.map(({ nodeName }) => nodeName) ?? [];
    expect(order({ standbyOrder: 2 })).to.deep.equal(['n1', 'n2', 'n3']);
    expect(order({ roles: ['Gateway'] })).to.deep.equal(['n1', 'n3', 'n2']);
  });

  it('step in where no node has the role', () => {
    const input = goldenInput({ ...GATEWAY, nodes: { 'east-n1': { roles: [] }, 'east-n2': { standbyOrder: 1 } } });
    const { configs } = planNetwork(input);
    expect(listed(configs.get('east-n1')).routes).to.deep.equal([
      '10.21.0.0/16 via 210.18.1.12 vx-local',
      '10.20.0.0/16 via 210.18.1.12 vx-local',
    ]);
    expect(names(configs.get('east-n2')!)).to.include('vx-bridge');
  });

  it('are left out of the config where there are none', () => {
    const { configs } = planNetwork(goldenInput(GATEWAY));
    for (const config of configs.values()) expect(config).not.to.have.property('gateways');
  });
});
