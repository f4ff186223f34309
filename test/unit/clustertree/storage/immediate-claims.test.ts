import { expect } from 'chai';
import { ImmediateClaims, immediateProblem } from '../../../../src/clustertree/storage/immediate-claims.js';
import { claims, storageClasses } from '../../../../src/kube/resource.js';
import { StorageHarness } from '../../../support/storage-harness.js';
import { boundClaim, hostClaim, storageClass } from '../../../support/storage-objects.js';

const IMMEDIATE = storageClass('now', { volumeBindingMode: 'Immediate' });
const OF_CLASS = { spec: { storageClassName: 'now' } };
const WARNED = 'Claim data ProvisioningFailed';

describe('immediateProblem', () => {
  it('says what to do about a class of members that waits for no pod', () => {
    expect(immediateProblem(hostClaim(), IMMEDIATE)).to.include('StorageClass now').and.include('WaitForFirstConsumer');
    expect(immediateProblem(hostClaim(), storageClass('old'))).to.include('StorageClass old');
  });

  it('has nothing against any other claim', () => {
    expect(immediateProblem(hostClaim(), undefined)).to.equal(undefined);
    const waiting = storageClass('later', { volumeBindingMode: 'WaitForFirstConsumer' });
    expect(immediateProblem(hostClaim(), waiting)).to.equal(undefined);
    const theirs = storageClass('theirs', { provisioner: 'disks', volumeBindingMode: 'Immediate' });
    expect(immediateProblem(hostClaim(), theirs)).to.equal(undefined);
  });

  it('has nothing against one that has a volume, or goes', () => {
    expect(immediateProblem(boundClaim(), IMMEDIATE)).to.equal(undefined);
    const going = hostClaim({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(immediateProblem(going, IMMEDIATE)).to.equal(undefined);
  });
});

describe('ImmediateClaims', () => {
  let harness: StorageHarness;

  beforeEach(() => {
    harness = new StorageHarness();
  });

  afterEach(() => harness.end());

  async function lead(): Promise<ImmediateClaims> {
    const found = new ImmediateClaims({ host: harness.hostStorage, events: harness.sink('Claim') });
    await harness.settle(3);
    harness.track(found.lead(harness.createController, harness.signal));
    await harness.settle(3);
    return found;
  }

  const warned = (): readonly string[] => harness.warned.map(({ about }) => about);

  it('tells of a claim that was there before, and again before its Event is forgotten', async () => {
    harness.host.seed(storageClasses, IMMEDIATE);
    harness.host.seed(claims, hostClaim(OF_CLASS));
    await lead();
    expect(warned()).to.deep.equal([WARNED]);
    await harness.clock.advance(20 * 60_000);
    await harness.settle();
    expect(warned()).to.deep.equal([WARNED, WARNED]);
  });

  it('tells of one whose class comes later', async () => {
    harness.host.seed(claims, hostClaim(OF_CLASS));
    await lead();
    expect(warned()).to.deep.equal([]);
    await harness.host.create(storageClasses, IMMEDIATE);
    await harness.settle(3);
    expect(warned()).to.deep.equal([WARNED]);
  });

  it('tells of one that is given such a class later, and not of other changes', async () => {
    harness.host.seed(storageClasses, IMMEDIATE);
    harness.host.seed(claims, hostClaim({ spec: { storageClassName: 'other' } }));
    await lead();
    const ref = { namespace: 'shop', name: 'data' };
    await harness.host.patch(claims, ref, { metadata: { labels: { step: '1' } } }, { type: 'merge' });
    await harness.settle(3);
    expect(warned()).to.deep.equal([]);
    await harness.host.patch(claims, ref, OF_CLASS, { type: 'merge' });
    await harness.settle(3);
    expect(warned()).to.deep.equal([WARNED]);
  });

  it('says nothing of a claim that is gone', async () => {
    expect(await (await lead()).reconcile('shop/data')).to.deep.equal({});
    expect(warned()).to.deep.equal([]);
  });
});
