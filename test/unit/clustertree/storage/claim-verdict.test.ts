import { expect } from 'chai';
import type { Claim, PersistentVolume } from '../../../../src/apis/core.js';
import {
  HOST_UID_ANNOTATION,
  ONE_WAY_ANNOTATION,
  RECLAIM_POLICY_ANNOTATION,
  SELECTED_NODE_ANNOTATION,
} from '../../../../src/apis/names.js';
import type { ClaimAction } from '../../../../src/clustertree/storage/claim-action.js';
import type { ClaimState } from '../../../../src/clustertree/storage/claim-state.js';
import { decideClaim } from '../../../../src/clustertree/storage/claim-verdict.js';
import {
  boundClaim,
  chosenClaim,
  claimState,
  copyVolume,
  hostClaim,
  hostVolume,
  MEMBER_VOLUME,
  memberClaim,
  memberVolume,
  namedVolume,
  plainVolume,
  reachableVolume,
} from '../../../support/storage-objects.js';

const DELETED = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const NOTHING = { kind: 'nothing' };
const EAGER = { memberClass: { volumeBindingMode: 'Immediate' } };
const PENDING = { phase: 'Pending' };
const FOREIGN = { metadata: { labels: {}, annotations: {} } };

/** What has to be right of the action; messages are for people. */
interface Row extends Partial<ClaimState> {
  readonly when: string;
  readonly then: Readonly<Record<string, unknown>>;
}

function check(rows: readonly Row[]): void {
  for (const { when, then, ...state } of rows) {
    const { kind, ...details } = then;
    it(`${String(kind)} when ${when}`, () => {
      const action = decideClaim(claimState(state));
      expect(action).to.deep.include({ kind, ...details });
    });
  }
}

/** A claim of the member that was made for an earlier claim of the name. */
const earlier = (more: Parameters<typeof memberClaim>[0] = {}): Claim =>
  memberClaim({ ...more, metadata: { annotations: { [HOST_UID_ANNOTATION]: 'earlier-uid' }, ...more.metadata } });
const bound = { hostClaim: boundClaim(), hostVolume: namedVolume() };
const kept = memberVolume({ spec: { persistentVolumeReclaimPolicy: 'Retain' } });
const released = (policy: string, claimRef: object): PersistentVolume =>
  memberVolume({ status: { phase: 'Released' }, spec: { persistentVolumeReclaimPolicy: policy, claimRef } });
const mine = { namespace: 'shop', name: 'data', uid: 'copy-uid' };
const others = { namespace: 'shop', name: 'other', uid: 'x' };

describe('decideClaim: unknown is not absent', () => {
  check([
    {
      when: 'the host is not synced',
      hostSynced: false,
      memberClaim: memberClaim(),
      then: { kind: 'wait', reason: 'HostNotSynced' },
    },
    {
      when: 'the member is not synced',
      memberSynced: false,
      ...bound,
      then: { kind: 'wait', reason: 'MemberNotSynced' },
    },
    {
      when: 'the volume of the host claim is not known yet',
      hostClaim: boundClaim(),
      memberClaim: memberClaim(),
      then: NOTHING,
    },
    {
      when: 'the volume of the host claim is for another claim',
      hostClaim: boundClaim(),
      hostVolume: hostVolume({ spec: { claimRef: { uid: 'other' } } }),
      memberClaim: memberClaim(),
      then: NOTHING,
    },
    { when: 'there is nothing anywhere', then: NOTHING },
  ]);
});

