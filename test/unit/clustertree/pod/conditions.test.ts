import { expect } from 'chai';
import type { PodCondition } from '../../../../src/apis/core.js';
import { conditionOf, mergeConditions } from '../../../../src/clustertree/pod/conditions.js';
import { condition, deepFreeze, hostPod, memberPod, type PodParts } from '../../../support/pods.js';

const T1 = '2026-01-01T00:00:01Z';
const T2 = '2026-01-01T00:00:02Z';
const GATE = 'example.org/gate';

interface Case {
  readonly host?: readonly PodCondition[];
  readonly member?: readonly PodCondition[];
  readonly gates?: readonly string[];
  readonly inStep?: boolean;
  readonly generation?: number | undefined;
}

function merge({ host = [], member = [], gates = [], inStep = true, generation }: Case): readonly PodCondition[] {
  const hostParts: PodParts = {
    metadata: { uid: 'host-uid', generation },
    spec: { readinessGates: gates.map((conditionType) => ({ conditionType })) },
    status: { conditions: host },
  };
  const memberParts = { status: { conditions: member } };
  return mergeConditions(deepFreeze(hostPod(hostParts)), deepFreeze(memberPod(memberParts)), { inStep });
}

function one(input: Case, type: string): PodCondition | undefined {
  return merge(input).find((found) => found.type === type);
}

describe('mergeConditions: whose condition it is', () => {
  for (const type of [
    'Initialized',
    'ContainersReady',
    'PodReadyToStartContainers',
    'PodResizePending',
    'PodResizeInProgress',
    'AllContainersRestarting',
    'ConditionOf2030',
  ]) {
    it(`mirrors ${type} of the member's kubelet`, () => {
      const found = condition(type, 'True', { reason: 'R', message: 'm', lastTransitionTime: T1 });
      expect(one({ member: [found] }, type)).to.deep.equal(found);
    });
  }

  for (const type of ['PodResizePending', 'PodResizeInProgress', 'Ready', 'kosmos.io/MemberScheduled']) {
    it(`removes ${type} when the member pod has it no longer`, () => {
      expect(merge({ host: [condition(type, 'True')] })).to.deep.equal([]);
    });
  }

  it("keeps the host's own PodScheduled", () => {
    const own = condition('PodScheduled', 'True', { lastTransitionTime: T1 });
    const input = { host: [own], member: [condition('PodScheduled', 'True', { lastTransitionTime: T2 })] };
    expect(merge(input)).to.deep.equal([own]);
  });

  it('keeps the conditions of readiness gates, also when the member has such a type', () => {
    const own = condition(GATE, 'True');
    expect(one({ host: [own], member: [condition(GATE, 'False')], gates: [GATE] }, GATE)).to.deep.equal(own);
    const plain = { member: [condition('Plain', 'True')], gates: ['Plain'] };
    expect(one(plain, 'Plain')).to.be.undefined;
  });

  it('keeps conditions of others in the host and takes none of others in the member', () => {
    const own = condition('example.org/a', 'True');
    expect(merge({ host: [own], member: [condition('example.org/b', 'True')] })).to.deep.equal([own]);
  });

  it('keeps a disruption that was set in the host', () => {
    const own = condition('DisruptionTarget', 'True', { reason: 'EvictionByEvictionAPI' });
    const other = condition('DisruptionTarget', 'True', { reason: 'TerminationByKubelet' });
    expect(merge({ host: [own], member: [other] })).to.deep.equal([own]);
  });

  it("mirrors a disruption of the member, also over one of the host that didn't come about", () => {
    const other = condition('DisruptionTarget', 'True', { reason: 'TerminationByKubelet' });
    expect(merge({ member: [other] })).to.deep.equal([other]);
    expect(merge({ host: [condition('DisruptionTarget', 'False')], member: [other] })).to.deep.equal([other]);
  });

  it('keeps the order of the host pod and puts new ones last', () => {
    const host = [condition('ContainersReady', 'True'), condition('PodScheduled', 'True')];
    const member = [condition('Initialized', 'True'), condition('ContainersReady', 'True'), condition('Ready', 'True')];
    expect(merge({ host, member }).map(({ type }) => type)).to.deep.equal([
      'ContainersReady',
      'PodScheduled',
      'Initialized',
      'Ready',
    ]);
  });

  it('works without any status', () => {
    expect(mergeConditions({}, {}, { inStep: true })).to.deep.equal([]);
  });
});

describe('mergeConditions: a member pod that waits for a place', () => {
  const waiting = condition('PodScheduled', 'False', {
    reason: 'Unschedulable',
    message: '0/3 nodes',
    lastTransitionTime: T1,
  });

  it("shows the member scheduler's reason", () => {
    expect(merge({ member: [waiting] })).to.deep.equal([{ ...waiting, type: 'kosmos.io/MemberScheduled' }]);
  });

  it('forgets it once there is a place', () => {
    const host = [{ ...waiting, type: 'kosmos.io/MemberScheduled' }];
    expect(merge({ host, member: [condition('PodScheduled', 'True')] })).to.deep.equal([]);
  });
});

