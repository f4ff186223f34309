import { expect } from 'chai';
import type { KubeObject, Pod } from '../../../../src/apis/core.js';
import type { MemberTokens } from '../../../../src/clustertree/identity/member-tokens.js';
import { TokenReconciler } from '../../../../src/clustertree/identity/token-reconciler.js';
import { trimTokenSecret, type TokenSecret } from '../../../../src/clustertree/identity/token-secret.js';
import { IndexedStore } from '../../../../src/kube/store.js';
import { pods } from '../../../../src/kube/resource.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { MemberHarness, ownNamespace, ownPod } from '../../../support/member-harness.js';

const POD_KEY = 'shop/web';
const KEY = 'shop/kosmos-token-pod-uid';
const POD: Pod = { metadata: { namespace: 'shop', name: 'web', uid: 'pod-uid' } };

describe('TokenReconciler', () => {
  let harness: MemberHarness;
  let secretStore: IndexedStore<TokenSecret>;
  let hostPod: Pod | undefined;
  let podKeys: Set<string>;
  let isCurrent: boolean;
  let isUsedLive: boolean;
  let nextMs: number | undefined;
  let done: string[];
  let reconciler: TokenReconciler;

  beforeEach(async () => {
    harness = new MemberHarness();
    secretStore = new IndexedStore();
    hostPod = POD;
    podKeys = new Set([POD_KEY]);
    isCurrent = true;
    isUsedLive = false;
    nextMs = 60_000;
    done = [];
    const tokens: Pick<MemberTokens, 'ensure' | 'remove'> = {
      ensure: (pod) => {
        done.push(`ensure ${pod.metadata?.name ?? ''}`);
        return Promise.resolve(nextMs);
      },
      remove: ({ name }, uid) => {
        done.push(`remove ${name} ${uid}`);
        return Promise.resolve();
      },
    };
    const member = harness.member();
    reconciler = new TokenReconciler({
      member,
      hostPods: { get: () => hostPod },
      secretObjects: { store: secretStore },
      tokens: tokens as MemberTokens,
      podsOf: () => podKeys,
      isUsedLive: () => {
        done.push('ask');
        return Promise.resolve(isUsedLive);
      },
      isCurrent: () => isCurrent,
      onWaiting: (key) => done.push(`wait ${key}`),
    });
    await harness.settle(3);
  });

  afterEach(() => harness.end());

  const reconcile = (): Promise<Result> => reconciler.reconcile(KEY, harness.context);
  const seedSecret = (more: KubeObject['metadata'] = {}): void =>
    secretStore.set(KEY, trimTokenSecret(ownNamespace('kosmos-token-pod-uid', { uid: 'secret-uid', ...more })));

  async function seedMemberPod(hostUid: string): Promise<void> {
    harness.client.seed(pods, ownPod(POD_KEY, hostUid));
    await harness.settle(3);
  }

  it('keeps tokens fresh, and comes back when the next is due', async () => {
    seedSecret();
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 60_000 });
    nextMs = 0;
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 1_000 });
    nextMs = undefined;
    expect(await reconcile()).to.deep.equal({});
    expect(done).to.deep.equal(['ensure web', 'ensure web', 'ensure web']);
  });

  it('brings them back for a pod that runs in the member', async () => {
    expect(await reconcile()).to.deep.equal({});
    expect(done).to.be.empty;
    await seedMemberPod('pod-uid');
    await reconcile();
    expect(done).to.deep.equal(['ensure web']);
  });

  it('does not take the copy of an earlier pod of the name for its own', async () => {
    await seedMemberPod('earlier-uid');
    await reconcile();
    expect(done).to.be.empty;
  });

  it('does not take a later pod of the name for the one that the tokens are for', async () => {
    seedSecret();
    hostPod = { metadata: { ...POD.metadata, uid: 'later-uid' } };
    await reconcile();
    expect(done).to.deep.equal(['ask', 'remove kosmos-token-pod-uid secret-uid']);
  });

  it('removes those of a pod that is gone, after asking the host', async () => {
    seedSecret();
    podKeys.clear();
    expect(await reconcile()).to.deep.equal({});
    expect(done).to.deep.equal(['ask', 'remove kosmos-token-pod-uid secret-uid']);
  });

  it('waits for the cache when the host knows of the pod', async () => {
    seedSecret();
    podKeys.clear();
    isUsedLive = true;
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 1_000 });
    expect(done).to.deep.equal(['ask']);
  });

  it('puts off what can not be judged', async () => {
    seedSecret();
    isCurrent = false;
    await reconcile();
    expect(done).to.deep.equal([`wait ${KEY}`]);
  });
});
