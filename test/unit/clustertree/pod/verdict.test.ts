import { expect } from 'chai';
import fc from 'fast-check';
import type { ObjectMeta, Pod } from '../../../../src/apis/core.js';
import { isLabelled } from '../../../../src/clustertree/cluster/ownership.js';
import { type Action, decidePod, hasRun, isTerminal, type PodState } from '../../../../src/clustertree/pod/verdict.js';
import { deepFreeze, hostPod, IDENTITY, MARKED, memberPod } from '../../../support/pods.js';

const TIME = '2026-01-01T00:00:00Z';
const UID: ObjectMeta = { uid: 'host-uid' };
const DELETED: ObjectMeta = { deletionTimestamp: TIME, deletionGracePeriodSeconds: 30 };

const host = (metadata: ObjectMeta = {}, phase = 'Pending'): Pod =>
  hostPod({ metadata: { ...UID, ...metadata }, status: { phase } });
const member = (metadata: ObjectMeta = {}, phase = 'Running'): Pod => {
  const pod = memberPod({ status: { phase } });
  return { ...pod, metadata: { ...pod.metadata, ...metadata } };
};
const foreign = memberPod({ metadata: { uid: 'foreign-uid', labels: { app: 'x' } } });
/** The copy of an earlier pod of this name. */
const earlier = (metadata: ObjectMeta = {}): Pod =>
  member({ uid: 'earlier-uid', annotations: { 'kosmos.io/host-uid': 'earlier-host-uid' }, ...metadata });

function decide(state: Partial<PodState>): Action {
  const whole = { identity: IDENTITY, hostSynced: true, memberSynced: true, onOurNode: true, namespaceAllowed: true };
  return decidePod(deepFreeze({ ...whole, ...state }));
}

/** What has to be right of the action; messages are for people. */
type Expected = Partial<Record<'kind' | 'uid' | 'gracePeriodSeconds' | 'reason' | 'disruption', unknown>>;

interface Row extends Partial<PodState> {
  readonly when: string;
  readonly then: Expected;
}

const NOTHING = { kind: 'nothing' };
const LOST = { kind: 'fail-host', reason: 'MemberPodLost', disruption: true };

const UNKNOWN: Row[] = [
  {
    when: 'the host is not synced',
    hostSynced: false,
    hostPod: host(),
    then: { kind: 'wait', reason: 'HostNotSynced' },
  },
  { when: 'the host is not synced and shows no pod', hostSynced: false, memberPod: member(), then: { kind: 'wait' } },
  {
    when: 'the member is not synced',
    memberSynced: false,
    hostPod: host(),
    then: { kind: 'wait', reason: 'MemberNotSynced' },
  },
  {
    when: 'the member is not synced and the host pod is deleted',
    memberSynced: false,
    hostPod: host(DELETED),
    then: { kind: 'wait' },
  },
  {
    when: 'a create was answered and the cache lags',
    createPending: true,
    hostPod: host(),
    then: { kind: 'wait', reason: 'CreatePending' },
  },
  {
    when: 'a create was answered, the cache lags and the host pod is deleted',
    createPending: true,
    hostPod: host(DELETED),
    then: { kind: 'wait', reason: 'CreatePending' },
  },
  {
    when: 'the copy is there but its node is not known as ours',
    onOurNode: false,
    hostPod: host(),
    memberPod: member(),
    then: { kind: 'wait', reason: 'NodeUnknown' },
  },
];

const NO_HOST: Row[] = [
  { when: 'neither pod exists', then: NOTHING },
  { when: 'only a foreign pod exists', memberPod: foreign, hostLive: true, then: NOTHING },
  { when: 'only a copy exists', memberPod: member(), then: { kind: 'confirm-orphan' } },
  {
    when: 'only a copy exists, confirmed',
    memberPod: member(),
    hostLive: true,
    then: { kind: 'delete-member', uid: 'member-uid' },
  },
  { when: 'only a copy exists and is ending', memberPod: member(DELETED), hostLive: true, then: NOTHING },
];

const ELSEWHERE: Row[] = [
  { when: 'the pod is bound to another node', onOurNode: false, hostPod: host(), then: NOTHING },
  {
    when: 'it is bound to another node and a foreign pod is here',
    onOurNode: false,
    hostPod: host(),
    memberPod: foreign,
    then: NOTHING,
  },
  {
    when: 'it moved elsewhere and an earlier copy is here',
    onOurNode: false,
    hostPod: host(),
    memberPod: earlier(),
    then: { kind: 'confirm-orphan' },
  },
  {
    when: 'it moved elsewhere and an earlier copy is here, confirmed',
    onOurNode: false,
    hostPod: host(),
    memberPod: earlier(),
    hostLive: true,
    then: { kind: 'delete-member', uid: 'earlier-uid' },
  },
];

