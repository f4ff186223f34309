import { expect } from 'chai';
import type { KubeObject } from '../../../../src/apis/core.js';
import { MemberAccounts } from '../../../../src/clustertree/identity/member-accounts.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { metadataOf, serviceAccounts } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness } from '../../../support/member-harness.js';

const REF = { namespace: 'shop', name: 'robot' };
const KEY = 'shop/robot';

describe('MemberAccounts', () => {
  let harness: MemberHarness;
  let accountObjects: Informer<KubeObject>;
  let accounts: MemberAccounts;

  beforeEach(async () => {
    harness = new MemberHarness();
    const { host, client, clock } = harness;
    accountObjects = harness.watch(client, metadataOf(serviceAccounts), { labelSelector: 'kosmos.io/cluster=member1' });
    accounts = new MemberAccounts({ host, member: harness.member(), accountObjects, clock });
    await harness.settle(4);
  });

  afterEach(() => harness.end());

  const ensure = (key = KEY): Promise<boolean> => accounts.ensure(key, harness.signal);
  const account = (): KubeObject | undefined => harness.client.peek(serviceAccounts, REF);
  const seedHost = (): void =>
    void harness.host.seed(serviceAccounts, { metadata: { ...REF, uid: 'host-uid' }, secrets: [{ name: 's' }] });
  const creates = (): number => harness.client.callsOf({ verb: 'create' }).length;

  it('makes a bare account, once for all who need it', async () => {
    seedHost();
    expect(await Promise.all([ensure(), ensure()])).to.deep.equal([true, true]);
    expect(await ensure()).to.be.true;
    expect(creates()).to.equal(1);
    expect(harness.host.callsOf({ verb: 'get' })).to.have.length(1);
    expect(account()).to.include({ automountServiceAccountToken: false }).and.not.have.any.keys('secrets');
    expect(account()?.metadata?.annotations).to.deep.equal({ 'kosmos.io/host-uid': 'host-uid' });
  });

  it('makes no default account: the member has one', async () => {
    expect(await ensure('shop/default')).to.be.true;
    expect(creates()).to.equal(0);
  });

  it('says that the host has none', async () => {
    expect(await ensure()).to.be.false;
    expect(creates()).to.equal(0);
  });

  it('uses an account of somebody else, and looks again after a while', async () => {
    seedHost();
    harness.client.seed(serviceAccounts, { metadata: REF });
    expect([await ensure(), await ensure()]).to.deep.equal([true, true]);
    expect(creates()).to.equal(1);
    harness.client.erase(serviceAccounts, REF);
    await harness.clock.advance(60_000);
    await ensure();
    expect(account()?.metadata?.labels).to.include({ 'kosmos.io/cluster': 'member1' });
  });

  it('passes failures on, and tries again', async () => {
    seedHost();
    harness.client.fail({ verb: 'create', error: apiError(503, 'ServiceUnavailable') });
    const failed = await ensure().catch((error: unknown) => error);
    expect(failed).to.have.property('statusCode', 503);
    harness.host.fail({ verb: 'get', error: apiError(500, 'InternalError') });
    expect(await ensure().catch((error: unknown) => error)).to.have.property('statusCode', 500);
    expect(await ensure()).to.be.true;
  });

  it('removes the one that is meant', async () => {
    seedHost();
    await ensure();
    const uid = account()?.metadata?.uid ?? '';
    await accounts.remove(KEY, 'another-uid', harness.signal);
    expect(account()).to.not.equal(undefined);
    await accounts.remove(KEY, uid, harness.signal);
    await accounts.remove(KEY, uid, harness.signal);
    expect(account()).to.equal(undefined);
    harness.client.fail({ verb: 'delete', error: apiError(503, 'ServiceUnavailable') });
    const failed = await accounts.remove(KEY, uid, harness.signal).catch((error: unknown) => error);
    expect(failed).to.have.property('statusCode', 503);
  });
});
