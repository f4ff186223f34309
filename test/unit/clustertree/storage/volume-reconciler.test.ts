import { expect } from 'chai';
import { VolumeReconciler } from '../../../../src/clustertree/storage/volume-reconciler.js';
import { claims, volumes } from '../../../../src/kube/resource.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError } from '../../../support/member-harness.js';
import { StorageHarness } from '../../../support/storage-harness.js';
import { HOST_VOLUME, hostVolume, memberClaim, memberVolume, namedVolume } from '../../../support/storage-objects.js';

describe('VolumeReconciler', () => {
  let harness: StorageHarness;
  let isCurrent: boolean;
  let waiting: string[];

  beforeEach(() => {
    harness = new StorageHarness();
    isCurrent = true;
    waiting = [];
  });

  afterEach(() => harness.end());

  async function reconcile(volume = namedVolume({ status: { phase: 'Released' } })): Promise<Result> {
    harness.host.seed(volumes, volume);
    const member = await harness.start();
    const reconciler = new VolumeReconciler({
      ...{ client: harness.host, host: harness.hostStorage, member, memberStorage: harness.storage },
      ...{ events: harness.sink('Volume'), isCurrent: () => isCurrent, onWaiting: (key: string) => waiting.push(key) },
    });
    return reconciler.reconcile(HOST_VOLUME, harness.context);
  }

  it('removes the volume of the host when nothing is left in the member, for which that is asked', async () => {
    expect(await reconcile()).to.deep.equal({});
    expect(harness.reads('member')).to.equal(2);
    expect(harness.hostVolume()).to.equal(undefined);
    const [call] = harness.host.callsOf({ verb: 'delete' });
    expect(call?.options).to.deep.include({ preconditions: { uid: 'host-volume-uid' } });
  });

  it('removes one that never had anything there', async () => {
    await reconcile(hostVolume({ status: { phase: 'Released' } }));
    expect([harness.reads('member'), harness.hostVolume()]).to.deep.equal([1, undefined]);
  });

  it('waits for what the member still has', async () => {
    harness.client.seed(claims, memberClaim());
    harness.client.seed(volumes, memberVolume());
    await reconcile();
    expect(harness.hostVolume()).not.to.equal(undefined);
    expect(harness.reads('member')).to.equal(0);
  });

  it('waits when the member has something that the cache does not show', async () => {
    harness.client.intercept = ({ verb }) => {
      if (verb !== 'get') return;
      harness.client.intercept = undefined;
      harness.client.seed(claims, memberClaim());
    };
    await reconcile();
    expect(harness.hostVolume()).not.to.equal(undefined);
  });

  it('has the member delete a volume that it was to keep so far', async () => {
    harness.client.seed(
      volumes,
      memberVolume({ status: { phase: 'Released' }, spec: { persistentVolumeReclaimPolicy: 'Retain' } }),
    );
    await reconcile();
    expect(harness.memberVolume()?.spec?.persistentVolumeReclaimPolicy).to.equal('Delete');
    expect(harness.hostVolume()).not.to.equal(undefined);
  });

  it('says that the member can not delete its volume, and looks again later', async () => {
    harness.client.seed(volumes, memberVolume({ status: { phase: 'Failed', message: 'busy' } }));
    expect(await reconcile()).to.have.property('requeueAfterMs', 60_000);
    expect(harness.warned).to.deep.equal([{ about: `Volume ${HOST_VOLUME} VolumeFailedDelete`, message: 'busy' }]);
  });

  it('comes back when the caches are current again', async () => {
    isCurrent = false;
    await reconcile();
    expect([waiting, harness.hostVolume() === undefined]).to.deep.equal([[HOST_VOLUME], false]);
  });

  it('is content when somebody else was faster', async () => {
    harness.host.fail({ verb: 'delete', error: apiError(404, 'NotFound') });
    expect(await reconcile()).to.deep.equal({});
  });

  it('throws when the host does not delete it', async () => {
    harness.host.fail({ verb: 'delete', error: apiError(500, 'InternalError') });
    const failure: unknown = await reconcile().catch((error: unknown) => error);
    expect(failure).to.have.property('statusCode', 500);
  });

  it('throws when the member can not be asked', async () => {
    harness.client.fail({ verb: 'get', error: apiError(500, 'InternalError') });
    const failure: unknown = await reconcile().catch((error: unknown) => error);
    expect(failure).to.have.property('statusCode', 500);
    expect(harness.hostVolume()).not.to.equal(undefined);
  });

  it('passes over a volume that is gone', async () => {
    harness.host.seed(volumes, hostVolume());
    harness.host.erase(volumes, { name: HOST_VOLUME });
    const member = await harness.start();
    const reconciler = new VolumeReconciler({
      ...{ client: harness.host, host: harness.hostStorage, member, memberStorage: harness.storage },
      ...{ events: harness.sink('Volume'), isCurrent: () => true, onWaiting: () => undefined },
    });
    expect(await reconciler.reconcile('gone', harness.context)).to.deep.equal({});
  });
});