const EARLIER: Row[] = [
  { when: 'an earlier copy is in the way', hostPod: host(), memberPod: earlier(), then: { kind: 'confirm-orphan' } },
  {
    when: 'an earlier copy is in the way, confirmed',
    hostPod: host(),
    memberPod: earlier(),
    hostLive: true,
    then: { kind: 'delete-member', uid: 'earlier-uid' },
  },
  {
    when: 'an earlier copy is ending',
    hostPod: host(),
    memberPod: earlier(DELETED),
    hostLive: true,
    then: { kind: 'wait', reason: 'MemberDeleting' },
  },
  {
    when: 'an earlier copy is in the way of a pod that is deleted',
    hostPod: host(DELETED),
    memberPod: earlier(),
    then: { kind: 'confirm-orphan' },
  },
];

const RUNNING: Row[] = [
  { when: 'the pod is new', hostPod: host(), then: { kind: 'create' } },
  {
    when: 'the pod is new and its namespace may not run here',
    hostPod: host(),
    namespaceAllowed: false,
    then: { kind: 'refuse', reason: 'NamespaceNotAllowed' },
  },
  {
    when: 'a foreign pod has its name',
    hostPod: host(),
    memberPod: foreign,
    then: { kind: 'foreign', reason: 'ForeignPod' },
  },
  { when: 'the copy is there', hostPod: host(), memberPod: member(), then: { kind: 'update' } },
  {
    when: 'the recorded copy is there',
    hostPod: host(MARKED, 'Running'),
    memberPod: member(),
    then: { kind: 'update' },
  },
  {
    when: 'the copy is there and its namespace may no longer run here',
    hostPod: host(MARKED, 'Running'),
    memberPod: member(),
    namespaceAllowed: false,
    then: { kind: 'update' },
  },
  {
    when: 'the copy has ended',
    hostPod: host(MARKED, 'Running'),
    memberPod: member({}, 'Succeeded'),
    then: { kind: 'status' },
  },
  {
    when: 'somebody deletes the copy',
    hostPod: host(MARKED, 'Running'),
    memberPod: member(DELETED),
    then: { kind: 'status' },
  },
  { when: 'the copy has vanished', hostPod: host(MARKED, 'Running'), then: { kind: 'confirm-lost' } },
  { when: 'the copy has vanished, confirmed', hostPod: host(MARKED, 'Running'), memberLive: true, then: LOST },
  {
    when: 'the copy has vanished and a foreign pod has its name',
    hostPod: host(MARKED, 'Running'),
    memberPod: foreign,
    memberLive: true,
    then: LOST,
  },
  {
    when: 'another pod with our marks is in the place of the recorded copy',
    hostPod: host(MARKED, 'Running'),
    memberPod: member({ uid: 'impostor-uid' }),
    then: LOST,
  },
];

const TERMINATING: Row[] = [
  {
    when: 'it is deleted',
    hostPod: host(DELETED),
    memberPod: member(),
    then: { kind: 'delete-member', uid: 'member-uid', gracePeriodSeconds: 30 },
  },
  {
    when: 'it is deleted without a grace period',
    hostPod: host({ deletionTimestamp: TIME }),
    memberPod: member(),
    then: { kind: 'delete-member', uid: 'member-uid', gracePeriodSeconds: undefined },
  },
  { when: 'the copy is ending too', hostPod: host(DELETED), memberPod: member(DELETED), then: { kind: 'status' } },
  {
    when: 'the grace period was shortened since',
    hostPod: host({ ...DELETED, deletionGracePeriodSeconds: 1 }),
    memberPod: member(DELETED),
    then: { kind: 'delete-member', uid: 'member-uid', gracePeriodSeconds: 1 },
  },
  {
    when: 'the copy ends sooner by itself',
    hostPod: host(DELETED),
    memberPod: member({ ...DELETED, deletionGracePeriodSeconds: 5 }),
    then: { kind: 'status' },
  },
  { when: 'the copy is gone', hostPod: host(DELETED), then: { kind: 'delete-host', uid: 'host-uid' } },
  {
    when: 'a foreign pod has its name',
    hostPod: host(DELETED),
    memberPod: foreign,
    then: { kind: 'delete-host', uid: 'host-uid' },
  },
  {
    when: 'it was never made and its namespace may not run here',
    hostPod: host(DELETED),
    namespaceAllowed: false,
    then: { kind: 'delete-host', uid: 'host-uid' },
  },
  {
    when: 'somebody waits for the outcome, and the copy is gone',
    hostPod: host({ ...DELETED, finalizers: ['batch.kubernetes.io/job-tracking'] }, 'Running'),
    then: { kind: 'fail-host', reason: 'MemberPodLost', disruption: false },
  },
  {
    when: 'somebody waits and the outcome is known',
    hostPod: host({ ...DELETED, finalizers: ['x/y'] }, 'Succeeded'),
    then: { kind: 'delete-host', uid: 'host-uid' },
  },
  {
    when: 'it only waits for finalizers',
    hostPod: host({ ...DELETED, deletionGracePeriodSeconds: 0, finalizers: ['x/y'] }, 'Failed'),
    then: NOTHING,
  },
];

