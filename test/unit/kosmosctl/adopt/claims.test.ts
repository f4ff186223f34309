import { expect } from 'chai';
import type { Claim, ObjectMeta, PersistentVolume } from '../../../../src/apis/core.js';
import { HOST_UID_ANNOTATION } from '../../../../src/apis/names.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { siteOf } from '../../../../src/clustertree/storage/host-volume.js';
import { judgeClaim, type ClaimPair } from '../../../../src/kosmosctl/adopt/claims.js';
import type { Change } from '../../../../src/kosmosctl/adopt/judgement.js';
import { applyPatch } from '../../../support/fake-patch.js';
import { deepFreeze } from '../../../support/pods.js';

const OWNERSHIP = ownershipOf('host-cluster-uid', 'member1');
const AT = { namespace: 'shop', name: 'data' };
const SPEC = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } };
const NODE_AFFINITY = pinnedTo('kosmos-member1');

function pinnedTo(node: string): NonNullable<PersistentVolume['spec']>['nodeAffinity'] {
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  return { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
}

const HOST_CLAIM: Claim = {
  metadata: {
    ...AT,
    uid: 'host-claim-uid',
    labels: { app: 'db' },
    annotations: { 'kosmos-io/cluster-owners': 'member1' },
  },
  spec: { volumeName: 'pvc-1' },
};
const MEMBER_CLAIM: Claim = {
  metadata: { ...AT, uid: 'member-claim-uid', annotations: { 'kosmos.io/global': 'true' } },
  spec: { volumeName: 'pvc-1' },
};
const MEMBER_VOLUME: PersistentVolume = {
  metadata: { name: 'pvc-1', uid: 'member-volume-uid' },
  spec: { ...SPEC, claimRef: { ...AT, uid: 'member-claim-uid' }, persistentVolumeReclaimPolicy: 'Delete' },
};
const HOST_VOLUME: PersistentVolume = {
  metadata: {
    ...{ name: 'pvc-1', uid: 'host-volume-uid', resourceVersion: '5' },
    annotations: { 'kosmos-io/cluster-owners': 'member1', 'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path' },
    finalizers: ['kubernetes.io/pv-protection', 'external-provisioner.volume.kubernetes.io/finalizer'],
  },
  spec: {
    ...SPEC,
    ...{ claimRef: { ...AT, uid: 'host-claim-uid' }, nodeAffinity: NODE_AFFINITY },
    persistentVolumeReclaimPolicy: 'Delete',
  },
};

function pair(parts: Partial<ClaimPair> = {}): ClaimPair {
  return deepFreeze({
    ...{ hostClaim: HOST_CLAIM, hostVolume: HOST_VOLUME, memberClaim: MEMBER_CLAIM, memberVolume: MEMBER_VOLUME },
    ...{ virtualNodes: ['kosmos-member1'], ...parts },
  });
}

function changes(parts: Partial<ClaimPair> = {}): readonly [Change, Change] {
  const judgement = judgeClaim(pair(parts), OWNERSHIP);
  if (judgement?.kind !== 'adopt') throw new Error(`not adopted: ${JSON.stringify(judgement)}`);
  return judgement.changes as unknown as readonly [Change, Change];
}

/** What becomes of the host's volume. */
function adoptedVolume(parts: Partial<ClaimPair> = {}): PersistentVolume {
  const [first] = changes(parts);
  return applyPatch(parts.hostVolume ?? HOST_VOLUME, first.body, 'merge');
}

describe('judgeClaim', () => {
  it('says where the data of the volume is before it takes the claim', () => {
    const [first, second] = changes();
    expect([first.where, first.how, first.ref]).to.deep.equal(['host', 'merge', { name: 'pvc-1' }]);
    expect([second.where, second.how, second.ref]).to.deep.equal(['member', 'apply', AT]);
    const volume = adoptedVolume();
    expect(siteOf(volume, undefined)).to.deep.equal({ kind: 'member', cluster: 'member1' });
    expect(volume.metadata).to.deep.include({
      labels: { 'kosmos.io/cluster': 'member1' },
      annotations: {
        'kosmos-io/cluster-owners': 'member1',
        'kosmos.io/member-cluster': 'member1',
        'kosmos.io/member-volume': 'pvc-1',
        'pv.kubernetes.io/provisioned-by': 'kosmos.io/member',
      },
      finalizers: ['kubernetes.io/pv-protection'],
    });
    expect(volume.spec).to.deep.equal(HOST_VOLUME.spec);
    expect(second.body).to.deep.equal({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
      metadata: {
        ...{ ...AT, uid: 'member-claim-uid' },
        labels: { app: 'db', ...ownershipLabels(OWNERSHIP) },
        annotations: { [HOST_UID_ANNOTATION]: 'host-claim-uid', 'kosmos.io/reclaim-policy': 'Delete' },
      },
    });
  });

  it('keeps data that either side keeps', () => {
    const memberVolume = { ...MEMBER_VOLUME, spec: { ...MEMBER_VOLUME.spec, persistentVolumeReclaimPolicy: 'Retain' } };
    expect(adoptedVolume({ memberVolume }).spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
    const [, marks] = changes({ memberVolume });
    const { metadata } = marks.body as { metadata: ObjectMeta };
    expect(metadata.annotations).to.include({ 'kosmos.io/reclaim-policy': 'Retain' });
    const hostVolume = { ...HOST_VOLUME, spec: { ...HOST_VOLUME.spec, persistentVolumeReclaimPolicy: 'Retain' } };
    expect(adoptedVolume({ hostVolume }).spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
  });

  it('pins a volume that may be anywhere to the only virtual node', () => {
    const { nodeAffinity: _nowhere, ...spec } = HOST_VOLUME.spec!;
    const hostVolume = { ...HOST_VOLUME, spec };
    expect(adoptedVolume({ hostVolume }).spec?.nodeAffinity).to.deep.equal(NODE_AFFINITY);
    const several = adoptedVolume({ hostVolume, virtualNodes: ['a', 'b'] });
    expect(several.spec).not.to.have.property('nodeAffinity');
  });

  it('may be done twice', () => {
    const hostVolume = adoptedVolume();
    expect(adoptedVolume({ hostVolume })).to.deep.equal(hostVolume);
  });

  const mine = { ...MEMBER_CLAIM.metadata, labels: ownershipLabels(OWNERSHIP) };
  const others = { ...MEMBER_CLAIM.metadata, labels: ownershipLabels(ownershipOf('other', 'b')) };
  const ROWS: readonly (readonly [when: string, parts: Partial<ClaimPair>, kind: string | undefined, why?: RegExp])[] =
    [
      ['it is ours', { memberClaim: { ...MEMBER_CLAIM, metadata: mine } }, 'adopted'],
      ["it is the member's own", { memberClaim: { ...MEMBER_CLAIM, metadata: AT } }, undefined],
      [
        'another host has it',
        { memberClaim: { ...MEMBER_CLAIM, metadata: others } },
        'stays',
        /Cluster b of another host/,
      ],
      ['the host has none', { hostClaim: undefined }, 'stays', /^the host has no such claim/],
      [
        'it is being deleted in the host',
        { hostClaim: { ...HOST_CLAIM, metadata: { ...HOST_CLAIM.metadata, deletionTimestamp: 'now' } } },
        'stays',
        /being deleted/,
      ],
      [
        'the member has not bound it',
        { memberVolume: undefined },
        'problem',
        /^is not bound in the member; pods that run/,
      ],
      [
        "the member's volume is bound to another claim",
        { memberVolume: { ...MEMBER_VOLUME, spec: { ...MEMBER_VOLUME.spec, claimRef: { uid: 'other' } } } },
        'problem',
        /^is not bound in the member/,
      ],
      ['the host has not bound it', { hostVolume: undefined }, 'problem', /^is not bound in the host/],
      [
        'the host has bound it to a volume of its own',
        { hostVolume: { ...HOST_VOLUME, metadata: { name: 'disk', uid: 'x' } } },
        'problem',
        /^is bound to volume disk in the host, which is not that of the member/,
      ],
      [
        "the volume was made for another member, or is the host's",
        { hostVolume: { ...HOST_VOLUME, metadata: { ...HOST_VOLUME.metadata, annotations: {} } } },
        'problem',
        /not that of the member/,
      ],
      [
        'the volume is in another member',
        {
          hostVolume: {
            ...HOST_VOLUME,
            metadata: {
              ...HOST_VOLUME.metadata,
              annotations: { 'kosmos-io/cluster-owners': 'member1,b', 'kosmos.io/member-cluster': 'b' },
            },
          },
        },
        'problem',
        /^is stored in member b/,
      ],
      [
        'the volume is pinned to a node that is not there',
        { hostVolume: { ...HOST_VOLUME, spec: { ...HOST_VOLUME.spec, nodeAffinity: pinnedTo('worker-7') } } },
        'problem',
        /pinned to worker-7, which is no virtual node of member1/,
      ],
    ];
  for (const [when, parts, kind, why] of ROWS) {
    it(`says ${kind ?? 'nothing'} when ${when}`, () => {
      const judgement = judgeClaim(pair(parts), OWNERSHIP);
      expect(judgement?.kind).to.equal(kind);
      if (why !== undefined) expect(judgement).to.have.property('why').that.matches(why);
    });
  }
});
