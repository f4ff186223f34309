import { expect } from 'chai';
import type { Cluster, ClusterLinkOptions } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { PlanInput } from '../../../../src/clusterlink/planner/plan.js';
import { planNetwork } from '../../../../src/clusterlink/planner/plan.js';
import type { PlanProblem } from '../../../../src/clusterlink/planner/problems.js';
import { sortedProblems } from '../../../../src/clusterlink/planner/problems.js';
import type { GoldenChange } from '../../../support/link-goldens.js';
import { DUAL_STACK, goldenInput } from '../../../support/link-goldens.js';
import { linkCluster, linkNode, listed } from '../../../support/link-plan.js';

const GATEWAY: GoldenChange = { both: { networkType: 'gateway' } };

const problems = (change: GoldenChange): readonly PlanProblem[] => planNetwork(goldenInput(change)).problems;
const bornOn = (cluster: Cluster, day: number): Cluster => ({
  ...cluster,
  metadata: { ...cluster.metadata, creationTimestamp: `2026-01-0${day}T00:00:00Z` },
});

/** Three clusters in gateway mode; north has ranges of its own, the others those that are given. */
function three(east: readonly string[], west: readonly string[], options: ClusterLinkOptions = {}): PlanInput {
  const cluster = (name: string, podCIDRs: readonly string[], more: ClusterLinkOptions = {}): Cluster =>
    linkCluster(name, { networkType: 'gateway', ...more }, { podCIDRs });
  return {
    clusters: [cluster('east', east), cluster('west', west, options), cluster('north', ['10.30.0.0/16'])],
    clusterNodes: ['east', 'west', 'north'].map((name, index) =>
      linkNode(name, 'n1', { ip: `172.18.${index}.1`, roles: ['gateway'] }),
    ),
  };
}

const routesOf = (input: PlanInput, name: string): readonly string[] =>
  listed(planNetwork(input).configs.get(name)).routes.map((route) => route.split(' vx-')[0] ?? '');

describe('problems of a plan', () => {
  it('are none where all is well', () => {
    expect(problems(GATEWAY)).to.deep.equal([]);
    expect(problems({})).to.deep.equal([]);
    expect(problems({ ...DUAL_STACK, both: { ipFamily: 'all', networkType: 'gateway' } })).to.deep.equal([]);
  });

  it('come once each, in a stable order', () => {
    const [a, b] = ['a', 'b'].map((name): PlanProblem => ({ reason: 'NoGateway', clusters: [name], message: name }));
    expect(sortedProblems([b!, a!, { ...b! }])).to.deep.equal([a, b]);
  });
});

describe('ranges that overlap', () => {
  it('are told with both sides', () => {
    expect(problems({ ...GATEWAY, found: { west: { podCIDRs: ['10.10.0.0/16'] } } })).to.deep.equal([
      {
        reason: 'CIDROverlap',
        clusters: ['east', 'west'],
        message:
          '10.10.0.0/16 of Cluster east and 10.10.0.0/16 of Cluster west overlap; map one of them with globalCIDRsMap',
      },
    ]);
  });

  it('are no problem where both are mapped to different ones', () => {
    const found = { podCIDRs: ['10.10.0.0/16'], serviceCIDRs: [] };
    const options = {
      east: { globalCIDRsMap: { '10.10.0.0/16': '242.10.0.0/16' } },
      west: { globalCIDRsMap: { '10.10.0.0/16': '242.20.0.0/16' } },
    };
    expect(problems({ ...GATEWAY, options, found: { east: found, west: found } })).to.deep.equal([]);
  });

  it('are one where a mapped range meets a real one', () => {
    const options = { east: { globalCIDRsMap: { '10.10.0.0/16': '10.20.0.0/16' } } };
    expect(problems({ ...GATEWAY, options }).map(({ message }) => message)).to.deep.equal([
      '10.20.0.0/16 of Cluster east and 10.20.0.0/16 of Cluster west overlap; map one of them with globalCIDRsMap',
    ]);
  });

  it('are one where only one of two equal ones is mapped, since the other can not be reached from there', () => {
    const input = three(['10.10.0.0/16'], ['10.10.0.0/16'], { globalCIDRsMap: { '10.10.0.0/16': '242.20.0.0/16' } });
    expect(planNetwork(input).problems.map(({ reason, clusters }) => [reason, clusters])).to.deep.equal([
      ['CIDROverlap', ['east', 'west']],
    ]);
    expect(routesOf(input, 'west-n1')).to.deep.equal(['10.30.0.0/16 via 220.18.2.1']);
    expect(routesOf(input, 'north-n1')).to.deep.equal(['242.20.0.0/16 via 220.18.1.1', '10.10.0.0/16 via 220.18.0.1']);
  });

  it('lead others to the older Cluster, so that one that joins takes no traffic away', () => {
    const input = three(['10.10.0.0/16'], ['10.0.0.0/12', '10.40.0.0/16']);
    const born = (east: number, west: number): PlanInput => ({
      ...input,
      clusters: input.clusters.map((cluster, i) => bornOn(cluster, [east, west, 1][i] ?? 1)),
    });
    expect(routesOf(born(1, 2), 'north-n1')).to.deep.equal([
      '10.40.0.0/16 via 220.18.1.1',
      '10.10.0.0/16 via 220.18.0.1',
    ]);
    expect(routesOf(born(2, 1), 'north-n1')).to.deep.equal([
      '10.40.0.0/16 via 220.18.1.1',
      '10.0.0.0/12 via 220.18.1.1',
    ]);
    expect(routesOf(input, 'north-n1')).to.deep.equal(routesOf(born(1, 2), 'north-n1'));
  });

  it('keep only those blocks of nodes away that are taken', () => {
    const { clusters, clusterNodes } = three(['10.10.0.0/24'], ['10.10.0.0/16'], { networkType: 'p2p' });
    const block = (cidr: string): PlanInput => ({
      clusters,
      clusterNodes: clusterNodes.map((node, i) =>
        i === 1 ? { ...node, spec: { ...node.spec, podCIDRs: [cidr] } } : node,
      ),
    });
    expect(routesOf(block('10.10.7.0/24'), 'north-n1')).to.include('10.10.7.0/24 via 220.18.1.1');
    expect(routesOf(block('10.10.0.0/26'), 'north-n1')).to.deep.equal(['10.10.0.0/24 via 220.18.0.1']);
  });
});