const TERMINAL: Row[] = ['Succeeded', 'Failed'].flatMap((phase): Row[] => [
  { when: `it has ${phase} and has no copy`, hostPod: host(MARKED, phase), then: NOTHING },
  {
    when: `it has ${phase} and a foreign pod has its name`,
    hostPod: host({}, phase),
    memberPod: foreign,
    then: NOTHING,
  },
  {
    when: `it has ${phase} and the copy too`,
    hostPod: host({}, phase),
    memberPod: member({}, phase),
    then: { kind: 'status' },
  },
  {
    when: `it has ${phase} and the copy ended otherwise`,
    hostPod: host({}, phase),
    memberPod: member({}, phase === 'Failed' ? 'Succeeded' : 'Failed'),
    then: NOTHING,
  },
  {
    when: `it has ${phase} and the copy still runs`,
    hostPod: host({}, phase),
    memberPod: member(),
    then: { kind: 'delete-member', uid: 'member-uid' },
  },
  {
    when: `it has ${phase} and the copy is ending`,
    hostPod: host({}, phase),
    memberPod: member(DELETED),
    then: NOTHING,
  },
]);

describe('decidePod', () => {
  const groups: [string, Row[]][] = [
    ['while something is unknown', UNKNOWN],
    ['without a host pod', NO_HOST],
    ['for a pod that runs elsewhere', ELSEWHERE],
    ['for a copy of an earlier pod', EARLIER],
    ['for a running pod', RUNNING],
    ['for a pod that is being deleted', TERMINATING],
    ['for a pod that has ended', TERMINAL],
  ];
  for (const [group, rows] of groups) {
    describe(group, () => {
      for (const { when, then, ...state } of rows) {
        it(`says ${String(then.kind)} when ${when}`, () => {
          const action = decide(state) as Expected;
          const found = Object.fromEntries(Object.keys(then).map((key) => [key, action[key as keyof Expected]]));
          expect(found).to.deep.equal(then);
        });
      }
    });
  }

  it('gives an orphan its own grace period', () => {
    expect(decide({ memberPod: member(), hostLive: true })).not.to.have.property('gracePeriodSeconds');
  });

  for (const state of [
    { hostPod: host(), memberPod: foreign },
    { hostPod: host(), namespaceAllowed: false },
    { hostPod: host(MARKED), memberLive: true },
  ]) {
    it(`explains ${decide(state).kind} to people`, () => {
      const action = decide(state);
      expect(action)
        .to.have.property('message')
        .that.matches(/member cluster.*\./i);
    });
  }

  it('survives pods without metadata', () => {
    expect(decide({ hostPod: {} })).to.deep.equal({ kind: 'create' });
    expect(decide({ hostPod: { metadata: { deletionTimestamp: TIME } } })).to.deep.equal({
      kind: 'delete-host',
      uid: '',
    });
    const nameless = memberPod({ metadata: { uid: undefined } });
    expect(decide({ memberPod: nameless, hostLive: true })).to.deep.equal({ kind: 'delete-member', uid: '' });
    expect(decide({ memberPod: {} })).to.deep.equal(NOTHING);
  });
});

describe('isLabelled', () => {
  it('wants both marks', () => {
    expect(isLabelled(memberPod(), IDENTITY)).to.be.true;
    expect(isLabelled(memberPod(), { ...IDENTITY, clusterName: 'member2' })).to.be.false;
    expect(isLabelled(memberPod(), { ...IDENTITY, hostClusterUid: 'other' })).to.be.false;
    expect(isLabelled(foreign, IDENTITY)).to.be.false;
  });
});

