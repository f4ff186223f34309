import { expect } from 'chai';
import { CLUSTER_OWNERS_ANNOTATION, ONE_WAY_ANNOTATION } from '../../../../src/apis/names.js';
import { Concerns } from '../../../../src/clustertree/storage/concerns.js';
import { trimVolume } from '../../../../src/clustertree/storage/member-storage.js';
import { claims, csiDrivers, volumes } from '../../../../src/kube/resource.js';
import { StorageHarness } from '../../../support/storage-harness.js';
import {
  boundClaim,
  chosenClaim,
  copyVolume,
  hostClaim,
  HOST_VOLUME,
  hostVolume,
  memberClaim,
  memberVolume,
  namedVolume,
  plainVolume,
  reachableVolume,
} from '../../../support/storage-objects.js';

const ELSEWHERE = hostVolume({ spec: { csi: { driver: 'member.kosmos.io', volumeHandle: 'member2/x' } } });

describe('Concerns', () => {
  let harness: StorageHarness;

  beforeEach(() => {
    harness = new StorageHarness();
  });

  afterEach(() => harness.end());

  async function make(): Promise<Concerns> {
    const member = await harness.start();
    return new Concerns({ host: harness.hostStorage, member, memberStorage: harness.storage, users: harness.users });
  }

  it('are claims that pods of the member use, that it has, or that it is to have', async () => {
    harness.addUser();
    const concerns = await make();
    expect(concerns.hasClaim(hostClaim())).to.be.true;
    expect(concerns.hasClaim(hostClaim({ metadata: { name: 'other' } }))).to.be.false;
    expect(concerns.hasClaim(chosenClaim({ metadata: { name: 'other', annotations: {} } }))).to.be.false;
    const annotations = { 'volume.kubernetes.io/selected-node': 'kosmos-member1' };
    expect(concerns.hasClaim(hostClaim({ metadata: { name: 'other', annotations } }))).to.be.true;
  });

  it('are claims whose volume is in the member', async () => {
    harness.host.seed(volumes, namedVolume());
    const concerns = await make();
    expect(concerns.hasClaim(boundClaim())).to.be.true;
    expect(concerns.hasClaim(boundClaim({ spec: { volumeName: 'unknown' } }))).to.be.false;
  });

  it('are claims that are in the member still', async () => {
    harness.client.seed(claims, memberClaim());
    const concerns = await make();
    expect(concerns.hasClaim(hostClaim())).to.be.true;
  });

  it('are volumes that stand for those of the member, or are used there', async () => {
    const concerns = await make();
    const annotations = { [ONE_WAY_ANNOTATION]: 'true', [CLUSTER_OWNERS_ANNOTATION]: 'member1' };
    expect(concerns.hasVolume(hostVolume())).to.be.true;
    expect(concerns.hasVolume(ELSEWHERE)).to.be.false;
    expect(concerns.hasVolume(plainVolume())).to.be.false;
    expect(concerns.hasVolume(reachableVolume({ metadata: { annotations } }))).to.be.true;
  });

  it('find the claim that a volume of the member is for', async () => {
    const others = memberVolume({ spec: { claimRef: { namespace: 'theirs', name: 'x', uid: 'y' } } });
    harness.client.seed(claims, memberClaim());
    const concerns = await make();
    expect(concerns.claimOf(memberVolume())).to.equal('shop/data');
    expect(concerns.claimOf(others)).to.equal(undefined);
  });

  it('find it when only the host knows of it any more', async () => {
    harness.host.seed(volumes, namedVolume());
    harness.host.seed(claims, boundClaim());
    const concerns = await make();
    expect(concerns.claimOf(memberVolume())).to.equal('shop/data');
    harness.host.erase(claims, { namespace: 'shop', name: 'data' });
    await harness.settle();
    expect(concerns.claimOf(memberVolume())).to.equal('shop/data');
  });

  it('find the volumes of the host behind which one of the member is', async () => {
    harness.host.seed(volumes, namedVolume());
    const concerns = await make();
    expect(concerns.volumesFor(memberVolume())).to.deep.equal([HOST_VOLUME]);
    expect(concerns.volumesFor(memberVolume({ metadata: { name: 'another' } }))).to.deep.equal([]);
    expect(concerns.volumesOf(memberClaim())).to.deep.equal([HOST_VOLUME]);
    expect(concerns.volumesOf(memberClaim({ metadata: { annotations: { 'kosmos.io/host-uid': 'x' } } }))).to.deep.equal(
      [],
    );
  });

  it('are listed, each once', async () => {
    harness.host.seed(volumes, namedVolume());
    harness.host.seed(claims, boundClaim());
    harness.client.seed(claims, memberClaim());
    harness.client.seed(volumes, copyVolume({ spec: { claimRef: { namespace: 'shop', name: 'copied' } } }));
    const concerns = await make();
    expect([...concerns.claims()].sort()).to.deep.equal(['shop/copied', 'shop/data']);
    expect(concerns.volumes()).to.deep.equal([HOST_VOLUME]);
  });
});

describe('caches of storage', () => {
  it('know the drivers of the host', async () => {
    const harness = new StorageHarness();
    harness.host.seed(csiDrivers, { metadata: { name: 'disks.example.com' }, spec: {} });
    await harness.start();
    expect(harness.hostStorage.hasDriver('disks.example.com')).to.be.true;
    expect(harness.hostStorage.hasDriver('other')).to.be.false;
    expect([harness.hostStorage.isCurrent, harness.storage.isCurrent, harness.storage.problem]).to.deep.equal([
      true,
      true,
      undefined,
    ]);
    await harness.end();
  });

  it('keep of the volumes of a member what is asked for', () => {
    const annotations = { [ONE_WAY_ANNOTATION]: 'true', other: 'x' };
    const trimmed = trimVolume(memberVolume({ metadata: { annotations }, spec: { nfs: { server: 's', path: '/' } } }));
    expect(trimmed.metadata?.annotations).to.deep.equal({ [ONE_WAY_ANNOTATION]: 'true' });
    expect(trimmed.spec).not.to.have.property('nfs');
    expect(trimmed.spec).to.include({ persistentVolumeReclaimPolicy: 'Delete' });
  });
});