describe('mergeConditions: Ready', () => {
  it("is the member's when there are no gates", () => {
    const ready = condition('Ready', 'True', { lastTransitionTime: T1 });
    expect(one({ member: [ready] }, 'Ready')).to.deep.equal(ready);
  });

  it('follows ContainersReady when the member has no Ready', () => {
    const ready = condition('ContainersReady', 'True', { lastTransitionTime: T1 });
    expect(one({ member: [ready] }, 'Ready')).to.deep.equal({ ...ready, type: 'Ready' });
  });

  it("is False when the member's node controller says so, although containers and gates are fine", () => {
    const member = [condition('ContainersReady', 'True'), condition('Ready', 'False', { reason: 'NodeNotReady' })];
    const input = { member, gates: [GATE], host: [condition(GATE, 'True')] };
    expect(one(input, 'Ready')).to.include({ status: 'False', reason: 'NodeNotReady' });
  });

  it('repairs what the host said while the member was away', () => {
    const host = [condition('Ready', 'False', { lastTransitionTime: T2 })];
    const member = [condition('Ready', 'True', { lastTransitionTime: T1 })];
    expect(one({ host, member }, 'Ready')).to.deep.equal(condition('Ready', 'True', { lastTransitionTime: T1 }));
  });

  const ready = [condition('Ready', 'True', { lastTransitionTime: T1 })];
  const gateRows: [string, PodCondition[], object][] = [
    [
      'has no condition yet',
      [],
      {
        status: 'False',
        reason: 'ReadinessGatesNotReady',
        message: `corresponding condition of pod readiness gate "${GATE}" does not exist.`,
      },
    ],
    [
      'is not True',
      [condition(GATE, 'Unknown')],
      {
        status: 'False',
        reason: 'ReadinessGatesNotReady',
        message: `the status of pod readiness gate "${GATE}" is not "True", but Unknown`,
      },
    ],
    ['is True', [condition(GATE, 'True')], { status: 'True' }],
  ];
  for (const [name, host, expected] of gateRows) {
    it(`is ${JSON.stringify(expected)} when a gate ${name}`, () => {
      expect(one({ host, member: ready, gates: [GATE] }, 'Ready')).to.deep.include(expected);
    });
  }

  it('names every gate that is missing', () => {
    const message = one({ member: ready, gates: ['a/b', 'c/d'] }, 'Ready')?.message;
    expect(message).to.contain('"a/b"').and.contain('"c/d"').and.contain(', ');
  });

  it('changes at the time of the latest gate', () => {
    const host = [condition(GATE, 'True', { lastTransitionTime: T2 })];
    expect(one({ host, member: ready, gates: [GATE] }, 'Ready')?.lastTransitionTime).to.equal(T2);
  });
});

describe('mergeConditions: times and generations', () => {
  it('keeps the time of the last transition while the status stays', () => {
    const host = [condition('ContainersReady', 'False', { lastTransitionTime: T1, reason: 'Old' })];
    const member = [condition('ContainersReady', 'False', { lastTransitionTime: T2, reason: 'New' })];
    expect(one({ host, member }, 'ContainersReady')).to.include({ lastTransitionTime: T1, reason: 'New' });
  });

  it('takes the time of the member when the status changes, or when the host has none', () => {
    const member = [condition('ContainersReady', 'True', { lastTransitionTime: T2 })];
    for (const host of [
      [condition('ContainersReady', 'False', { lastTransitionTime: T1 })],
      [{ type: 'ContainersReady', status: 'True' }],
    ]) {
      expect(one({ host, member }, 'ContainersReady')?.lastTransitionTime).to.equal(T2);
    }
  });

  it("says the host pod's generation when the member is in step", () => {
    const member = [condition('Initialized', 'True', { observedGeneration: 1 })];
    expect(one({ member, generation: 5 }, 'Initialized')?.observedGeneration).to.equal(5);
  });

  it('says the generation that it said before while it is not', () => {
    const member = [condition('Initialized', 'True', { observedGeneration: 9 })];
    const host = [condition('Initialized', 'True', { observedGeneration: 4 })];
    expect(one({ host, member, generation: 5, inStep: false }, 'Initialized')?.observedGeneration).to.equal(4);
    expect(one({ member, generation: 5, inStep: false }, 'Initialized')).not.to.have.property('observedGeneration');
  });

  it('says none for a host that counts no generations', () => {
    const member = [condition('Initialized', 'True', { observedGeneration: 1 })];
    expect(one({ member }, 'Initialized')).not.to.have.property('observedGeneration');
  });

  it('leaves out the probe time, which nobody writes', () => {
    const member = [condition('Initialized', 'True', { lastProbeTime: T1 })];
    expect(one({ member }, 'Initialized')).not.to.have.property('lastProbeTime');
  });
});

describe('conditionOf', () => {
  it('finds a condition by its type', () => {
    const found = condition('Ready', 'True');
    expect(conditionOf(hostPod({ status: { conditions: [condition('A', 'True'), found] } }), 'Ready')).to.equal(found);
    expect(conditionOf(hostPod(), 'Ready')).to.be.undefined;
  });
});
