import { expect } from 'chai';
import type { KubeObject, Pod } from '../../../../src/apis/core.js';
import { HostClock } from '../../../../src/clustertree/identity/host-clock.js';
import { MemberTokens } from '../../../../src/clustertree/identity/member-tokens.js';
import { trimTokenSecret, type TokenSecret } from '../../../../src/clustertree/identity/token-secret.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { metadataOf, secrets } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, ownNamespace } from '../../../support/member-harness.js';
import { claimsOf } from '../../../support/tokens.js';

const REF = { namespace: 'shop', name: 'kosmos-token-pod-uid' };
const POD: Pod = {
  metadata: { namespace: 'shop', name: 'web', uid: 'pod-uid' },
  spec: {
    containers: [],
    volumes: [
      {
        name: 'v',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { serviceAccountToken: { path: 'vault', audience: 'vault', expirationSeconds: 600 } },
          ],
        },
      },
    ],
  },
};

describe('MemberTokens', () => {
  let harness: MemberHarness;
  let secretObjects: Informer<KubeObject, TokenSecret>;
  let signingKeys: { digest: string | undefined };
  let tokens: MemberTokens;

  beforeEach(async () => {
    harness = new MemberHarness();
    signingKeys = { digest: 'k' };
    await open();
  });

  afterEach(() => harness.end());

  async function open(): Promise<void> {
    const { host, client, clock } = harness;
    const options = { client, type: metadataOf(secrets), labelSelector: 'kosmos.io/token', transform: trimTokenSecret };
    secretObjects = harness.createInformer<KubeObject, TokenSecret>(options);
    harness.track(secretObjects.run(harness.signal));
    const hostClock = new HostClock(host, clock);
    tokens = new MemberTokens({
      ...{ host, member: harness.member(), secretObjects, hostClock, signingKeys, renewalFraction: 0.8 },
    });
    await harness.settle(4);
  }

  const ensure = (pod = POD): Promise<number | undefined> => tokens.ensure(pod, harness.signal);
  const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
  const requests = (): number => harness.host.callsOf({ subresource: 'token' }).length;
  const token = (key: string): string =>
    Buffer.from(harness.client.peek(secrets, REF)?.data?.[key] ?? '', 'base64').toString('utf8');

  function writes(): string[] {
    return harness.client.calls
      .filter(({ verb }) => !['list', 'watch', 'get'].includes(verb))
      .map(({ verb, resource }) => `${verb} ${resource}`);
  }

  it('issues all tokens of a pod with one request each and one write', async () => {
    expect(await ensure()).to.be.within(600_000 * 0.72, 600_000 * 0.8);
    expect(requests()).to.equal(2);
    expect(writes()).to.deep.equal(['create secrets']);
    expect(claimsOf(token('token-0-1'))).to.deep.include({ aud: ['vault'] });
    expect(claimsOf(token('token-0-0')).exp - claimsOf(token('token-0-0')).iat).to.equal(3600);
  });

  it('does nothing for a pod that has them, or wants none', async () => {
    await Promise.all([ensure(), ensure()]);
    await ensure();
    expect(await ensure({ ...POD, spec: { containers: [] } })).to.be.undefined;
    expect([requests(), writes()]).to.deep.equal([2, ['create secrets']]);
  });

  it('renews what is due, and only that', async () => {
    await ensure();
    const [long, short] = [token('token-0-0'), token('token-0-1')];
    await harness.clock.advance(481_000);
    expect(await ensure()).to.be.within(600_000 * 0.72, 600_000 * 0.8);
    expect(token('token-0-0')).to.equal(long);
    expect(token('token-0-1')).to.not.equal(short);
    expect(writes()).to.deep.equal(['create secrets', 'patch secrets']);
    expect(harness.client.callsOf({ verb: 'patch' })[0]?.body).to.have.nested.property('metadata.uid');
  });

  it('renews all when the signing keys change', async () => {
    await ensure();
    signingKeys.digest = 'other';
    await ensure();
    expect(requests()).to.equal(4);
    await ensure();
    expect(requests()).to.equal(4);
  });

  it('finds after a restart that nothing is due, by the clock of the host', async () => {
    await ensure();
    await harness.clock.advance(60_000);
    await open();
    await ensure();
    expect(requests()).to.equal(2);
  });

  it('replaces what a crash left behind before the cache showed it', async () => {
    await ensure();
    const old = harness.client.peek(secrets, REF)?.metadata?.uid;
    const { host, clock } = harness;
    const blind = {
      store: new Map<string, TokenSecret>() as unknown as typeof secretObjects.store,
      assume: () => undefined,
    };
    tokens = new MemberTokens({
      ...{ host, member: harness.member(), secretObjects: blind, signingKeys, renewalFraction: 0.8 },
      hostClock: new HostClock(host, clock),
    });
    await harness.settle(4);
    await ensure();
    expect(harness.client.peek(secrets, REF)?.metadata?.uid).to.not.equal(old);
  });

  it('leaves a foreign Secret of the name, and says so', async () => {
    harness.client.seed(secrets, { metadata: REF, data: { theirs: 'eA==' } });
    expect(await failure(ensure())).to.include({ code: 'FOREIGN_OBJECT' });
    expect(harness.client.peek(secrets, REF)?.data).to.deep.equal({ theirs: 'eA==' });
  });

  it('makes those anew that somebody tampered with', async () => {
    const managedFields = [{ manager: 'kubectl', fieldsV1: { 'f:data': { 'f:token-0-0': {} } } }];
    const { metadata } = ownNamespace(REF.name, { ...REF, uid: 'secret-uid', managedFields });
    const labels = { ...metadata?.labels, 'kosmos.io/token': 'true' };
    harness.client.seed(secrets, { metadata: { ...metadata, labels }, data: { 'token-0-0': 'eA==' } });
    await harness.settle(2);
    await ensure();
    expect(writes()).to.deep.equal(['delete secrets', 'create secrets']);
    expect(harness.client.callsOf({ verb: 'delete' })[0]?.options).to.deep.include({
      preconditions: { uid: 'secret-uid' },
    });
    expect(claimsOf(token('token-0-0')).iat).to.be.a('number');
  });

  it('waits for a Secret that is going', async () => {
    await ensure();
    harness.client.edit(secrets, REF, { metadata: { finalizers: ['a/b'] } });
    await harness.client.delete(secrets, REF);
    await harness.settle(2);
    expect(await failure(ensure())).to.include({ code: 'API_ERROR', retry: 'backoff' });
  });

  it('takes a Secret that is gone while it is renewed for one that the watch is about to miss', async () => {
    await ensure();
    await harness.clock.advance(481_000);
    harness.client.fail({ verb: 'patch', error: apiError(404, 'NotFound') });
    await ensure();
    harness.client.fail({ verb: 'patch', error: apiError(503, 'ServiceUnavailable') });
    expect(await failure(ensure())).to.have.property('statusCode', 503);
  });

  it('passes on what the host says, writes nothing, and tries again', async () => {
    harness.host.fail({ subresource: 'token', error: apiError(404, 'NotFound', 'serviceaccounts "robot" not found') });
    expect(await failure(ensure())).to.have.property('statusCode', 404);
    expect(writes()).to.be.empty;
    await ensure();
    expect(writes()).to.deep.equal(['create secrets']);
  });

  it('removes the Secret that is meant, after what is under way', async () => {
    const issuing = ensure();
    await tokens.remove(REF, 'another-uid', harness.signal);
    await issuing;
    const uid = harness.client.peek(secrets, REF)?.metadata?.uid ?? '';
    await tokens.remove(REF, uid, harness.signal);
    await tokens.remove(REF, uid, harness.signal);
    expect(harness.client.peek(secrets, REF)).to.equal(undefined);
    harness.client.fail({ verb: 'delete', error: apiError(503, 'ServiceUnavailable') });
    expect(await failure(tokens.remove(REF, uid, harness.signal))).to.have.property('statusCode', 503);
  });
});
