import { expect } from 'chai';
import type { Claim, PersistentVolume } from '../../../../src/apis/core.js';
import { CLUSTER_OWNERS_ANNOTATION, ONE_WAY_ANNOTATION } from '../../../../src/apis/names.js';
import { placementOf, type ClaimState } from '../../../../src/clustertree/storage/claim-state.js';
import { decideClaim } from '../../../../src/clustertree/storage/claim-verdict.js';
import {
  boundClaim,
  claimState,
  copyVolume,
  hostVolume,
  memberClaim,
  memberVolume,
  plainVolume,
  reachableVolume,
} from '../../../support/storage-objects.js';

const DELETED = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const NOTHING = { kind: 'nothing' };
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

describe('decideClaim: one-way volumes', () => {
  const owned = (owners: string, more: Record<string, string> = {}): PersistentVolume =>
    reachableVolume({
      metadata: { annotations: { [ONE_WAY_ANNOTATION]: 'true', [CLUSTER_OWNERS_ANNOTATION]: owners, ...more } },
    });
  const inUse = { hostClaim: boundClaim(), hostVolume: owned('member1'), used: true };
  const unused = { hostClaim: boundClaim(), hostVolume: owned('member1') };
  const copy = memberClaim({ metadata: { annotations: { [ONE_WAY_ANNOTATION]: 'true' } } });
  const fresh = copyVolume({ spec: { claimRef: { namespace: 'shop', name: 'data' } } });

  describe('that pods use', () => {
    check([
      {
        when: 'no Cluster is on record',
        ...inUse,
        hostVolume: reachableVolume(),
        then: { kind: 'set-owner', uses: true },
      },
      {
        when: 'another member uses it',
        ...inUse,
        hostVolume: owned('member2'),
        then: { kind: 'report', reason: 'VolumeInUse' },
      },
      {
        when: 'another member uses it as well, which is allowed',
        ...inUse,
        hostVolume: owned('member2', { 'kosmos.io/shared-volume': 'true' }),
        then: { kind: 'set-owner', uses: true },
      },
      { when: 'the volume is not there', ...inUse, then: { kind: 'create-copy-volume' } },
      {
        when: 'somebody else has a volume of the name',
        ...inUse,
        memberVolume: memberVolume(),
        then: { kind: 'report', reason: 'ForeignVolume' },
      },
      {
        when: 'somebody else has a claim of the name',
        ...inUse,
        memberClaim: memberClaim(FOREIGN),
        memberVolume: fresh,
        then: { kind: 'report', reason: 'ForeignClaim' },
      },
      {
        when: 'the claim is not there',
        ...inUse,
        memberVolume: fresh,
        then: { kind: 'create-member-claim', volumeName: 'pvc-claim-uid', memberClass: 'fast' },
      },
      {
        when: 'the volume has no class',
        ...inUse,
        hostVolume: { ...owned('member1'), spec: { ...owned('member1').spec, storageClassName: undefined } },
        memberVolume: fresh,
        then: { kind: 'create-member-claim', memberClass: '' },
      },
      {
        when: 'the volume remembers a claim that is gone',
        ...inUse,
        memberVolume: copyVolume(),
        then: { kind: 'delete-copy-volume' },
      },
      {
        when: 'the volume goes',
        ...inUse,
        memberVolume: copyVolume({ metadata: DELETED }),
        then: { kind: 'wait', reason: 'MemberDeleting' },
      },
      {
        when: 'the claim goes',
        ...inUse,
        memberVolume: copyVolume(),
        memberClaim: { ...copy, metadata: { ...copy.metadata, ...DELETED } },
        then: { kind: 'wait' },
      },
      { when: 'both are there', ...inUse, memberVolume: copyVolume(), memberClaim: copy, then: { kind: 'sync' } },
    ]);
  });

  describe('that no pod uses', () => {
    check([
      {
        when: 'the claim is there',
        ...unused,
        memberVolume: copyVolume(),
        memberClaim: copy,
        then: { kind: 'delete-member-claim', uid: 'copy-uid' },
      },
      {
        when: 'the claim goes',
        ...unused,
        memberClaim: { ...copy, metadata: { ...copy.metadata, ...DELETED } },
        then: { kind: 'wait' },
      },
      {
        when: 'the volume is there',
        ...unused,
        memberVolume: copyVolume(),
        then: { kind: 'delete-copy-volume', name: 'pvc-claim-uid', uid: 'member-volume-uid' },
      },
      {
        when: 'the volume goes',
        ...unused,
        memberVolume: copyVolume({ metadata: DELETED }),
        then: { kind: 'wait', reason: 'MemberDeleting' },
      },
      { when: 'only the record is left', ...unused, then: { kind: 'set-owner', uses: false } },
      { when: 'nothing is left', ...unused, hostVolume: reachableVolume(), then: NOTHING },
    ]);
  });

  describe('whose claim is gone in the host', () => {
    check([
      { when: 'the host has not been asked', memberVolume: copyVolume(), then: { kind: 'confirm-host' } },
      { when: 'the volume is there', memberVolume: copyVolume(), hostLive: true, then: { kind: 'delete-copy-volume' } },
      {
        when: 'the volume goes',
        memberVolume: copyVolume({ metadata: DELETED }),
        hostLive: true,
        then: { kind: 'wait' },
      },
      {
        when: 'only the record is left, and the host has not been asked',
        heldVolume: owned('member1'),
        then: { kind: 'confirm-host' },
      },
      {
        when: 'only the record is left',
        heldVolume: owned('member1'),
        hostLive: true,
        then: { kind: 'set-owner', uses: false },
      },
      { when: 'the volume found is not ours', memberVolume: memberVolume(), hostLive: true, then: NOTHING },
    ]);
  });
});

describe('placementOf', () => {
  const cases: [string, Claim, PersistentVolume, string][] = [
    [
      'in another member',
      boundClaim(),
      hostVolume({ spec: { csi: { driver: 'member.kosmos.io', volumeHandle: 'b/x' } } }),
      'VolumeInOtherCluster',
    ],
    ['in the host', boundClaim(), plainVolume(), 'VolumeNotReachable'],
    [
      'in the host, where only others can reach it',
      boundClaim(),
      plainVolume({ metadata: { annotations: { [ONE_WAY_ANNOTATION]: 'member2' } } }),
      'VolumeNotReachable',
    ],
  ];
  for (const [where, claim, volume, reason] of cases) {
    it(`says why pods can't have a volume ${where}`, () => {
      const placement = placementOf(claimState({ hostVolume: volume }), claim);
      expect(placement).to.deep.include({ kind: 'elsewhere', reason });
      expect(placement).to.have.property('message').that.includes('Claim data');
    });
  }
});