describe('decideClaim: orphans', () => {
  check([
    { when: 'the host has no such claim', memberClaim: memberClaim(), then: { kind: 'confirm-host' } },
    {
      when: 'the host has been asked and has none',
      memberClaim: memberClaim(),
      memberVolume: memberVolume(),
      hostLive: true,
      then: { kind: 'delete-member-claim', uid: 'copy-uid' },
    },
    {
      when: 'an orphan is being deleted',
      memberClaim: memberClaim({ metadata: DELETED }),
      then: { kind: 'wait', reason: 'MemberDeleting' },
    },
    {
      when: 'the claim in the member was made for an earlier one, which is asked for',
      ...bound,
      memberClaim: earlier(),
      then: { kind: 'confirm-host' },
    },
    {
      when: 'the claim in the member was made for an earlier one',
      ...bound,
      memberClaim: earlier({ metadata: { annotations: { [HOST_UID_ANNOTATION]: 'earlier-uid' }, uid: 'old' } }),
      hostLive: true,
      then: { kind: 'delete-member-claim', uid: 'old' },
    },
    {
      when: 'what has the name belongs to somebody else',
      memberClaim: memberClaim(FOREIGN),
      hostLive: true,
      then: NOTHING,
    },
    {
      when: 'the scheduler has chosen a node of another member',
      hostClaim: chosenClaim({}, 'kosmos-member2'),
      memberClaim: memberClaim(),
      hostLive: true,
      then: { kind: 'delete-member-claim' },
    },
    {
      when: 'the volume is in another member',
      hostClaim: boundClaim(),
      hostVolume: hostVolume({ spec: { csi: { driver: 'member.kosmos.io', volumeHandle: 'member2/x' } } }),
      memberClaim: memberClaim(),
      hostLive: true,
      then: { kind: 'delete-member-claim' },
    },
  ]);

  describe('whose data is to be kept', () => {
    const orphan = { memberClaim: memberClaim(), memberVolume: memberVolume(), hostLive: true };
    const recorded = memberClaim({ metadata: { annotations: { [RECLAIM_POLICY_ANNOTATION]: 'Retain' } } });
    check([
      {
        when: 'the volume of the host says Retain',
        ...orphan,
        lastVolume: namedVolume({ spec: { persistentVolumeReclaimPolicy: 'Retain' } }),
        then: { kind: 'set-policy', policy: 'Retain' },
      },
      {
        when: 'the volume of the host is gone and Retain is on record',
        ...orphan,
        memberClaim: recorded,
        then: { kind: 'set-policy', policy: 'Retain' },
      },
      {
        when: 'the policy is set',
        ...orphan,
        memberClaim: recorded,
        memberVolume: kept,
        then: { kind: 'delete-member-claim' },
      },
      {
        when: 'the host now says Delete',
        ...orphan,
        memberClaim: recorded,
        memberVolume: kept,
        lastVolume: namedVolume(),
        then: { kind: 'set-policy', policy: 'Delete' },
      },
      {
        when: 'the member says Retain and both have never agreed',
        ...orphan,
        memberVolume: kept,
        lastVolume: hostVolume(),
        then: { kind: 'delete-member-claim' },
      },
      {
        when: 'it has no volume yet',
        ...orphan,
        memberClaim: { ...recorded, status: PENDING },
        memberVolume: undefined,
        then: { kind: 'delete-member-claim' },
      },
      {
        when: 'it is a one-way copy',
        ...orphan,
        memberClaim: memberClaim({ metadata: { annotations: { [ONE_WAY_ANNOTATION]: 'true' } } }),
        lastVolume: reachableVolume(),
        memberVolume: copyVolume({ spec: { persistentVolumeReclaimPolicy: 'Retain' } }),
        then: { kind: 'delete-member-claim' },
      },
    ]);
  });
});

describe('decideClaim: a node is chosen', () => {
  const chosen = { hostClaim: chosenClaim() };
  check([
    { when: 'nobody has chosen', hostClaim: hostClaim(), then: NOTHING },
    { when: 'the class waits for pods', ...chosen, then: { kind: 'create-host-volume', node: 'kosmos-member1' } },
    { when: 'somebody else makes the volumes of the class', ...chosen, service: { kind: 'other' }, then: NOTHING },
    {
      when: 'something in the host serves a mapped class',
      ...chosen,
      service: { kind: 'contested', message: 'no' },
      then: { kind: 'report', reason: 'ProvisioningFailed', message: 'no' },
    },
    {
      when: 'the volume is made and not bound yet',
      ...chosen,
      madeVolume: hostVolume(),
      then: { kind: 'wait', reason: 'HostBinding' },
    },
    {
      when: 'the member has no such class',
      ...chosen,
      memberClass: undefined,
      then: { kind: 'reject', reason: 'ProvisioningFailed' },
    },
    {
      when: 'somebody else has the name',
      ...chosen,
      memberClaim: memberClaim(FOREIGN),
      then: { kind: 'report', reason: 'ForeignClaim' },
    },
    {
      when: 'the claim is being deleted',
      hostClaim: chosenClaim({
        metadata: { ...DELETED, annotations: { [SELECTED_NODE_ANNOTATION]: 'kosmos-member1' } },
      }),
      then: NOTHING,
    },
    {
      when: 'the class does not wait for pods',
      ...chosen,
      ...EAGER,
      then: { kind: 'create-member-claim', memberClass: 'fast' },
    },
    {
      when: 'the member is making the volume',
      ...chosen,
      ...EAGER,
      memberClaim: memberClaim({ status: PENDING }),
      then: { kind: 'wait', reason: 'MemberPending' },
    },
    {
      when: 'the claim in the member goes',
      ...chosen,
      ...EAGER,
      memberClaim: memberClaim({ metadata: DELETED }),
      then: { kind: 'wait', reason: 'MemberDeleting' },
    },
    {
      when: 'the member has made the volume',
      ...chosen,
      ...EAGER,
      memberClaim: memberClaim(),
      memberVolume: memberVolume(),
      then: { kind: 'create-host-volume', node: 'kosmos-member1', memberVolume: memberVolume() },
    },
  ]);

  describe('with data to begin with', () => {
    const clone = (namespace?: string): Claim =>
      chosenClaim({
        spec: { dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'old', ...(namespace && { namespace }) } },
      });
    const snapshot = chosenClaim({ spec: { dataSource: { kind: 'VolumeSnapshot', name: 'monday' } } });
    const failed = { kind: 'report', reason: 'ProvisioningFailed' };
    check([
      { when: 'it is a snapshot, which the host has', hostClaim: snapshot, then: failed },
      {
        when: 'it is a claim of another namespace',
        hostClaim: clone('else'),
        sourceVolume: hostVolume(),
        then: failed,
      },
      { when: 'it is a claim that nobody knows', hostClaim: clone(), then: failed },
      { when: 'it is a claim in the host', hostClaim: clone(), sourceVolume: plainVolume(), then: failed },
      {
        when: 'it is a claim in this member',
        hostClaim: clone(),
        sourceVolume: hostVolume(),
        then: { kind: 'create-host-volume' },
      },
      { when: 'volumes are selected by labels', hostClaim: chosenClaim({ spec: { selector: {} } }), then: failed },
    ]);
  });
});

