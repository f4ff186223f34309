import { expect } from 'chai';
import { FIELD_MANAGER, HOST_UID_ANNOTATION, RECLAIM_POLICY_ANNOTATION } from '../../../../src/apis/names.js';
import { isOwned } from '../../../../src/clustertree/cluster/ownership.js';
import {
  desiredMemberClaim,
  memberClaimPatch,
  sameQuantity,
} from '../../../../src/clustertree/storage/member-claim.js';
import { OWNERSHIP } from '../../../support/member-harness.js';
import { asJson } from '../../../support/pods.js';
import { boundClaim, DATA, hostClaim, memberClaim } from '../../../support/storage-objects.js';

const HOST_ANNOTATIONS = {
  'pv.kubernetes.io/bind-completed': 'yes',
  'volume.kubernetes.io/selected-node': 'kosmos-member1',
  'volume.beta.kubernetes.io/storage-provisioner': 'kosmos.io/member',
  'kosmos-io/cluster-owners': 'member1',
  'kubectl.kubernetes.io/last-applied-configuration': '{}',
};

/** What we wrote when the claim was made, as the API server keeps account of it. */
function managed(labels: readonly string[], annotations: readonly string[]): object[] {
  const fields = (keys: readonly string[]): object => Object.fromEntries(keys.map((key) => [`f:${key}`, {}]));
  const fieldsV1 = { 'f:metadata': { 'f:labels': fields(labels), 'f:annotations': fields(annotations) } };
  return [{ manager: FIELD_MANAGER, operation: 'Update', fieldsV1 }];
}

describe('desiredMemberClaim', () => {
  const input = { hostClaim: hostClaim(), ownership: OWNERSHIP, memberClass: 'ssd' };

  it('asks the member for what the host claim asks for, with a class of the member', () => {
    const claim = desiredMemberClaim(input);
    expect(asJson(claim.spec)).to.deep.equal({ ...hostClaim().spec, storageClassName: 'ssd' });
    expect(claim.metadata).to.deep.include(DATA);
    expect(isOwned(claim, OWNERSHIP)).to.be.true;
    expect(claim.metadata?.annotations).to.deep.equal({ [HOST_UID_ANNOTATION]: 'claim-uid' });
  });

  it('carries labels and annotations of users, and none that controllers of the host read', () => {
    const metadata = { labels: { app: 'db' }, annotations: { ...HOST_ANNOTATIONS, team: 'a' } };
    const claim = desiredMemberClaim({ ...input, hostClaim: hostClaim({ metadata }) });
    expect(claim.metadata?.labels).to.include({ app: 'db' });
    expect(claim.metadata?.annotations).to.deep.equal({ team: 'a', [HOST_UID_ANNOTATION]: 'claim-uid' });
  });

  it('never names a volume of the host, which would leave it Lost', () => {
    expect(desiredMemberClaim({ ...input, hostClaim: boundClaim() }).spec).not.to.have.property('volumeName');
  });

  it('names an existing volume of the member, and then no source of data', () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'other' };
    const cloned = hostClaim({ spec: { dataSource: source } });
    expect(desiredMemberClaim({ ...input, hostClaim: cloned }).spec).to.deep.include({ dataSource: source });
    const { spec } = desiredMemberClaim({ ...input, hostClaim: cloned, volumeName: 'pv-1' });
    expect(spec).to.include({ volumeName: 'pv-1' }).and.not.to.have.property('dataSource');
  });

  it('keeps the policy on record, and says which node it is for where no scheduler will', () => {
    const claim = desiredMemberClaim({ ...input, policy: 'Retain', memberNode: 'n1', annotations: { a: 'b' } });
    expect(claim.metadata?.annotations).to.deep.equal({
      a: 'b',
      [HOST_UID_ANNOTATION]: 'claim-uid',
      [RECLAIM_POLICY_ANNOTATION]: 'Retain',
      'volume.kubernetes.io/selected-node': 'n1',
    });
  });
});

describe('memberClaimPatch', () => {
  const recorded = { annotations: { [RECLAIM_POLICY_ANNOTATION]: 'Delete' } };

  it('is nothing when both agree, however the size is written', () => {
    const claim = memberClaim({ metadata: recorded, spec: { resources: { requests: { storage: '1024Mi' } } } });
    expect(memberClaimPatch(boundClaim(), claim, 'Delete')).to.equal(undefined);
    expect(memberClaimPatch(boundClaim(), claim, undefined)).to.equal(undefined);
  });

  it('grows the claim, by its UID', () => {
    const host = boundClaim({ spec: { resources: { requests: { storage: '2Gi' } } } });
    expect(asJson(memberClaimPatch(host, memberClaim({ metadata: recorded }), 'Delete'))).to.deep.equal({
      metadata: { uid: 'copy-uid' },
      spec: { resources: { requests: { storage: '2Gi' } } },
    });
  });

  it('asks for nothing that the member would refuse before it has bound the claim', () => {
    const host = boundClaim({
      metadata: { labels: { app: 'db' } },
      spec: { resources: { requests: { storage: '2Gi' } }, volumeAttributesClassName: 'gold' },
    });
    const pending = memberClaim({ metadata: recorded, status: { phase: 'Pending' } });
    expect(asJson(memberClaimPatch(host, pending, 'Delete'))).to.deep.equal({
      metadata: { uid: 'copy-uid', labels: { app: 'db' } },
    });
  });

  it('changes the attributes class', () => {
    const host = boundClaim({ spec: { volumeAttributesClassName: 'gold' } });
    expect(memberClaimPatch(host, memberClaim({ metadata: recorded }), 'Delete')).to.deep.include({
      spec: { volumeAttributesClassName: 'gold' },
    });
  });

  it('keeps the record of the policy true', () => {
    expect(asJson(memberClaimPatch(boundClaim(), memberClaim({ metadata: recorded }), 'Retain'))).to.deep.equal({
      metadata: { uid: 'copy-uid', annotations: { [RECLAIM_POLICY_ANNOTATION]: 'Retain' } },
    });
  });

  it("brings the users' labels and annotations, takes away those that are gone, and leaves those of others", () => {
    const host = boundClaim({ metadata: { labels: { app: 'db' }, annotations: { team: 'b', ...HOST_ANNOTATIONS } } });
    const claim = memberClaim({
      metadata: {
        labels: { ...memberClaim().metadata?.labels, old: 'x', theirs: 'y' },
        annotations: { team: 'a', 'volume.kubernetes.io/selected-node': 'n1' },
        managedFields: managed(['old', 'kosmos.io/cluster'], ['team', 'volume.kubernetes.io/selected-node']),
      },
    });
    expect(memberClaimPatch(host, claim, undefined)).to.deep.equal({
      metadata: { uid: 'copy-uid', labels: { app: 'db', old: null }, annotations: { team: 'b' } },
    });
  });
});

describe('sameQuantity', () => {
  it('compares amounts, not texts', () => {
    expect(sameQuantity('1Gi', '1024Mi')).to.be.true;
    expect(sameQuantity('1Gi', '1G')).to.be.false;
    expect(sameQuantity(undefined, undefined)).to.be.true;
    expect(sameQuantity('1Gi', undefined)).to.be.false;
  });
});
