import { expect } from 'chai';
import { CLUSTER_OWNERS_ANNOTATION, SHARED_VOLUME_ANNOTATION } from '../../../../src/apis/names.js';
import { hostUidOf, isOwned } from '../../../../src/clustertree/cluster/ownership.js';
import {
  copyVolumePatch,
  desiredCopyVolume,
  isCopy,
  otherUsers,
  ownersPatch,
} from '../../../../src/clustertree/storage/one-way.js';
import { OWNERSHIP } from '../../../support/member-harness.js';
import { copyVolume, memberClaim, plainVolume, reachableVolume } from '../../../support/storage-objects.js';

describe('desiredCopyVolume', () => {
  const volume = reachableVolume({
    spec: {
      mountOptions: ['ro'],
      nodeAffinity: { required: { nodeSelectorTerms: [] } },
      persistentVolumeReclaimPolicy: 'Delete',
    },
  });
  const copy = desiredCopyVolume(volume, OWNERSHIP);

  it('reaches the same storage, and is never deleted with its copy', () => {
    expect(copy.metadata?.name).to.equal(volume.metadata?.name);
    expect(copy.spec).to.deep.include({
      nfs: volume.spec?.nfs,
      mountOptions: ['ro'],
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Retain',
    });
  });

  it("is for the claim of the same name, whose UID in the member nobody knows yet, on any of the member's nodes", () => {
    expect(copy.spec?.claimRef).to.deep.equal({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
      ...{ namespace: 'shop', name: 'data' },
    });
    expect(copy.spec).not.to.have.property('nodeAffinity');
  });

  it('is known as a copy of that very volume', () => {
    expect(isCopy(copy)).to.be.true;
    expect(isOwned(copy, OWNERSHIP)).to.be.true;
    expect(hostUidOf(copy)).to.equal('host-volume-uid');
    expect(isCopy(memberClaim())).to.be.false;
  });
});

describe('copyVolumePatch', () => {
  it('follows the size', () => {
    expect(copyVolumePatch(reachableVolume(), copyVolume())).to.equal(undefined);
    const grown = reachableVolume({ spec: { capacity: { storage: '2Gi' } } });
    expect(copyVolumePatch(grown, copyVolume())).to.deep.equal({
      metadata: { uid: 'member-volume-uid' },
      spec: { capacity: { storage: '2Gi' } },
    });
  });
});

describe('users of a one-way volume', () => {
  const used = (owners: string, shared = 'false'): ReturnType<typeof plainVolume> =>
    plainVolume({
      metadata: {
        ...plainVolume().metadata,
        annotations: { [CLUSTER_OWNERS_ANNOTATION]: owners, [SHARED_VOLUME_ANNOTATION]: shared },
      },
    });

  it('keep others away, unless it is shared', () => {
    expect(otherUsers(used('member2,member1'), 'member1')).to.deep.equal(['member2']);
    expect(otherUsers(used('member1'), 'member1')).to.deep.equal([]);
    expect(otherUsers(used('member2', 'true'), 'member1')).to.deep.equal([]);
  });

  const record = (value: string | null): object => ({
    metadata: {
      uid: 'host-volume-uid',
      annotations: { [CLUSTER_OWNERS_ANNOTATION]: value },
    },
  });

  it('are put on record and taken from it', () => {
    const versioned = (volume: object | undefined): object | undefined => {
      const { metadata } = volume as { metadata: Record<string, unknown> };
      const { resourceVersion: _resourceVersion, ...rest } = metadata;
      return { metadata: rest };
    };
    expect(versioned(ownersPatch(used(''), 'member1', true))).to.deep.equal(record('member1'));
    expect(versioned(ownersPatch(used('member2'), 'member1', true))).to.deep.equal(record('member2,member1'));
    expect(versioned(ownersPatch(used('member2,member1'), 'member1', false))).to.deep.equal(record('member2'));
    expect(versioned(ownersPatch(used('member1'), 'member1', false))).to.deep.equal(record(null));
  });

  it('are left as they are when that is right', () => {
    expect(ownersPatch(used('member1'), 'member1', true)).to.equal(undefined);
    expect(ownersPatch(used('member2'), 'member1', false)).to.equal(undefined);
  });

  it('name the version that they saw, so that of two one comes first', () => {
    const patch = ownersPatch(plainVolume(), 'member1', true);
    expect(patch).to.have.nested.property('metadata.resourceVersion', '8');
  });
});
