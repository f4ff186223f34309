import { expect } from 'chai';
import type { KubeObject } from '../../../../src/apis/core.js';
import { CONFIG_MAP_KIND } from '../../../../src/clustertree/config/kinds.js';
import type { MemberCopies, SyncOutcome } from '../../../../src/clustertree/config/member-copies.js';
import { CopyReconciler } from '../../../../src/clustertree/config/reconciler.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { configMaps } from '../../../../src/kube/resource.js';
import { IndexedStore } from '../../../../src/kube/store.js';
import { apiError, MemberHarness, ownNamespace } from '../../../support/member-harness.js';

const KEY = 'shop/settings';
const REF = { namespace: 'shop', name: 'settings' };
const POD = 'shop/web';

describe('CopyReconciler', () => {
  let harness: MemberHarness;
  let hostStore: IndexedStore<KubeObject>;
  let copyStore: IndexedStore<KubeObject>;
  let users: Set<string>;
  let liveUse: boolean;
  let current: { host: boolean; member: boolean };
  let outcome: SyncOutcome;
  /** What the reconciler did, in order. */
  let done: string[];
  let reconciler: CopyReconciler;

  beforeEach(() => {
    harness = new MemberHarness();
    hostStore = new IndexedStore();
    copyStore = new IndexedStore();
    users = new Set();
    liveUse = false;
    current = { host: true, member: true };
    outcome = { kind: 'synced' };
    done = [];
    const copies: Pick<MemberCopies, 'memberKey' | 'sync' | 'remove' | 'forget'> = {
      memberKey: (key) => key,
      sync: () => {
        done.push('sync');
        return Promise.resolve(outcome);
      },
      remove: (_key, uid) => {
        done.push(`remove ${uid}`);
        return Promise.resolve();
      },
      forget: () => void done.push('forget'),
    };
    reconciler = new CopyReconciler({
      ...{ kind: CONFIG_MAP_KIND, host: harness.host, member: harness.member() },
      hostObjects: { store: hostStore },
      copyObjects: { store: copyStore },
      copies: copies as MemberCopies,
      usersOf: () => users,
      isUsedLive: () => {
        done.push('ask');
        return Promise.resolve(liveUse);
      },
      isCurrent: () => current,
      onWaiting: (key) => done.push(`wait ${key}`),
    });
  });

  afterEach(() => harness.end());

  const reconcile = (): Promise<Result> => reconciler.reconcile(KEY, harness.context);
  const seedHost = (): void => {
    hostStore.set(KEY, harness.host.seed(configMaps, { metadata: REF }));
  };
  const seedCopy = (): void => copyStore.set(KEY, ownNamespace('settings', { ...REF, uid: 'copy-uid' }));

  it('keeps a copy in step while a pod uses it', async () => {
    seedHost();
    seedCopy();
    users.add(POD);
    expect(await reconcile()).to.deep.equal({});
    expect(done).to.deep.equal(['sync']);
  });

  for (const kind of ['foreign', 'refused'] as const) {
    it(`looks again later when it is ${kind}`, async () => {
      seedHost();
      seedCopy();
      users.add(POD);
      outcome = kind === 'foreign' ? { kind } : { kind, why: 'quota' };
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 60_000 });
    });
  }

  it('removes it when no pod uses it, after asking the host', async () => {
    seedHost();
    seedCopy();
    expect(await reconcile()).to.deep.equal({});
    expect(done).to.deep.equal(['ask', 'remove copy-uid']);
  });

  it('keeps it when the host knows of a pod', async () => {
    seedHost();
    seedCopy();
    liveUse = true;
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 1_000 });
    expect(done).to.deep.equal(['ask']);
  });

  it('removes it when the object is gone, after asking the host', async () => {
    seedCopy();
    users.add(POD);
    await reconcile();
    expect(done).to.deep.equal(['remove copy-uid']);
    expect(harness.host.callsOf({ verb: 'get' })[0]?.type).to.have.property('metadataOnly', true);
  });

  it('keeps it when the host has the object', async () => {
    seedCopy();
    users.add(POD);
    harness.host.seed(configMaps, { metadata: REF });
    await reconcile();
    expect(done).to.deep.equal(['sync']);
  });

  it('removes nothing when the host does not answer', async () => {
    seedCopy();
    users.add(POD);
    harness.host.fail({ verb: 'get', error: apiError(503, 'ServiceUnavailable') });
    expect(await reconcile().catch((error: unknown) => error)).to.have.property('statusCode', 503);
    expect(done).to.deep.equal([]);
  });

  it('puts off what can not be judged', async () => {
    seedCopy();
    current = { host: true, member: false };
    await reconcile();
    expect(done).to.deep.equal([`wait ${KEY}`]);
  });

  it('forgets what nobody uses and nobody has', async () => {
    await reconcile();
    expect(done).to.deep.equal(['forget']);
  });

  it('does nothing for a pod that is yet to be made', async () => {
    seedHost();
    users.add(POD);
    await reconcile();
    expect(done).to.deep.equal([]);
  });
});
