import { expect } from 'chai';
import { trimNode } from '../../../../src/clustertree/node/member-node.js';
import { formatResources } from '../../../../src/lib/resource-list.js';
import { memberNode, memberNodeObject } from '../../../support/member-objects.js';

describe('trimNode', () => {
  it('keeps what virtual nodes are made of', () => {
    const taints = [{ key: 'a', effect: 'NoSchedule' }];
    const { allocatable, ...rest } = memberNode('n1', { labels: { pool: 'gpu' }, taints });
    expect(formatResources(allocatable)).to.deep.equal({ cpu: '4', memory: '8Gi', pods: '110' });
    expect(rest).to.deep.equal({
      metadata: { name: 'n1' },
      labels: { 'kubernetes.io/hostname': 'n1', pool: 'gpu' },
      taints,
      available: true,
      ready: true,
      unschedulable: false,
      conditions: [{ type: 'Ready', status: 'True', reason: 'ReadyIsTrue', message: 'Ready is True' }],
      info: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'v1.36.3',
        kernelVersion: '6.18.0',
        osImage: 'Debian GNU/Linux 13',
        containerRuntimeVersion: 'containerd://2.4.2',
      },
    });
  });

  it('drops images, annotations, addresses and conditions of others', () => {
    const node = memberNodeObject('n1');
    const trimmed = trimNode({
      ...node,
      metadata: { ...node.metadata, annotations: { secret: 'hidden' } },
      status: {
        ...node.status,
        images: [{ names: ['hidden'], sizeBytes: 1 }],
        addresses: [{ type: 'InternalIP', address: 'hidden' }],
        conditions: [{ type: 'KernelDeadlock', status: 'False', reason: 'hidden' }],
      },
    });
    expect(JSON.stringify(trimmed)).not.to.contain('hidden');
  });

  for (const [name, options, available] of [
    ['ready', {}, true],
    ['not ready', { ready: 'False' }, false],
    ['of unknown readiness', { ready: 'Unknown' }, false],
    ['cordoned', { unschedulable: true }, false],
    ['being deleted', { deleted: true }, false],
    ['under pressure', { pressure: ['MemoryPressure'] }, true],
  ] as const) {
    it(`says available = ${available} of a node that is ${name}`, () => {
      expect(memberNode('n1', options).available).to.equal(available);
    });
  }

  it('copes with a node that has nothing yet', () => {
    expect(trimNode({})).to.deep.include({ metadata: { name: '' }, labels: {}, taints: [], ready: false });
    const silent = trimNode({ status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    expect(silent.conditions).to.deep.equal([{ type: 'Ready', status: 'True', reason: '', message: '' }]);
  });
});
