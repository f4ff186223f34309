import { expect } from 'chai';
import type { MemberModule } from '../../../../src/clustertree/cluster/member.js';
import { createStorageFeature } from '../../../../src/clustertree/storage/module.js';
import { claims, events, pods, storageClasses, volumes } from '../../../../src/kube/resource.js';
import { apiError } from '../../../support/member-harness.js';
import { WEB } from '../../../support/pod-harness.js';
import { StorageHarness } from '../../../support/storage-harness.js';
import {
  boundClaim,
  chosenClaim,
  COPY_UID,
  DATA,
  HOST_VOLUME,
  hostVolume,
  memberClaim,
  memberVolume,
  namedVolume,
  reachableVolume,
} from '../../../support/storage-objects.js';

describe('the storage feature', () => {
  let harness: StorageHarness;
  let module: MemberModule;

  beforeEach(() => {
    harness = new StorageHarness();
  });

  afterEach(() => harness.end());

  async function start(lead = true): Promise<void> {
    const { host, hostStorage, hostPods, hostNamespaces, createInformer, createController, clock, logger } = harness;
    const feature = createStorageFeature({
      ...{ host, hostStorage, hostPods, hostNamespaces, createInformer, createController, clock, logger },
      random: () => 0.5,
      claimEvents: harness.sink('Claim'),
      volumeEvents: harness.sink('Volume'),
      podEvents: harness.sink('Pod'),
    });
    module = feature.open(harness.member());
    harness.track(module.run(harness.signal));
    if (lead) harness.track(module.lead(harness.signal));
    await settle();
  }

  async function settle(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      await harness.settle(3);
      await harness.clock.advance(600);
    }
  }

  it('says what keeps its caches from being complete', async () => {
    const error = apiError(403, 'Forbidden', 'no volumes for you');
    harness.client.fail({ verb: 'list', type: volumes, error, times: 99 });
    await start(false);
    expect([module.synced, module.problem]).to.deep.equal([false, 'no volumes for you']);
  });

  it('writes nothing before it leads', async () => {
    harness.host.seed(claims, chosenClaim());
    await start(false);
    expect(harness.written).to.deep.equal([]);
    expect(module.synced).to.be.true;
  });

  it('provisions when the scheduler chooses a node', async () => {
    await start();
    harness.host.seed(claims, chosenClaim());
    await settle();
    expect(harness.hostVolume()?.spec?.claimRef?.uid).to.equal('claim-uid');
  });

  it('makes the claim when the host has bound it, and writes nothing after that', async () => {
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, hostVolume());
    await start();
    expect(harness.memberClaim()).not.to.equal(undefined);
    harness.host.calls.length = 0;
    harness.client.calls.length = 0;
    await harness.clock.advance(11 * 60_000);
    await settle();
    expect(harness.written).to.deep.equal([]);
  });

  it('follows what becomes of claim and volume in the member', async () => {
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, hostVolume());
    harness.client.seed(claims, memberClaim({ status: { phase: 'Pending' } }));
    await start();
    harness.client.seed(volumes, memberVolume());
    harness.client.edit(claims, DATA, { status: { phase: 'Bound', capacity: { storage: '3Gi' } } });
    await settle();
    expect(harness.hostClaim()?.status?.capacity).to.deep.equal({ storage: '3Gi' });
    harness.client.edit(volumes, { name: 'pv-of-member' }, { spec: { capacity: { storage: '3Gi' } } });
    await settle();
    expect(harness.hostVolume()?.spec?.capacity).to.deep.equal({ storage: '3Gi' });
  });

  it('tries again when the member gets the class', async () => {
    harness.client.erase(storageClasses, { name: 'fast' });
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, hostVolume());
    await start();
    expect(harness.memberClaim()).to.equal(undefined);
    harness.client.seed(storageClasses, { metadata: { name: 'fast' }, provisioner: 'disks' });
    await settle();
    expect(harness.memberClaim()).not.to.equal(undefined);
  });

  it('removes everything of a claim that the host deletes, step by step', async () => {
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, namedVolume());
    harness.client.seed(claims, memberClaim());
    harness.client.seed(volumes, memberVolume());
    await start();
    harness.host.erase(claims, DATA);
    harness.host.edit(volumes, { name: HOST_VOLUME }, { status: { phase: 'Released' } });
    await settle();
    expect(harness.memberClaim()).to.equal(undefined);
    expect(harness.hostVolume()).not.to.equal(undefined);
    harness.client.erase(volumes, { name: 'pv-of-member' });
    await settle();
    expect(harness.hostVolume()).to.equal(undefined);
  });

  it('acts on nothing while the member is cut off, and on all of it afterwards', async () => {
    harness.client.seed(claims, memberClaim());
    harness.host.seed(volumes, namedVolume({ status: { phase: 'Released' } }));
    harness.probe.found(false);
    await start();
    expect(harness.written).to.deep.equal([]);
    harness.probe.found(true);
    await settle();
    expect([harness.memberClaim(), harness.hostVolume()]).to.deep.equal([undefined, undefined]);
  });

  it('has a pod that waits looked at again when its claim is there', async () => {
    const pod = harness.addUser();
    const met: string[] = [];
    await start();
    module.needs!.onMet((key) => met.push(key));
    const { namespace, name } = DATA;
    const reference = { claimName: name, volume: name, ephemeral: false, readOnly: false };
    const requirements = {
      ...{ namespace, configMaps: [], secrets: [], tokens: [] },
      serviceAccountName: 'default',
      claims: [reference],
    };
    const [unmet] = await module.needs!.ensure(pod, requirements, harness.signal);
    expect(unmet?.message).to.include('"data" not found');
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, hostVolume());
    await settle();
    expect(met).to.include('shop/web');
    expect(await module.needs!.ensure(pod, requirements, harness.signal)).to.deep.equal([]);
  });

  it('copies a one-way volume while pods use it, and no longer', async () => {
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, reachableVolume());
    await start();
    expect(harness.memberClaim()).to.equal(undefined);
    harness.addUser();
    await settle();
    expect(harness.memberClaim()?.spec?.volumeName).to.equal(HOST_VOLUME);
    harness.host.edit(pods, WEB, { status: { phase: 'Succeeded' } });
    await settle();
    expect(harness.memberClaim()).to.equal(undefined);
    expect(harness.memberVolume(HOST_VOLUME)).to.equal(undefined);
    expect(harness.hostVolume()?.metadata?.annotations).not.to.have.property('kosmos-io/cluster-owners');
  });

  it("shows the member's warnings where users look", async () => {
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, hostVolume());
    harness.client.seed(claims, memberClaim({ status: { phase: 'Pending' } }));
    harness.addUser();
    await start();
    const involvedObject = { kind: 'PersistentVolumeClaim', ...DATA, uid: COPY_UID };
    const event = { involvedObject, type: 'Warning', reason: 'ProvisioningFailed', message: 'full' };
    harness.client.seed(events, { metadata: { namespace: 'shop', name: 'e' }, ...event });
    await settle();
    expect(harness.warned.map(({ about }) => about)).to.deep.equal([
      'Claim data ProvisioningFailed',
      'Pod web ProvisioningFailed',
    ]);
  });
});
