import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import { MemberInventory } from '../../../../src/clustertree/node/inventory.js';
import type { MemberNode } from '../../../../src/clustertree/node/member-node.js';
import type { VirtualNodeFacts } from '../../../../src/clustertree/node/node-facts.js';
import type { DesiredNodeStatus } from '../../../../src/clustertree/node/status.js';
import { desiredNodeStatus, initialNodeStatus, nodeStatusPatch } from '../../../../src/clustertree/node/status.js';
import { memberNode, virtualNodes } from '../../../support/member-objects.js';

const NOW = '2026-01-01T00:00:00Z';
const LATER = '2026-01-01T00:10:00Z';

function desired(
  behind: readonly MemberNode[] = [memberNode('n1')],
  facts: Partial<VirtualNodeFacts> = {},
): DesiredNodeStatus {
  const inventory = new MemberInventory();
  for (const node of behind) inventory.setNode(node);
  const spec = virtualNodes.all;
  return desiredNodeStatus({
    clusterName: 'east',
    spec,
    behind,
    capacity: inventory.capacity(spec),
    memberVersion: 'v1.36.3',
    kubelet: { addresses: ['10.0.0.1'], port: 10250 },
    ...facts,
  });
}

const stored = (status: DesiredNodeStatus): Node => ({
  metadata: { name: 'kosmos-east', uid: 'uid-1' },
  status: initialNodeStatus(status, NOW),
});
const patch = (node: Node, status: DesiredNodeStatus, heartbeatDue = false): ReturnType<typeof nodeStatusPatch> =>
  nodeStatusPatch(node, status, { now: LATER, heartbeatDue });

describe('desiredNodeStatus', () => {
  it('tells resources, endpoint and what the nodes behind are', () => {
    const { conditions, ...status } = desired();
    expect(conditions).to.have.lengthOf(5);
    expect(status).to.deep.equal({
      capacity: { cpu: '4', memory: '8Gi', pods: '110' },
      allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'v1.36.3',
        kernelVersion: '6.18.0',
        osImage: 'Debian GNU/Linux 13',
        containerRuntimeVersion: 'containerd://2.4.2',
      },
    });
  });

  it('tells only what all nodes agree on, and the version of the API server where kubelets differ', () => {
    const behind = [
      memberNode('n1', { kubeletVersion: 'v1.35.0', architecture: 'arm64' }),
      memberNode('n2', { kubeletVersion: 'v1.34.0' }),
    ];
    expect(desired(behind).nodeInfo).to.include({
      architecture: '',
      kubeletVersion: 'v1.36.3',
      operatingSystem: 'linux',
    });
    expect(desired(behind.slice(0, 1)).nodeInfo.kubeletVersion).to.equal('v1.35.0');
  });

  it('knows the version of the API server even without nodes', () => {
    expect(desired([]).nodeInfo).to.include({ kubeletVersion: 'v1.36.3', operatingSystem: '' });
  });

  it('publishes both families of the manager and no names', () => {
    const kubelet = { addresses: ['10.0.0.1', 'fd00::1'], port: 10250 };
    expect(desired(undefined, { kubelet }).addresses).to.deep.equal([
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'InternalIP', address: 'fd00::1' },
    ]);
  });
});

describe('initialNodeStatus', () => {
  it('is a whole status whose conditions begin now', () => {
    const status = initialNodeStatus(desired(), NOW);
    expect(status.conditions?.every(({ lastTransitionTime }) => lastTransitionTime === NOW)).to.be.true;
    expect(status.nodeInfo).to.include({ machineID: '', systemUUID: '', bootID: '', kubeProxyVersion: '' });
    expect(status.capacity).to.deep.equal({ cpu: '4', memory: '8Gi', pods: '110' });
  });
});

describe('nodeStatusPatch', () => {
  it('has nothing to do for a status that is as wanted', () => {
    expect(patch(stored(desired()), desired())).to.be.undefined;
  });

  it('renews heartbeats when they are due, and nothing else', () => {
    const result = patch(stored(desired()), desired(), true);
    expect(Object.keys(result?.status ?? {})).to.deep.equal(['conditions']);
    expect(result?.status.conditions).to.have.lengthOf(5);
    expect(result?.status.conditions?.every((condition) => condition.lastTransitionTime === NOW)).to.be.true;
    expect(result?.status.conditions?.every((condition) => condition.lastHeartbeatTime === LATER)).to.be.true;
  });

  it('names the object that it means', () => {
    expect(patch(stored(desired()), desired(), true)?.metadata).to.deep.equal({ uid: 'uid-1' });
    expect(patch({}, desired())?.metadata).to.deep.equal({});
  });

  it('writes everything to a node without status', () => {
    expect(patch({ metadata: { uid: 'uid-1' } }, desired())?.status).to.have.all.keys(
      'capacity',
      'allocatable',
      'conditions',
      'addresses',
      'daemonEndpoints',
      'nodeInfo',
    );
  });

  it('writes only the amounts that changed, and removes resources that are gone', () => {
    const before = desired([memberNode('n1', { allocatable: { cpu: '4', pods: '110', 'nvidia.com/gpu': '1' } })]);
    const after = desired([memberNode('n1', { allocatable: { cpu: '8', pods: '110' } })]);
    expect(patch(stored(before), after)?.status).to.deep.equal({
      capacity: { cpu: '8', 'nvidia.com/gpu': null },
      allocatable: { cpu: '8', 'nvidia.com/gpu': null },
    });
  });

  it('writes only the condition that changed', () => {
    const result = patch(stored(desired()), desired([memberNode('n1', { pressure: ['DiskPressure'] })]));
    expect(result?.status.conditions).to.deep.equal([
      {
        type: 'DiskPressure',
        status: 'True',
        reason: 'DiskPressureIsTrue',
        message: 'DiskPressure is True',
        lastHeartbeatTime: LATER,
        lastTransitionTime: LATER,
      },
    ]);
  });

  for (const [name, addresses] of [
    ['another address', [{ type: 'InternalIP', address: '10.0.0.9' }]],
    ['another type', [{ type: 'Hostname', address: '10.0.0.1' }]],
    [
      'one too many',
      [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: 'x' },
      ],
    ],
    ['none', []],
  ] as const) {
    it(`replaces the addresses as a whole when there is ${name}`, () => {
      const node = stored(desired());
      expect(patch({ ...node, status: { ...node.status, addresses } }, desired())?.status).to.deep.equal({
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }, { $patch: 'replace' }],
      });
    });
  }

  it('writes a changed port', () => {
    const moved = desired(undefined, { kubelet: { addresses: ['10.0.0.1'], port: 10260 } });
    expect(patch(stored(desired()), moved)?.status).to.deep.equal({
      daemonEndpoints: { kubeletEndpoint: { Port: 10260 } },
    });
  });

  it('writes only what changed of the node info', () => {
    const upgraded = desired([memberNode('n1', { kubeletVersion: 'v1.37.0' })]);
    expect(patch(stored(desired()), upgraded)?.status).to.deep.equal({ nodeInfo: { kubeletVersion: 'v1.37.0' } });
  });
});
