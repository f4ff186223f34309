import { expect } from 'chai';
import {
  CLUSTER_OWNERS_ANNOTATION,
  MEMBER_VOLUME_ANNOTATION,
  ONE_WAY_ANNOTATION,
  RECLAIM_POLICY_ANNOTATION,
  SELECTED_NODE_ANNOTATION,
} from '../../../../src/apis/names.js';
import { claims, namespaces, storageClasses, volumes } from '../../../../src/kube/resource.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError, clusterConfig } from '../../../support/member-harness.js';
import { StorageHarness } from '../../../support/storage-harness.js';
import {
  boundClaim,
  chosenClaim,
  COPY_UID,
  copyVolume,
  DATA,
  HOST_VOLUME,
  hostVolume,
  MEMBER_VOLUME,
  memberClaim,
  memberVolume,
  namedVolume,
  plainVolume,
  reachableVolume,
  storageClass,
} from '../../../support/storage-objects.js';

const KEY = 'shop/data';

describe('ClaimReconciler', () => {
  let harness: StorageHarness;

  beforeEach(() => {
    harness = new StorageHarness();
  });

  afterEach(() => harness.end());

  async function reconcile(more: Parameters<StorageHarness['start']>[0] = {}): Promise<Result> {
    await harness.start(more);
    return again();
  }

  async function again(): Promise<Result> {
    harness.host.calls.length = 0;
    harness.client.calls.length = 0;
    const result = await harness.reconciler.reconcile(KEY, harness.context);
    await harness.settle();
    return result;
  }

  function seedBound(volume = namedVolume()): void {
    harness.host.seed(claims, boundClaim());
    harness.host.seed(volumes, volume);
  }

  describe('a claim for which a node of the member is chosen', () => {
    it('gets a volume in the host, once', async () => {
      harness.host.seed(claims, chosenClaim());
      expect(await reconcile()).to.deep.equal({});
      expect(harness.written).to.deep.equal(['host create persistentvolumes']);
      expect(harness.hostVolume()?.spec).to.deep.include({
        csi: { driver: 'member.kosmos.io', volumeHandle: 'member1/claim-uid' },
      });
      await again();
      expect(harness.written).to.deep.equal([]);
    });

    it('is content when the volume was made by an earlier try', async () => {
      harness.host.seed(claims, chosenClaim());
      await harness.start();
      harness.host.fail({ verb: 'create', type: volumes, error: apiError(409, 'AlreadyExists') });
      await again();
      expect(harness.warned).to.deep.equal([]);
    });

    it('is given back to the scheduler when the member has no such class', async () => {
      harness.client.erase(storageClasses, { name: 'fast' });
      harness.host.seed(claims, chosenClaim());
      expect(await reconcile()).to.deep.equal({});
      expect(harness.hostClaim()?.metadata?.annotations ?? {}).not.to.have.property(SELECTED_NODE_ANNOTATION);
      expect(harness.warned.map(({ about }) => about)).to.deep.equal(['Claim data ProvisioningFailed']);
      expect(harness.warned[0]?.message).to.include('no StorageClass fast');
    });

    it('is not given back when it has changed since', async () => {
      harness.client.erase(storageClasses, { name: 'fast' });
      harness.host.seed(claims, chosenClaim());
      harness.host.fail({ verb: 'patch', error: apiError(409, 'Conflict') });
      expect(await reconcile()).to.deep.equal({});
    });

    it('is made in the member first when the class there does not wait, in the mapped class', async () => {
      harness.client.seed(storageClasses, storageClass('ssd', { provisioner: 'disks' }));
      harness.host.seed(claims, chosenClaim());
      const config = clusterConfig({ spec: { clusterTreeOptions: { storageClassMap: { fast: 'ssd' } } } });
      await reconcile({ config });
      expect(harness.written).to.deep.equal([
        'member create namespaces',
        'member create serviceaccounts',
        'member create persistentvolumeclaims',
      ]);
      expect(harness.memberClaim()?.spec?.storageClassName).to.equal('ssd');
      const claim = harness.memberClaim()!;
      harness.client.edit(claims, DATA, { status: { phase: 'Bound' }, spec: { volumeName: MEMBER_VOLUME } });
      harness.client.seed(volumes, memberVolume({ spec: { claimRef: { ...DATA, uid: claim.metadata!.uid! } } }));
      await harness.settle();
      await again();
      expect(harness.written).to.deep.equal(['host create persistentvolumes']);
      expect(harness.hostVolume()?.metadata?.annotations).to.include({ [MEMBER_VOLUME_ANNOTATION]: MEMBER_VOLUME });
    });
  });

  describe('a claim that is stored in the member', () => {
    it('is made there, with its namespace and the policy on record', async () => {
      seedBound(hostVolume());
      expect(await reconcile()).to.deep.equal({});
      expect(harness.written.at(-1)).to.equal('member create persistentvolumeclaims');
      expect(harness.memberClaim()?.metadata?.annotations).to.include({ [RECLAIM_POLICY_ANNOTATION]: 'Delete' });
      await again();
      expect(harness.written).to.deep.equal([]);
    });

    it('names the member node in node mode, where no scheduler would', async () => {
      const leafModels = [{ nodeSelector: { nodeName: 'n1' } }];
      const affinity = { key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] };
      const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [affinity] }] } };
      seedBound(hostVolume({ spec: { nodeAffinity } }));
      await reconcile({ config: clusterConfig({ spec: { clusterTreeOptions: { leafModels } } }) });
      expect(harness.memberClaim()?.metadata?.annotations).to.include({ [SELECTED_NODE_ANNOTATION]: 'n1' });
    });

    it('waits for the namespace in the host', async () => {
      seedBound(hostVolume());
      harness.host.erase(namespaces, { name: 'shop' });
      const failure: unknown = await reconcile().catch((error: unknown) => error);
      expect(failure).to.have.property('message').that.includes('namespace shop');
    });

    it('has its volume filled in, and both policies agree', async () => {
      seedBound(hostVolume());
      harness.client.seed(claims, memberClaim());
      const spec = { capacity: { storage: '2Gi' }, persistentVolumeReclaimPolicy: 'Retain' };
      harness.client.seed(volumes, memberVolume({ spec }));
      await reconcile();
      expect(harness.hostVolume()?.spec).to.deep.include(spec);
      expect(harness.hostVolume()?.metadata?.annotations).to.include({ [MEMBER_VOLUME_ANNOTATION]: MEMBER_VOLUME });
      expect(harness.memberClaim()?.metadata?.annotations).to.include({ [RECLAIM_POLICY_ANNOTATION]: 'Retain' });
      await again();
      expect(harness.written).to.deep.equal([]);
    });

    it('grows there, and its status shows how far that is', async () => {
      seedBound();
      harness.host.edit(claims, DATA, { spec: { resources: { requests: { storage: '2Gi' } } } });
      const annotations = { [RECLAIM_POLICY_ANNOTATION]: 'Delete' };
      harness.client.seed(claims, memberClaim({ metadata: { annotations } }));
      harness.client.seed(volumes, memberVolume());
      await reconcile();
      expect(harness.written).to.deep.equal(['member patch persistentvolumeclaims']);
      expect(harness.memberClaim()?.spec?.resources?.requests).to.deep.equal({ storage: '2Gi' });
      harness.client.edit(claims, DATA, { status: { capacity: { storage: '2Gi' } } });
      await harness.settle();
      await again();
      expect(harness.written).to.deep.equal(['host patch persistentvolumeclaims/status']);
      expect(harness.hostClaim()?.status?.capacity).to.deep.equal({ storage: '2Gi' });
    });

    it('hears why the member will not have it so, and is tried again later', async () => {
      seedBound();
      harness.host.edit(claims, DATA, { spec: { resources: { requests: { storage: '2Gi' } } } });
      harness.client.seed(claims, memberClaim());
      harness.client.fail({ verb: 'patch', error: apiError(403, 'Forbidden', 'the class does not grow') });
      expect(await reconcile()).to.have.property('requeueAfterMs', 60_000);
      expect(harness.warned).to.deep.equal([
        { about: 'Claim data MemberRefusedClaim', message: 'the class does not grow' },
      ]);
    });

    it('throws what is worth another try', async () => {
      seedBound(hostVolume());
      harness.client.fail({ verb: 'create', type: claims, error: apiError(500, 'InternalError') });
      const failure: unknown = await reconcile().catch((error: unknown) => error);
      expect(failure).to.have.property('statusCode', 500);
    });

    it('leaves a claim of somebody else alone, and says so', async () => {
      seedBound(hostVolume());
      harness.client.seed(claims, { metadata: { ...DATA, uid: 'foreign' } });
      expect(await reconcile()).to.have.property('requeueAfterMs');
      expect(harness.warned.map(({ about }) => about)).to.deep.equal(['Claim data ForeignClaim']);
      expect(harness.memberClaim()?.metadata?.uid).to.equal('foreign');
    });

    it('is bound again to a volume that was kept', async () => {
      seedBound();
      const kept = { persistentVolumeReclaimPolicy: 'Retain', claimRef: { ...DATA, uid: 'old', resourceVersion: '1' } };
      harness.client.seed(volumes, memberVolume({ status: { phase: 'Released' }, spec: kept }));
      await reconcile();
      expect(harness.memberVolume()?.spec?.claimRef).to.deep.equal(DATA);
      expect(harness.memberClaim()?.spec?.volumeName).to.equal(MEMBER_VOLUME);
    });

    it('gets no other volume when its own is gone, for which the member is asked', async () => {
      seedBound();
      expect(await reconcile()).to.have.property('requeueAfterMs');
      expect(harness.reads('member')).to.equal(1);
      expect(harness.warned.map(({ about }) => about)).to.deep.equal(['Claim data VolumeLost']);
      expect(harness.memberClaim()).to.equal(undefined);
    });

    it('finds the volume that the cache did not show yet', async () => {
      seedBound();
      await harness.start();
      harness.client.intercept = ({ verb }) => {
        if (verb !== 'get') return;
        harness.client.intercept = undefined;
        harness.client.seed(volumes, memberVolume({ spec: { claimRef: undefined } }));
      };
      await again();
      expect(harness.memberClaim()?.spec?.volumeName).to.equal(MEMBER_VOLUME);
    });

    it('writes nothing about an object whose place another has taken', async () => {
      seedBound(hostVolume());
      harness.client.seed(claims, memberClaim());
      harness.client.seed(volumes, memberVolume());
      await harness.start();
      harness.host.fail({ verb: 'patch', type: volumes, error: apiError(422, 'Invalid') });
      harness.host.erase(volumes, { name: HOST_VOLUME });
      harness.host.fail({ verb: 'get', type: volumes, error: apiError(404, 'NotFound') });
      await again();
      expect(harness.hostVolume()).to.equal(undefined);
    });

    it('throws when the host finds the patch itself wrong', async () => {
      seedBound(hostVolume());
      harness.client.seed(claims, memberClaim());
      harness.client.seed(volumes, memberVolume());
      harness.host.fail({ verb: 'patch', type: volumes, error: apiError(500, 'InternalError') });
      const failure: unknown = await reconcile().catch((error: unknown) => error);
      expect(failure).to.have.property('statusCode', 500);
    });
  });

  describe('an orphan in the member', () => {
    it('goes after the host was asked, by UID', async () => {
      harness.client.seed(claims, memberClaim());
      expect(await reconcile()).to.deep.equal({});
      expect(harness.reads('host')).to.equal(1);
      const [call] = harness.client.callsOf({ verb: 'delete' });
      expect(call?.options).to.deep.include({ preconditions: { uid: COPY_UID } });
    });

    it('stays when the host has the claim after all', async () => {
      harness.client.seed(claims, memberClaim());
      await harness.start();
      harness.host.intercept = ({ verb }) => {
        if (verb !== 'get') return;
        harness.host.intercept = undefined;
        seedBound();
      };
      await again();
      await harness.settle(2);
      expect(harness.memberClaim()).not.to.equal(undefined);
    });

    it('leaves its data when that is to be kept', async () => {
      harness.client.seed(
        claims,
        memberClaim({ metadata: { annotations: { [RECLAIM_POLICY_ANNOTATION]: 'Retain' } } }),
      );
      harness.client.seed(volumes, memberVolume());
      await reconcile();
      expect(harness.written).to.deep.equal(['member patch persistentvolumes', 'member delete persistentvolumeclaims']);
      expect(harness.memberVolume()?.spec?.persistentVolumeReclaimPolicy).to.equal('Retain');
    });

    it('is no matter when it is gone by now', async () => {
      harness.client.seed(claims, memberClaim());
      harness.client.fail({ verb: 'delete', error: apiError(404, 'NotFound') });
      expect(await reconcile()).to.deep.equal({});
      harness.client.fail({ verb: 'delete', error: apiError(409, 'Conflict') });
      expect(await again()).to.deep.equal({});
    });

    it('waits until the caches are current', async () => {
      harness.client.seed(claims, memberClaim());
      await harness.start();
      harness.probe.found(false);
      await again();
      expect(harness.waiting).to.deep.equal([KEY]);
      expect(harness.reconciler.isCurrent).to.be.false;
      expect(harness.written).to.deep.equal([]);
    });
  });

  describe('a claim that is stored in the host, where members can reach it', () => {
    beforeEach(() => {
      harness.host.seed(claims, boundClaim());
      harness.host.seed(volumes, reachableVolume());
    });

    it('is put on record and copied, volume first, when a pod uses it', async () => {
      harness.addUser();
      await reconcile();
      expect(harness.hostVolume()?.metadata?.annotations).to.include({ [CLUSTER_OWNERS_ANNOTATION]: 'member1' });
      expect(harness.written.slice(0, 2)).to.deep.equal([
        'host patch persistentvolumes',
        'member create persistentvolumes',
      ]);
      expect(harness.memberVolume(HOST_VOLUME)?.spec).to.deep.include({ nfs: { server: 'files', path: '/data' } });
      expect(harness.memberClaim()?.spec?.volumeName).to.equal(HOST_VOLUME);
      expect(harness.memberClaim()?.metadata?.annotations).to.include({ [ONE_WAY_ANNOTATION]: 'true' });
      await again();
      expect(harness.written).to.deep.equal([]);
    });

    it('shows its new size there', async () => {
      harness.addUser();
      await reconcile();
      harness.host.edit(volumes, { name: HOST_VOLUME }, { spec: { capacity: { storage: '2Gi' } } });
      await harness.settle();
      await again();
      expect(harness.memberVolume(HOST_VOLUME)?.spec?.capacity).to.deep.equal({ storage: '2Gi' });
    });

    it('leaves a volume of somebody else alone', async () => {
      harness.addUser();
      await harness.start();
      harness.client.intercept = ({ verb, resource }) => {
        if (verb !== 'create' || resource !== 'persistentvolumes') return;
        harness.client.intercept = undefined;
        harness.client.seed(volumes, memberVolume({ metadata: { name: HOST_VOLUME } }));
      };
      await again();
      expect(harness.warned.map(({ about }) => about)).to.deep.equal(['Claim data ForeignVolume']);
    });

    it('is taken away step by step when no pod uses it any more', async () => {
      harness.host.edit(
        volumes,
        { name: HOST_VOLUME },
        { metadata: { annotations: { [CLUSTER_OWNERS_ANNOTATION]: 'member1' } } },
      );
      harness.client.seed(
        claims,
        memberClaim({ metadata: { annotations: { [ONE_WAY_ANNOTATION]: 'true' } }, spec: { volumeName: HOST_VOLUME } }),
      );
      harness.client.seed(volumes, copyVolume());
      const steps: (readonly string[])[] = [];
      await harness.start();
      for (let step = 0; step < 4; step += 1) {
        await again();
        await harness.settle();
        steps.push(harness.written);
      }
      expect(steps).to.deep.equal([
        ['member delete persistentvolumeclaims'],
        ['member delete persistentvolumes'],
        ['host patch persistentvolumes'],
        [],
      ]);
      expect(harness.hostVolume()?.metadata?.annotations).not.to.have.property(CLUSTER_OWNERS_ANNOTATION);
    });
  });

  describe('for a pod', () => {
    async function ensure(): Promise<unknown> {
      await harness.start();
      return harness.reconciler.ensure(KEY, harness.signal);
    }

    it('makes the claim, once for all pods', async () => {
      seedBound(hostVolume());
      await harness.start();
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, () => harness.reconciler.ensure(KEY, harness.signal)),
      );
      expect(outcomes).to.deep.equal(Array(5).fill({ kind: 'ready' }));
      expect(harness.client.callsOf({ verb: 'create', type: claims })).to.have.length(1);
    });

    it('costs no call when the claim is there', async () => {
      seedBound();
      harness.client.seed(claims, memberClaim());
      await harness.start();
      harness.client.calls.length = 0;
      harness.host.calls.length = 0;
      expect(await harness.reconciler.ensure(KEY, harness.signal)).to.deep.equal({ kind: 'ready' });
      expect([harness.client.calls, harness.host.calls]).to.deep.equal([[], []]);
    });

    it('says what is in the way', async () => {
      harness.host.seed(claims, boundClaim());
      harness.host.seed(volumes, plainVolume());
      expect(await ensure()).to.deep.include({ kind: 'unmet', reason: 'VolumeNotReachable' });
    });

    it('says that the claim is not bound', async () => {
      harness.host.seed(claims, chosenClaim());
      expect(await ensure())
        .to.have.property('message')
        .that.includes('is not bound');
    });

    it('says that the claim is going', async () => {
      seedBound();
      harness.client.seed(
        claims,
        memberClaim({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] } }),
      );
      expect(await ensure())
        .to.have.property('message')
        .that.includes('is being deleted in member cluster member1');
    });

    it('says what the member refused', async () => {
      seedBound(hostVolume());
      harness.client.fail({ verb: 'create', type: claims, error: apiError(403, 'Forbidden', 'quota') });
      expect(await ensure()).to.deep.equal({ kind: 'unmet', reason: 'MemberRefusedClaim', message: 'quota' });
    });
  });
});
