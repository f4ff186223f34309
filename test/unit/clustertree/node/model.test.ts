import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import type { VirtualNodeSpec } from '../../../../src/clustertree/cluster/virtual-node-spec.js';
import type { MemberNode } from '../../../../src/clustertree/node/member-node.js';
import { desiredNode, isOurs, nodeConflict } from '../../../../src/clustertree/node/model.js';
import { memberNode, virtualNodes } from '../../../support/member-objects.js';

const desired = (spec: VirtualNodeSpec, ...behind: readonly MemberNode[]): Node =>
  desiredNode({ clusterName: 'east', spec, behind });
const labelsOf = (spec: VirtualNodeSpec, ...behind: readonly MemberNode[]): Readonly<Record<string, string>> =>
  desired(spec, ...behind).metadata?.labels ?? {};

const TOPOLOGY = { 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': 'eu-1' };

describe('desiredNode', () => {
  it('is complete for a virtual node of a whole cluster', () => {
    expect(desired(virtualNodes.all, memberNode('n1', { labels: TOPOLOGY }))).to.deep.equal({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: 'kosmos-east',
        labels: {
          'kosmos.io/node': 'true',
          'kosmos.io/cluster': 'east',
          'kubernetes.io/role': 'agent',
          'kubernetes.io/hostname': 'kosmos-east',
          'kubernetes.io/arch': 'amd64',
          'kubernetes.io/os': 'linux',
          'beta.kubernetes.io/os': 'linux',
          'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
          ...TOPOLOGY,
        },
        annotations: {
          'kosmos-io/owned-by-cluster': 'east',
          leafNodeMode: 'one2cluster',
          'kosmos.io/managed-keys': JSON.stringify({
            labels: [
              'beta.kubernetes.io/os',
              'kosmos.io/cluster',
              'kosmos.io/node',
              'kubernetes.io/arch',
              'kubernetes.io/hostname',
              'kubernetes.io/os',
              'kubernetes.io/role',
              'node.kubernetes.io/exclude-from-external-load-balancers',
              'topology.kubernetes.io/region',
              'topology.kubernetes.io/zone',
            ],
            annotations: ['kosmos-io/owned-by-cluster', 'leafNodeMode'],
            taints: ['kosmos.io/node:NoSchedule'],
          }),
        },
      },
      spec: {
        providerID: 'kosmos://east/kosmos-east',
        taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }],
      },
    });
  });

  it('says which mode it is', () => {
    const mode = (spec: VirtualNodeSpec): string | undefined => desired(spec).metadata?.annotations?.['leafNodeMode'];
    expect(mode(virtualNodes.all)).to.equal('one2cluster');
    expect(mode(virtualNodes.party)).to.equal('one2party');
    expect(mode(virtualNodes.node)).to.be.undefined;
  });

  it('has no taints where the Cluster wants none', () => {
    expect(desired({ ...virtualNodes.all, taints: [] }).spec).not.to.have.property('taints');
  });

  describe('labels', () => {
    it('name only what all nodes behind agree on', () => {
      const labels = labelsOf(
        virtualNodes.all,
        memberNode('n1', { labels: TOPOLOGY }),
        memberNode('n2', { labels: { ...TOPOLOGY, 'topology.kubernetes.io/zone': 'eu-2' }, architecture: 'arm64' }),
      );
      expect(labels).to.include({ 'topology.kubernetes.io/region': 'eu', 'kubernetes.io/os': 'linux' });
      expect(labels).not.to.have.any.keys('topology.kubernetes.io/zone', 'kubernetes.io/arch');
    });

    it('name no topology that only some nodes have', () => {
      expect(labelsOf(virtualNodes.all, memberNode('n1', { labels: TOPOLOGY }), memberNode('n2'))).not.to.have.any.keys(
        'topology.kubernetes.io/zone',
        'topology.kubernetes.io/region',
      );
    });

    it('name nothing of nodes that are not there', () => {
      expect(labelsOf(virtualNodes.all)).not.to.have.any.keys('kubernetes.io/arch', 'kubernetes.io/os');
    });

    it('come from leafModels before they come from the nodes', () => {
      const labels = { 'topology.kubernetes.io/zone': 'chosen', 'kubernetes.io/role': 'edge', tier: 'gold' };
      expect(labelsOf({ ...virtualNodes.all, labels }, memberNode('n1', { labels: TOPOLOGY }))).to.include({
        ...labels,
        'topology.kubernetes.io/region': 'eu',
      });
    });

    it('are not copied from nodes behind a virtual node of several', () => {
      expect(labelsOf(virtualNodes.party, memberNode('n1', { labels: { pool: 'gpu' } }))).not.to.have.property('pool');
    });

    it('of a single node are copied, without roles of the member', () => {
      const labels = labelsOf(
        { ...virtualNodes.node, labels: { tier: 'gold' } },
        memberNode('n1', {
          labels: {
            pool: 'gpu',
            tier: 'silver',
            'kosmos.io/node': 'other',
            'node-role.kubernetes.io/control-plane': '',
            'node-role.kubernetes.io/master': '',
            'node-role.kubernetes.io/node': '',
            'node-role.kubernetes.io/storage': '',
          },
        }),
      );
      expect(labels).to.include({ pool: 'gpu', tier: 'gold', 'kosmos.io/node': 'true' });
      expect(Object.keys(labels).filter((key) => key.startsWith('node-role.'))).to.deep.equal([
        'node-role.kubernetes.io/storage',
      ]);
    });

    it('keep the hostname of the member where the name of the node is too long for a label', () => {
      const nodeName = `${'n'.repeat(60)}.example.com`;
      const spec = { ...virtualNodes.node, nodeName, memberNodeName: nodeName };
      const behind = memberNode(nodeName, { labels: { 'kubernetes.io/hostname': 'short' } });
      expect(labelsOf(spec, behind)['kubernetes.io/hostname']).to.equal('short');
      expect(labelsOf(spec)).not.to.have.property('kubernetes.io/hostname');
    });
  });

  describe('of a single node', () => {
    const taints = [
      { key: 'dedicated', value: 'gpu', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' },
      { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
      { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' },
      { key: 'kosmos.io/node', value: 'other', effect: 'NoSchedule' },
    ];

    it('has its taints too, but not those that node controllers set by themselves', () => {
      expect(desired(virtualNodes.node, memberNode('n1', { taints })).spec?.taints).to.deep.equal([
        { key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' },
        { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
        { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
      ]);
    });

    it('is cordoned when the node is', () => {
      const node = desired(virtualNodes.node, memberNode('n1', { unschedulable: true }));
      expect(node.spec?.unschedulable).to.be.true;
      expect(node.metadata?.annotations?.['kosmos.io/managed-keys']).to.contain('"unschedulable":true');
    });

    it('is there while the node is missing', () => {
      expect(desired(virtualNodes.node).metadata?.name).to.equal('n1');
      expect(desired(virtualNodes.node).spec?.taints).to.have.lengthOf(1);
    });
  });

  it('takes no taint and no cordon from one of several nodes', () => {
    const taints = [{ key: 'dedicated', effect: 'NoSchedule' }];
    expect(desired(virtualNodes.all, memberNode('n1', { taints, unschedulable: true })).spec).to.deep.equal({
      providerID: 'kosmos://east/kosmos-east',
      taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }],
    });
  });
});

describe('nodeConflict and isOurs', () => {
  const node = (labels: Record<string, string>, annotations: Record<string, string> = {}): Node => ({
    metadata: { name: 'n1', labels, annotations },
  });
  const virtual = { 'kosmos.io/node': 'true' };

  for (const [name, value, conflict] of [
    ['our own', desired(virtualNodes.all), undefined],
    ["Kosmos' own (Go)", node(virtual, { 'kosmos-io/owned-by-cluster': 'east' }), undefined],
    ['a real node', node({}), 'node n1 exists and is not a virtual node'],
    ['nothing known', {}, 'node  exists and is not a virtual node'],
    [
      'a virtual node of another Cluster',
      node(virtual, { 'kosmos-io/owned-by-cluster': 'west' }),
      'virtual node n1 exists and belongs to Cluster west',
    ],
    ['a virtual node of nobody', node(virtual), 'virtual node n1 exists and names no Cluster that it belongs to'],
  ] as const) {
    it(`judge ${name}`, () => {
      expect(nodeConflict(value, 'east')).to.equal(conflict);
      expect(isOurs(value, 'east')).to.equal(conflict === undefined);
    });
  }
});