describe('hasRun', () => {
  const APP = { name: 'app', image: 'i', imageID: 'i', ready: false, restartCount: 0 };
  const rows: [string, Pod, boolean][] = [
    ['a new pod', hostPod(), false],
    ['a bound pod', hostPod({ status: { phase: 'Pending', conditions: [] } }), false],
    ['a recorded copy', host(MARKED), true],
    ['a start time', hostPod({ status: { phase: 'Pending', startTime: TIME } }), true],
    ['another phase', host({}, 'Running'), true],
    ['statuses of containers', hostPod({ status: { containerStatuses: [APP] } }), true],
    ['no statuses of containers', hostPod({ status: { containerStatuses: [] } }), false],
  ];
  for (const [name, pod, ran] of rows) {
    it(`is ${ran} for ${name}`, () => {
      expect(hasRun(pod)).to.equal(ran);
    });
  }
});

describe('isTerminal', () => {
  for (const [phase, terminal] of [
    ['Pending', false],
    ['Running', false],
    ['Unknown', false],
    ['Succeeded', true],
    ['Failed', true],
  ] as const) {
    it(`is ${terminal} for ${phase}`, () => {
      expect(isTerminal(host({}, phase))).to.equal(terminal);
    });
  }
});

describe('decidePod in any state', () => {
  const phase = fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed');
  const deletion = fc.constantFrom({}, DELETED, { ...DELETED, deletionGracePeriodSeconds: 0 });
  const marks = fc.constantFrom<ObjectMeta>({}, MARKED, { annotations: { 'kosmos.io/member-uid': 'other' } });
  const hosts = fc
    .tuple(marks, deletion, phase, fc.constantFrom<ObjectMeta>({}, { finalizers: ['x/y'] }))
    .map(([mark, deleted, is, held]) => host({ ...mark, ...deleted, ...held }, is));
  const copies = fc.tuple(deletion, phase).map(([deleted, is]) => member(deleted, is));
  const members = fc.oneof(copies, fc.constant(foreign), fc.constant(earlier()), fc.constant(earlier(DELETED)));
  const states: fc.Arbitrary<PodState> = fc.record({
    identity: fc.constant(IDENTITY),
    hostPod: fc.option(hosts, { nil: undefined }),
    memberPod: fc.option(members, { nil: undefined }),
    hostSynced: fc.boolean(),
    memberSynced: fc.boolean(),
    hostLive: fc.boolean(),
    memberLive: fc.boolean(),
    createPending: fc.boolean(),
    onOurNode: fc.boolean(),
    namespaceAllowed: fc.boolean(),
  });

  function always(name: string, holds: (action: Action, state: PodState) => boolean): void {
    it(name, () => {
      fc.assert(
        fc.property(states, (state) => holds(decidePod(state), state)),
        { numRuns: 3000 },
      );
    });
  }

  always('creates nothing for a pod that has run, has ended or is being deleted', (action, { hostPod: pod }) => {
    if (action.kind !== 'create') return true;
    return pod !== undefined && !hasRun(pod) && !isTerminal(pod) && !pod.metadata?.deletionTimestamp;
  });

  always('creates nothing where a pod is, nor where one may be', (action, state) => {
    return action.kind !== 'create' || (!state.memberPod && !state.createPending && state.onOurNode);
  });

  always('deletes no foreign pod, and only the pod that it saw', (action, { memberPod: pod }) => {
    if (action.kind !== 'delete-member') return true;
    return pod !== undefined && pod !== foreign && pod.metadata?.uid === action.uid;
  });

  always('deletes and fails nothing while a side is unknown', (action, state) => {
    return (state.hostSynced && state.memberSynced) || action.kind === 'wait';
  });

  always('deletes no member pod without a word of the host', (action, { hostPod: pod, hostLive }) => {
    if (action.kind !== 'delete-member') return true;
    const isOver = pod !== undefined && (isTerminal(pod) || !!pod.metadata?.deletionTimestamp);
    return hostLive === true || isOver;
  });

  always(
    'deletes only host pods that are being deleted and have no copy',
    (action, { hostPod: pod, memberPod: copy }) => {
      if (action.kind !== 'delete-host') return true;
      return !!pod?.metadata?.deletionTimestamp && action.uid === pod.metadata.uid && (!copy || copy === foreign);
    },
  );

  always('fails no host pod that has ended', (action, { hostPod: pod }) => {
    return action.kind !== 'fail-host' || (pod !== undefined && !isTerminal(pod));
  });

  always('touches nothing of a host pod that runs elsewhere', (action, { onOurNode }) => {
    return onOurNode || ['nothing', 'wait', 'confirm-orphan', 'delete-member'].includes(action.kind);
  });
});