describe('ranges that can not be routed to', () => {
  it('are those that have the address of a node', () => {
    const input = three(['172.18.0.0/24'], ['10.20.0.0/16']);
    expect(planNetwork(input).problems).to.deep.equal([
      {
        reason: 'CIDRNotRoutable',
        clusters: ['east'],
        message: "172.18.0.0/24 of Cluster east can't be routed to: it has the address of node n1 of Cluster east",
      },
    ]);
    expect(routesOf(input, 'west-n1')).to.deep.equal(['10.30.0.0/16 via 220.18.2.1']);
  });

  it('are those of the tunnels', () => {
    const input = three(['210.1.0.0/16'], ['220.1.0.0/16']);
    expect(planNetwork(input).problems.map(({ message }) => message)).to.deep.equal([
      "210.1.0.0/16 of Cluster east can't be routed to: it overlaps with 210.0.0.0/8, which tunnels use",
      "220.1.0.0/16 of Cluster west can't be routed to: it overlaps with 220.0.0.0/8, which tunnels use",
    ]);
    expect(routesOf(input, 'north-n1')).to.deep.equal([]);
  });

  it('do not keep narrower ranges in them from being routed to', () => {
    const { clusters, clusterNodes } = three(['172.18.0.0/16'], [], {});
    const east = linkCluster('east', { networkType: 'p2p' }, { podCIDRs: ['172.18.0.0/16'] });
    const nodes = clusterNodes.map((node, i) =>
      i === 0 ? { ...node, spec: { ...node.spec, podCIDRs: ['172.18.0.128/25'] } } : node,
    );
    const input = { clusters: [east, ...clusters.slice(1)], clusterNodes: nodes };
    expect(routesOf(input, 'north-n1')).to.deep.equal(['172.18.0.128/25 via 220.18.0.1']);
  });
});

