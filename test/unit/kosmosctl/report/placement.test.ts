import { expect } from 'chai';
import type { Event, Node, Pod, PodSpec, PodStatus } from '../../../../src/apis/core.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { explainPod, toleratesVirtualNodes, type PodFacts } from '../../../../src/kosmosctl/report/placement.js';

const TOLERATION = { key: 'kosmos.io/node', operator: 'Exists' };

function pod(
  parts: { spec?: Partial<PodSpec>; status?: PodStatus; uid?: string; namespace?: string; copyOf?: string } = {},
): Pod {
  const { uid = 'uid', namespace = 'default', copyOf } = parts;
  const annotations = copyOf === undefined ? {} : { 'kosmos.io/host-uid': copyOf };
  return {
    metadata: { name: 'web', namespace, uid, annotations },
    spec: { containers: [], nodeName: 'kosmos-member1', ...parts.spec },
    status: parts.status ?? { phase: 'Running' },
  };
}

const virtual: Node = {
  metadata: { name: 'kosmos-member1', labels: { 'kosmos.io/node': 'true', 'kosmos.io/cluster': 'member1' } },
};

function cluster(status: 'True' | 'False', reason = 'AllWell', message = ''): Cluster {
  const conditions = [{ type: 'Ready', status, reason, message, lastTransitionTime: '' }];
  return { metadata: { name: 'member1' }, spec: {}, status: { conditions } };
}

function facts(more: Partial<PodFacts> = {}): PodFacts {
  return {
    pod: pod(),
    node: virtual,
    cluster: cluster('True'),
    hasVirtualNodes: true,
    memberPod: pod({ uid: 'other', copyOf: 'uid' }),
    events: [],
    ...more,
  };
}

const warning = (reason: string, message: string): Event => ({
  metadata: {},
  involvedObject: {},
  ...{ type: 'Warning', reason, message },
});

const UNBOUND = { nodeName: undefined };

describe('explainPod', () => {
  const table: readonly (readonly [string, Partial<PodFacts>, string, readonly string[], string | undefined])[] = [
    ['a pod that runs', {}, 'it is Running in member1, as it should be', [], undefined],
    [
      'one that no node fits',
      {
        pod: pod({
          spec: { ...UNBOUND, tolerations: [TOLERATION] },
          status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] },
        }),
        node: undefined,
      },
      'it waits for a node',
      ['0/3 nodes are available'],
      undefined,
    ],
    [
      'one that does not tolerate virtual nodes',
      { pod: pod({ spec: UNBOUND }), node: undefined },
      'it waits for a node',
      ['the scheduler has not looked at it yet'],
      'tolerate the taint',
    ],
    [
      'one in a host without members',
      { pod: pod({ spec: UNBOUND }), node: undefined, hasVirtualNodes: false },
      'it waits for a node',
      ['the scheduler has not looked at it yet'],
      'kosmosctl join cluster',
    ],
    ['a node that is gone', { node: undefined }, 'it is bound to kosmos-member1, which does not exist', [], 'Delete'],
    [
      'a node of the host',
      { node: { metadata: { name: 'n' } } },
      'it runs on kosmos-member1, a node of the host itself',
      [],
      'select nodes',
    ],
    [
      'a Cluster that is gone',
      { cluster: undefined },
      'the Cluster member1 behind kosmos-member1 is gone',
      [],
      'Delete',
    ],
    [
      'a member that is away',
      { cluster: cluster('False', 'ProbeTimeout', 'no answer') },
      'its member member1 is not ready',
      ['ProbeTimeout: no answer'],
      'describe cluster member1',
    ],
    [
      'a member that nobody has looked at',
      { cluster: { metadata: { name: 'member1' }, spec: {} } },
      'its member member1 is not ready',
      ['no manager has looked at it'],
      'describe cluster',
    ],
    [
      'a reserved namespace',
      { pod: pod({ namespace: 'kube-system' }) },
      'pods of kube-system never run in members',
      [],
      'another namespace',
    ],
    [
      'a member that nobody may look into',
      { memberPod: undefined, memberProblem: 'forbidden' },
      'nobody could look into member1',
      ['forbidden'],
      undefined,
    ],
    [
      'a pod that the member refused',
      { memberPod: null, events: [warning('MemberRefusedPod', 'quota'), warning('MemberRefusedPod', 'quota')] },
      'it is not in member1 yet',
      ['MemberRefusedPod: quota'],
      undefined,
    ],
    ['a pod on its way', { memberPod: null }, 'it is not in member1 yet', [], 'log of the leader'],
    [
      'another pod of that name',
      { memberPod: pod({ uid: 'x' }) },
      'member1 has another pod of that name, which is not a copy of this one',
      [],
      'Rename',
    ],
    [
      'no room in the member',
      {
        memberPod: pod({
          copyOf: 'uid',
          status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: 'too small' }] },
        }),
      },
      'it is Pending in member1',
      ['too small'],
      undefined,
    ],
    [
      'an image that is not there',
      {
        memberPod: pod({
          copyOf: 'uid',
          status: {
            phase: 'Pending',
            containerStatuses: [
              {
                ...{ name: 'main', image: '', imageID: '', ready: false, restartCount: 0 },
                state: { waiting: { reason: 'ErrImagePull', message: 'not found' } },
              },
            ],
          },
        }),
      },
      'it is Pending in member1',
      ['main: ErrImagePull not found'],
      undefined,
    ],
    [
      'a status that is on its way',
      { pod: pod({ status: { phase: 'Pending' } }) },
      'it is Running in member1, which the host does not say yet',
      [],
      undefined,
    ],
  ];
  for (const [what, more, verdict, reasons, cure] of table) {
    it(`explains ${what}`, () => {
      const explanation = explainPod(facts(more));
      expect([explanation.verdict, explanation.reasons]).to.deep.equal([verdict, reasons]);
      if (cure === undefined) expect(explanation.cures).to.deep.equal([]);
      else expect(explanation.cures.join()).to.contain(cure);
    });
  }
});

describe('toleratesVirtualNodes', () => {
  const table: readonly (readonly [object, boolean])[] = [
    [{ key: 'kosmos.io/node', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: 'kosmos.io/node', operator: 'Equal', value: 'true', effect: 'NoSchedule' }, true],
    [{ key: 'kosmos.io/node', operator: 'Equal', value: 'false' }, false],
    [{ key: 'kosmos.io/node', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
  ];
  for (const [toleration, tolerated] of table) {
    it(`${JSON.stringify(toleration)}: ${tolerated ? 'yes' : 'no'}`, () => {
      expect(toleratesVirtualNodes(pod({ spec: { tolerations: [toleration] } }))).to.equal(tolerated);
    });
  }
});
