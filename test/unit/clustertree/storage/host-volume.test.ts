import { expect } from 'chai';
import {
  CLUSTER_LABEL,
  CLUSTER_OWNERS_ANNOTATION,
  MEMBER_CLUSTER_ANNOTATION,
  MEMBER_PROVISIONER,
  MEMBER_VOLUME_ANNOTATION,
  ONE_WAY_ANNOTATION,
  PROVISIONED_BY_ANNOTATION,
  SHARED_VOLUME_ANNOTATION,
} from '../../../../src/apis/names.js';
import {
  claimKeyOf,
  desiredHostVolume,
  initialPolicy,
  isShared,
  memberVolumeName,
  nodeOf,
  ownersOf,
  siteOf,
} from '../../../../src/clustertree/storage/host-volume.js';
import {
  chosenClaim,
  DATA,
  hostVolume,
  MEMBER_VOLUME,
  memberVolume,
  namedVolume,
  plainVolume,
  reachableVolume,
  storageClass,
} from '../../../support/storage-objects.js';

describe('siteOf', () => {
  it('finds the member in the handle of a volume that stands for one there', () => {
    expect(siteOf(hostVolume(), undefined)).to.deep.equal({ kind: 'member', cluster: 'member1' });
  });

  it('believes an annotation of a volume that was adopted, before all that speaks of other ways', () => {
    const annotations = { [MEMBER_CLUSTER_ANNOTATION]: 'member1', [ONE_WAY_ANNOTATION]: 'true' };
    expect(siteOf(plainVolume({ metadata: { annotations } }), undefined)).to.deep.equal({
      kind: 'member',
      cluster: 'member1',
    });
  });

  it('takes any other volume for one of the host, and names its driver', () => {
    expect(siteOf(plainVolume(), undefined)).to.deep.equal({ kind: 'host', driver: 'nfs' });
    const csi = { driver: 'ebs.example.com', volumeHandle: 'vol-1' };
    expect(siteOf(plainVolume({ spec: { csi } }), undefined)).to.deep.equal({
      kind: 'host',
      driver: 'ebs.example.com',
    });
    expect(siteOf({}, undefined)).to.deep.equal({ kind: 'host', driver: 'unknown' });
  });

  const reached: [string, string | undefined, string | undefined, readonly [boolean, boolean] | undefined][] = [
    ['every member that the class says', undefined, 'true', [true, true]],
    ['the members that the class names', undefined, 'member1, member3', [true, false]],
    ['the members that the volume names, whatever its class says', 'member2', 'true', [false, true]],
    ['no member when the volume says so', 'false', 'true', undefined],
    ['no member when nobody says so', undefined, undefined, undefined],
  ];
  for (const [what, ofVolume, ofClass, expected] of reached) {
    it(`lets a volume be reached by ${what}`, () => {
      const annotate = (value: string | undefined): Record<string, string> =>
        value === undefined ? {} : { [ONE_WAY_ANNOTATION]: value };
      const volume = plainVolume({ metadata: { annotations: annotate(ofVolume) } });
      const site = siteOf(volume, storageClass('fast', { metadata: { annotations: annotate(ofClass) } }));
      const reaches = site.kind === 'one-way' ? [site.reaches('member1'), site.reaches('member2')] : undefined;
      expect(reaches).to.deep.equal(expected);
    });
  }
});

describe('desiredHostVolume', () => {
  const input = { hostClaim: chosenClaim(), hostClass: storageClass(), cluster: 'member1', node: 'kosmos-member1' };

  it('is bound to the claim by UID, pinned to the node, and says nothing of the member but its name', () => {
    const { metadata, spec } = desiredHostVolume(input);
    expect(metadata).to.deep.equal({
      name: 'pvc-claim-uid',
      labels: { [CLUSTER_LABEL]: 'member1' },
      annotations: { [PROVISIONED_BY_ANNOTATION]: MEMBER_PROVISIONER, [CLUSTER_OWNERS_ANNOTATION]: 'member1' },
    });
    expect(spec).to.deep.equal({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...DATA, uid: 'claim-uid' },
      csi: { driver: 'member.kosmos.io', volumeHandle: 'member1/claim-uid' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['kosmos-member1'] }] },
          ],
        },
      },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'fast',
      volumeMode: 'Filesystem',
    });
  });

  it('can be read again: its node, its site, its claim', () => {
    const volume = desiredHostVolume(input);
    expect(nodeOf(volume)).to.equal('kosmos-member1');
    expect(siteOf(volume, undefined)).to.deep.equal({ kind: 'member', cluster: 'member1' });
    expect(claimKeyOf(volume)).to.equal('shop/data');
    expect(memberVolumeName(volume)).to.equal(undefined);
  });

  it('takes size and modes of the member volume that is there already', () => {
    const spec = { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteMany'] };
    const volume = desiredHostVolume({ ...input, memberVolume: memberVolume({ spec }) });
    expect(volume.spec).to.include.keys('capacity').and.deep.include(spec);
    expect(memberVolumeName(volume)).to.equal(MEMBER_VOLUME);
  });

  it('has the reclaim policy of the class', () => {
    const hostClass = storageClass('fast', { reclaimPolicy: 'Retain' });
    expect(desiredHostVolume({ ...input, hostClass }).spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
  });
});

describe('initialPolicy', () => {
  const kept = memberVolume({ spec: { persistentVolumeReclaimPolicy: 'Retain' } });
  const cases = [
    [undefined, undefined, 'Delete'],
    ['Delete', memberVolume(), 'Delete'],
    ['Retain', memberVolume(), 'Retain'],
    ['Delete', kept, 'Retain'],
  ] as const;
  for (const [host, member, expected] of cases) {
    it(`is ${expected} when the host says ${String(host)} and the member ${String(member?.spec?.persistentVolumeReclaimPolicy)}`, () => {
      expect(initialPolicy(host, member)).to.equal(expected);
    });
  }
});

describe('what a volume of the host says', () => {
  it('no node when it is pinned to none', () => {
    expect(nodeOf(plainVolume())).to.equal(undefined);
  });

  it('the claim that it is for, or none', () => {
    expect(claimKeyOf(hostVolume())).to.equal('shop/data');
    expect(claimKeyOf({})).to.equal('');
  });

  it('the volume of the member', () => {
    expect(memberVolumeName(namedVolume())).to.equal(namedVolume().metadata?.annotations?.[MEMBER_VOLUME_ANNOTATION]);
    expect(memberVolumeName(undefined)).to.equal(undefined);
  });

  it('the Clusters that use it', () => {
    expect(ownersOf(reachableVolume())).to.deep.equal([]);
    const annotations = { [CLUSTER_OWNERS_ANNOTATION]: 'member1,member2' };
    expect(ownersOf(reachableVolume({ metadata: { annotations } }))).to.deep.equal(['member1', 'member2']);
  });

  it('whether several may', () => {
    expect(isShared(reachableVolume())).to.be.false;
    expect(isShared(reachableVolume({ metadata: { annotations: { [SHARED_VOLUME_ANNOTATION]: 'true' } } }))).to.be.true;
  });
});
