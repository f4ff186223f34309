import { expect } from 'chai';
import type { NodeCondition } from '../../../../src/apis/core.js';
import type { VirtualNodeSpec } from '../../../../src/clustertree/cluster/virtual-node-spec.js';
import { conditionsToWrite, desiredNodeConditions } from '../../../../src/clustertree/node/conditions.js';
import type { MemberNode, MemberNodeCondition } from '../../../../src/clustertree/node/member-node.js';
import { memberNode, virtualNodes } from '../../../support/member-objects.js';

const conditionOf = (type: string, spec: VirtualNodeSpec, ...behind: readonly MemberNode[]): MemberNodeCondition => {
  const found = desiredNodeConditions({ spec, behind }).find((condition) => condition.type === type);
  if (found === undefined) throw new Error(`no condition ${type}`);
  return found;
};

describe('desiredNodeConditions', () => {
  it('always gives the same five, healthy ones for healthy nodes', () => {
    const conditions = desiredNodeConditions({ spec: virtualNodes.all, behind: [memberNode('n1')] });
    expect(conditions.map(({ type, status, reason }) => [type, status, reason])).to.deep.equal([
      ['Ready', 'True', 'KubeletReady'],
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
      ['NetworkUnavailable', 'False', 'RouteCreated'],
    ]);
  });

  describe('of several nodes', () => {
    it('are Ready while one of them is', () => {
      const ready = conditionOf('Ready', virtualNodes.all, memberNode('n1', { ready: 'Unknown' }), memberNode('n2'));
      expect(ready).to.deep.equal({
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: '1 of 2 nodes are ready',
      });
    });

    it('are not Ready when none is, and say so', () => {
      const behind = [memberNode('n1', { ready: 'False' }), memberNode('n2', { ready: 'Unknown' })];
      expect(conditionOf('Ready', virtualNodes.party, ...behind)).to.include({
        status: 'False',
        reason: 'NoReadyNode',
        message: '0 of 2 nodes are ready',
      });
    });

    it('count cordoned nodes as ready: they still run pods', () => {
      expect(conditionOf('Ready', virtualNodes.all, memberNode('n1', { unschedulable: true })).status).to.equal('True');
    });

    it('are under pressure only when all ready ones are', () => {
      const pressed = memberNode('n1', { pressure: ['MemoryPressure'] });
      const unready = memberNode('n3', { ready: 'False' });
      const both = conditionOf('MemoryPressure', virtualNodes.all, pressed, unready);
      expect(both).to.deep.equal({
        type: 'MemoryPressure',
        status: 'True',
        reason: 'MemoryPressureIsTrue',
        message: 'MemoryPressure is True',
      });
      expect(conditionOf('MemoryPressure', virtualNodes.all, pressed, memberNode('n2')).status).to.equal('False');
      expect(conditionOf('DiskPressure', virtualNodes.all, pressed).status).to.equal('False');
    });
  });

  for (const mode of ['all', 'node', 'party'] as const) {
    it(`say that no node is there in mode ${mode}`, () => {
      expect(conditionOf('Ready', virtualNodes[mode])).to.include({ status: 'False', reason: 'NoNode' });
      expect(conditionOf('MemoryPressure', virtualNodes[mode]).status).to.equal('False');
    });
  }

  describe('of a single node', () => {
    for (const status of ['True', 'False', 'Unknown'] as const) {
      it(`mirror Ready = ${status} with reason and message`, () => {
        expect(conditionOf('Ready', virtualNodes.node, memberNode('n1', { ready: status }))).to.deep.equal({
          type: 'Ready',
          status,
          reason: `ReadyIs${status}`,
          message: `Ready is ${status}`,
        });
      });
    }

    it('mirror pressure, also while the node is not ready', () => {
      const node = memberNode('n1', { ready: 'False', pressure: ['DiskPressure', 'NetworkUnavailable'] });
      expect(conditionOf('DiskPressure', virtualNodes.node, node).status).to.equal('True');
      expect(conditionOf('NetworkUnavailable', virtualNodes.node, node).reason).to.equal('NetworkUnavailableIsTrue');
      expect(conditionOf('PIDPressure', virtualNodes.node, node).status).to.equal('False');
    });

    it('take a node that says nothing of its readiness for none', () => {
      const silent = { ...memberNode('n1'), conditions: [] };
      expect(conditionOf('Ready', virtualNodes.node, silent).reason).to.equal('NoNode');
    });
  });
});

describe('conditionsToWrite', () => {
  const BEFORE = '2026-01-01T00:00:00Z';
  const NOW = '2026-01-01T00:10:00Z';
  const wanted = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'fine' }];
  const present = (changes: Partial<NodeCondition> = {}): readonly NodeCondition[] => [
    { ...wanted[0]!, lastHeartbeatTime: BEFORE, lastTransitionTime: BEFORE, ...changes },
    { type: 'KernelDeadlock', status: 'False' },
  ];
  const quiet = { now: NOW, heartbeatDue: false };

  it('writes nothing while nothing changes', () => {
    expect(conditionsToWrite(present(), wanted, quiet)).to.deep.equal([]);
  });

  it('moves only the heartbeat when one is due', () => {
    expect(conditionsToWrite(present(), wanted, { now: NOW, heartbeatDue: true })).to.deep.equal([
      { ...wanted[0], lastHeartbeatTime: NOW, lastTransitionTime: BEFORE },
    ]);
  });

  for (const [name, change] of [
    ['message', { message: 'other' }],
    ['reason', { reason: 'Other' }],
  ] as const) {
    it(`keeps the transition time when only the ${name} changes`, () => {
      const [written] = conditionsToWrite(present(change), wanted, quiet);
      expect(written).to.include({ lastHeartbeatTime: NOW, lastTransitionTime: BEFORE, message: 'fine' });
    });
  }

  it('moves the transition time when the status changes, for instance back from Unknown', () => {
    const [written] = conditionsToWrite(present({ status: 'Unknown', reason: 'NodeStatusUnknown' }), wanted, quiet);
    expect(written).to.include({ status: 'True', lastTransitionTime: NOW });
  });

  it('takes a missing reason or message for an empty one', () => {
    const bare = [{ type: 'Ready', status: 'True', lastTransitionTime: BEFORE }];
    const empty = { type: 'Ready', status: 'True', reason: '', message: '' };
    expect(conditionsToWrite(bare, [empty], quiet)).to.deep.equal([]);
    expect(conditionsToWrite([{ ...bare[0]!, reason: '' }], [{ ...empty, message: 'new' }], quiet)).to.have.lengthOf(1);
  });

  it('writes a condition that is missing or has no times', () => {
    const expected = { ...wanted[0], lastHeartbeatTime: NOW, lastTransitionTime: NOW };
    expect(conditionsToWrite([], wanted, quiet)).to.deep.equal([expected]);
    const timeless = [{ type: 'Ready', status: 'True' }];
    expect(conditionsToWrite(timeless, wanted, quiet)).to.deep.equal([expected]);
  });
});