describe('addresses in tunnels that two nodes would have', () => {
  const collision: GoldenChange = {
    ...GATEWAY,
    nodes: { 'west-n1': { ip: '10.18.1.11' }, 'west-n2': { ip: '172.18.2.22' } },
  };

  it('go to the node of the older Cluster, and the other has no tunnel', () => {
    const { configs, problems: found } = planNetwork(goldenInput(collision));
    expect(found).to.deep.include({
      reason: 'TunnelAddressCollision',
      clusters: ['east', 'west'],
      message:
        'node n1 of Cluster west (underlay 10.18.1.11) and node n1 of Cluster east would both have the address ' +
        '220.18.1.11 in tunnels between clusters; the former has none',
    });
    expect(listed(configs.get('west-n1')).devices).to.have.lengthOf(1);
    expect(listed(configs.get('west-n1')).routes).to.deep.equal([]);
    expect(listed(configs.get('east-n1')).routes).to.deep.equal([]);
  });

  it('are those of one underlay address too, whatever the prefixes', () => {
    const bridgeCIDRs = { ip: '221.0.0.0/8', ip6: '9470::/16' };
    const change = { ...GATEWAY, options: { west: { bridgeCIDRs } }, nodes: { 'west-n1': { ip: '172.18.1.11' } } };
    expect(problems(change).map(({ reason }) => reason)).to.deep.equal(['TunnelAddressCollision']);
  });

  it('are told inside a cluster', () => {
    const change = { ...GATEWAY, nodes: { 'east-n2': { ip: '10.18.1.11' } } };
    const { configs, problems: found } = planNetwork(goldenInput(change));
    expect(found).to.deep.equal([
      {
        reason: 'TunnelAddressCollision',
        clusters: ['east'],
        message:
          'nodes n1 and n2 of Cluster east would both have the address 210.18.1.11 in tunnels inside the cluster; ' +
          'widen the host part of localCIDRs',
      },
    ]);
    expect(listed(configs.get('east-n2')).devices).to.deep.equal([]);
    expect(listed(configs.get('east-n1')).devices).to.have.lengthOf(2);
  });

  it('are not those of P2P mode, which has no tunnels inside a cluster', () => {
    const localCIDRs = { ip: '210.18.0.0/24', ip6: '9480::/16' };
    expect(problems({ both: { networkType: 'p2p', localCIDRs } })).to.deep.equal([]);
  });
});

describe('nodes that do not fit', () => {
  it('are those that a second object stands for', () => {
    const input = goldenInput(GATEWAY);
    const twin = { ...linkNode('east', 'n1', { ip: '172.18.1.99' }), metadata: { name: 'east-n1-2' } };
    const plan = planNetwork({ ...input, clusterNodes: [twin, ...input.clusterNodes] });
    expect(plan.problems).to.deep.equal([
      {
        reason: 'DuplicateNode',
        clusters: ['east'],
        message: 'ClusterNodes east-n1 and east-n1-2 both stand for node n1 of Cluster east; the first counts',
      },
    ]);
    expect(plan.configs).to.deep.equal(planNetwork(input).configs);
  });

  it('are those without an address of a family that the cluster uses', () => {
    const nodes = { ...DUAL_STACK.nodes, 'east-n2': { ip6: '' } };
    const found = problems({ ...DUAL_STACK, both: { ipFamily: 'all', networkType: 'gateway' }, nodes });
    expect(found.map(({ message }) => message)).to.deep.equal(['node n2 of Cluster east has no IPv6 address']);
  });

  it('are not those of a cluster that has nothing of the family', () => {
    expect(problems({ both: { ipFamily: 'all', networkType: 'gateway' } })).to.deep.equal([]);
  });

  it('are those whose underlay carries too little', () => {
    const nodes = { ...DUAL_STACK.nodes, 'east-n2': { ...DUAL_STACK.nodes?.['east-n2'], mtu: 1349 } };
    const found = problems({ ...DUAL_STACK, both: { ipFamily: 'all', networkType: 'gateway' }, nodes });
    expect(found).to.deep.equal([
      {
        reason: 'MTUTooSmall',
        clusters: ['east'],
        message: 'node n2 of Cluster east carries 1349 bytes, but IPv6 in tunnels needs 1350',
      },
    ]);
  });

  it('are missing where a cluster in gateway mode has no gateway', () => {
    const found = problems({ ...GATEWAY, nodes: { 'east-n1': { roles: [] } } });
    expect(found).to.deep.equal([{ reason: 'NoGateway', clusters: ['east'], message: 'Cluster east has no gateway' }]);
    expect(problems({ nodes: { 'east-n1': { roles: [] } } })).to.deep.equal([]);
  });
});

describe('options that can not be read', () => {
  it('are told, and do not count', () => {
    const options: ClusterLinkOptions = {
      bridgeCIDRs: { ip: 'fd00::/8', ip6: 'x' },
      globalCIDRsMap: { '10.10.0.0/16': '242.0.0.0/8', '10.11.0.0/16': '242.11.0.0/16' },
    };
    const { problems: found, configs } = planNetwork(
      goldenInput({ ...GATEWAY, options: { east: options }, found: { east: { podCIDRs: ['10.10.0.0'] } } }),
    );
    expect(found.map(({ reason, message }) => `${reason}: ${message}`)).to.have.members([
      'InvalidOption: Cluster east: bridgeCIDRs "fd00::/8" can\'t be read',
      'InvalidOption: Cluster east: bridgeCIDRs "x" can\'t be read',
      'InvalidOption: Cluster east: globalCIDRsMap "10.10.0.0/16: 242.0.0.0/8" can\'t be read',
      'InvalidOption: Cluster east: podCIDRs "10.10.0.0" can\'t be read',
    ]);
    expect(listed(configs.get('east-n1')).devices.map((device) => device.split(' ')[0])).to.deep.equal(['vx-local']);
  });
});
