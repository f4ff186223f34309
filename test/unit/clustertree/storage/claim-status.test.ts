import { expect } from 'chai';
import type { Claim } from '../../../../src/apis/core.js';
import { MEMBER_VOLUME_ANNOTATION } from '../../../../src/apis/names.js';
import {
  boundVolume,
  hostStatusPatch,
  hostVolumePatch,
  policyPatch,
  wantedPolicy,
} from '../../../../src/clustertree/storage/claim-status.js';
import { applyPatch } from '../../../support/fake-patch.js';
import {
  boundClaim,
  hostClaim,
  hostVolume,
  MEMBER_VOLUME,
  memberClaim,
  memberVolume,
  namedVolume,
} from '../../../support/storage-objects.js';

const KEPT = memberVolume({ spec: { persistentVolumeReclaimPolicy: 'Retain' } });

describe('boundVolume', () => {
  it('is the volume of a claim that is bound to it', () => {
    expect(boundVolume(memberClaim(), memberVolume())).to.deep.equal(memberVolume());
  });

  it('is none when either side says otherwise', () => {
    expect(boundVolume(undefined, memberVolume())).to.equal(undefined);
    expect(boundVolume(memberClaim({ status: { phase: 'Pending' } }), memberVolume())).to.equal(undefined);
    expect(boundVolume(memberClaim(), undefined)).to.equal(undefined);
    const ofAnother = memberVolume({ spec: { claimRef: { uid: 'another' } } });
    expect(boundVolume(memberClaim(), ofAnother)).to.equal(undefined);
  });
});

describe('wantedPolicy', () => {
  it('keeps the data when either side wants that, until both have agreed', () => {
    expect(wantedPolicy(hostVolume(), KEPT)).to.equal('Retain');
    expect(wantedPolicy(hostVolume(), memberVolume())).to.equal('Delete');
  });

  it("is the host's from then on", () => {
    expect(wantedPolicy(namedVolume(), KEPT)).to.equal('Delete');
  });
});

describe('hostVolumePatch', () => {
  it('names the member volume the first time, and the policy that both agree on', () => {
    expect(hostVolumePatch(hostVolume(), KEPT)).to.deep.equal({
      metadata: { uid: 'host-volume-uid', annotations: { [MEMBER_VOLUME_ANNOTATION]: MEMBER_VOLUME } },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
  });

  it('fills in size and access modes', () => {
    const actual = memberVolume({
      spec: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] },
    });
    expect(hostVolumePatch(namedVolume(), actual)).to.deep.equal({
      metadata: { uid: 'host-volume-uid' },
      spec: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] },
    });
  });

  it('is nothing once it is filled in, and never takes back the policy of the host', () => {
    expect(hostVolumePatch(namedVolume(), memberVolume())).to.equal(undefined);
    expect(hostVolumePatch(namedVolume(), KEPT)).to.equal(undefined);
  });
});

describe('policyPatch', () => {
  it('is there when the policies differ', () => {
    expect(policyPatch(memberVolume(), 'Delete')).to.equal(undefined);
    expect(policyPatch(memberVolume(), 'Retain')).to.deep.equal({
      metadata: { uid: 'member-volume-uid' },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
  });
});

describe('hostStatusPatch', () => {
  const resizing = { type: 'Resizing', status: 'True' };
  const pending = { type: 'FileSystemResizePending', status: 'True' };

  /** Applies patches until there is none; the answer must not change what is not asked for. */
  function settled(host: Claim, member: Claim): Claim['status'] {
    const patch = hostStatusPatch(host, member);
    if (patch === undefined) return host.status;
    const { status } = applyPatch({ ...host }, patch, 'merge') as Claim;
    expect(hostStatusPatch({ ...host, status }, member), 'a second patch').to.equal(undefined);
    return status;
  }

  function memberStatus(status: NonNullable<Claim['status']>): Claim {
    return memberClaim({ status: { phase: 'Bound', capacity: { storage: '1Gi' }, ...status } });
  }

  it('is nothing when both agree, and before both are bound', () => {
    const grown = memberStatus({ capacity: { storage: '2Gi' } });
    expect(hostStatusPatch(boundClaim(), memberClaim())).to.equal(undefined);
    expect(hostStatusPatch(hostClaim(), grown)).to.equal(undefined);
    expect(hostStatusPatch(boundClaim(), { ...grown, status: { ...grown.status, phase: 'Pending' } })).to.equal(
      undefined,
    );
  });

  it('brings the size, by UID', () => {
    expect(hostStatusPatch(boundClaim(), memberStatus({ capacity: { storage: '2Gi' } }))).to.deep.equal({
      metadata: { uid: 'claim-uid' },
      status: { capacity: { storage: '2Gi' } },
    });
  });

  it('shows how far a resize is, and its end', () => {
    const asked = memberStatus({
      conditions: [resizing, pending],
      allocatedResources: { storage: '2Gi' },
      allocatedResourceStatuses: { storage: 'NodeResizePending' },
    });
    const during = settled(boundClaim(), asked);
    expect(during).to.deep.include({ conditions: [resizing, pending], allocatedResources: { storage: '2Gi' } });
    const done = memberStatus({ capacity: { storage: '2Gi' }, allocatedResources: { storage: '2Gi' } });
    const after = settled(boundClaim({ status: during! }), done);
    expect(after).to.deep.equal({
      phase: 'Bound',
      capacity: { storage: '2Gi' },
      conditions: [],
      allocatedResources: { storage: '2Gi' },
    });
  });

  it("leaves the host's own conditions alone", () => {
    const own = { type: 'Checked', status: 'True' };
    const host = boundClaim({ status: { phase: 'Bound', capacity: { storage: '1Gi' }, conditions: [own] } });
    expect(settled(host, memberStatus({ conditions: [resizing, { type: 'Other', status: 'True' }] }))).to.deep.include({
      conditions: [own, resizing],
    });
  });

  it('shows which attributes class is in force', () => {
    const host = boundClaim({
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, currentVolumeAttributesClassName: 'silver' },
    });
    expect(settled(host, memberStatus({ currentVolumeAttributesClassName: 'gold' }))).to.deep.include({
      currentVolumeAttributesClassName: 'gold',
    });
  });

  it('does not write for ever what an old host drops', () => {
    const member = memberStatus({ allocatedResources: { storage: '1Gi' } });
    expect(hostStatusPatch(boundClaim(), member)).to.equal(undefined);
  });
});