describe('decideClaim: bound to a volume of the member', () => {
  check([
    {
      when: 'the member has nothing yet',
      hostClaim: boundClaim(),
      hostVolume: hostVolume(),
      then: { kind: 'create-member-claim', memberClass: 'fast' },
    },
    {
      when: 'the member has no such class any more',
      hostClaim: boundClaim(),
      hostVolume: hostVolume(),
      memberClass: undefined,
      then: { kind: 'report', reason: 'ProvisioningFailed' },
    },
    { when: 'the member leaves', hostClaim: boundClaim(), hostVolume: hostVolume(), leaving: true, then: NOTHING },
    {
      when: 'the host claim goes',
      hostClaim: boundClaim({ metadata: DELETED }),
      hostVolume: hostVolume(),
      then: NOTHING,
    },
    {
      when: 'somebody else has the name',
      ...bound,
      memberClaim: memberClaim(FOREIGN),
      then: { kind: 'report', reason: 'ForeignClaim' },
    },
    { when: 'the member has it', ...bound, memberClaim: memberClaim(), then: { kind: 'sync' } },
    {
      when: 'the claim in the member goes',
      ...bound,
      memberClaim: memberClaim({ metadata: DELETED }),
      then: { kind: 'wait', reason: 'MemberDeleting' },
    },
    {
      when: 'the claim in the member is Lost',
      ...bound,
      memberClaim: memberClaim({ status: { phase: 'Lost' } }),
      then: { kind: 'report', reason: 'VolumeLost' },
    },
  ]);

  describe('whose claim there is gone', () => {
    const again = { kind: 'create-member-claim', memberClass: 'fast', volumeName: MEMBER_VOLUME };
    check([
      { when: 'the volume is not in the cache', ...bound, then: { kind: 'confirm-volume', name: MEMBER_VOLUME } },
      { when: 'another volume was found', ...bound, memberVolume: copyVolume(), then: { kind: 'confirm-volume' } },
      {
        when: 'the volume is gone for certain',
        ...bound,
        memberLive: true,
        then: { kind: 'report', reason: 'VolumeLost' },
      },
      {
        when: 'the volume is kept, and remembers the claim',
        ...bound,
        memberVolume: released('Retain', mine),
        then: { kind: 'release-volume' },
      },
      {
        when: 'the volume is about to be deleted',
        ...bound,
        memberVolume: released('Delete', mine),
        then: { kind: 'wait', reason: 'MemberDeleting' },
      },
      {
        when: 'the volume still counts as bound to the claim',
        ...bound,
        memberVolume: memberVolume(),
        then: { kind: 'wait', reason: 'MemberDeleting' },
      },
      {
        when: 'the volume is free for the claim',
        ...bound,
        memberVolume: released('Retain', { ...mine, uid: undefined }),
        then: again,
      },
      {
        when: 'the volume is for no claim',
        ...bound,
        memberVolume: memberVolume({ spec: { claimRef: undefined } }),
        then: again,
      },
      {
        when: 'the volume was released by another claim',
        ...bound,
        memberVolume: released('Retain', others),
        then: { kind: 'release-volume' },
      },
      {
        when: 'the volume is bound to another claim',
        ...bound,
        memberVolume: memberVolume({ spec: { claimRef: others } }),
        then: { kind: 'report', reason: 'VolumeTaken' },
      },
      {
        when: 'the volume has no class',
        ...bound,
        memberVolume: memberVolume({ spec: { claimRef: undefined, storageClassName: undefined } }),
        then: { ...again, memberClass: '' },
      },
    ]);
  });
});

describe('what is decided about a claim', () => {
  it('never deletes what is not ours, and never without having asked the host', () => {
    const states: Partial<ClaimState>[] = [
      { memberClaim: memberClaim(FOREIGN) },
      { memberClaim: memberClaim() },
      { ...bound, memberClaim: earlier() },
      { hostClaim: chosenClaim({}, 'elsewhere'), memberClaim: memberClaim() },
    ];
    const actions: ClaimAction[] = states.map((state) => decideClaim(claimState({ ...state, hostLive: false })));
    expect(actions.map(({ kind }) => kind)).to.deep.equal(['nothing', 'confirm-host', 'confirm-host', 'confirm-host']);
  });
});
