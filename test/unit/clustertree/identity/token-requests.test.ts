import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { requestToken, tokenRequest, wantedSeconds } from '../../../../src/clustertree/identity/token-requests.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { claimsOf } from '../../../support/tokens.js';

const POD: Pod = {
  metadata: { namespace: 'shop', name: 'web', uid: 'pod-uid' },
  spec: { serviceAccountName: 'robot', containers: [] },
};
const TOKEN = { volume: 'v', key: 'token-0-0' };

describe('wantedSeconds', () => {
  for (const [wish, seconds] of [
    [undefined, 3600],
    [3607, 3600],
    [3600, 3600],
    [86_400, 3600],
    [600, 600],
    [10, 600],
    [1800, 1800],
  ] as const) {
    it(`is ${seconds} for ${wish ?? 'no wish'}`, () => expect(wantedSeconds(wish)).to.equal(seconds));
  }
});

describe('tokenRequest', () => {
  it('binds the token to the host pod, by name and UID', () => {
    const request = tokenRequest(POD, { ...TOKEN, audience: 'vault', expirationSeconds: 900 });
    expect(request.metadata).to.deep.equal({ namespace: 'shop', name: 'robot' });
    expect(request.spec).to.deep.equal({
      audiences: ['vault'],
      expirationSeconds: 900,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'pod-uid' },
    });
  });

  it("leaves the audience to the API server, and takes the pod's default account", () => {
    const request = tokenRequest({ ...POD, spec: { containers: [] } }, TOKEN);
    expect(request.metadata?.name).to.equal('default');
    expect(request.spec?.audiences).to.deep.equal([]);
  });
});

describe('requestToken', () => {
  const { signal } = new AbortController();

  it('gives the token with its times by the clock of the host', async () => {
    const clock = new FakeClock();
    const host = new FakeKubeClient({ clock });
    const issued = await requestToken(host, POD, { ...TOKEN, expirationSeconds: 600 }, signal);
    expect(issued).to.include({ key: 'token-0-0', issuedAt: clock.now() / 1000, expiresAt: clock.now() / 1000 + 600 });
    expect(claimsOf(issued.token).exp).to.equal(issued.expiresAt);
    expect(host.calls.map(({ verb, resource, subresource, ref }) => [verb, resource, subresource, ref])).to.deep.equal([
      ['create', 'serviceaccounts', 'token', { namespace: 'shop', name: 'robot' }],
    ]);
  });

  const encode = (claims: unknown): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  for (const token of [
    'opaque-value',
    'a.b.c',
    '',
    encode({ iat: 1 }),
    encode({ exp: 1 }),
    encode({ iat: '1', exp: 2 }),
  ]) {
    it(`refuses "${token}", and does not quote it`, async () => {
      const answer = { create: () => Promise.resolve({ status: { token, expirationTimestamp: '' } }) };
      const host = answer as unknown as FakeKubeClient;
      const error: unknown = await requestToken(host, POD, TOKEN, signal).catch((caught: unknown) => caught);
      expect(error).to.include({ code: 'API_ERROR' });
      if (token !== '') expect(String(error)).to.not.contain(token);
    });
  }
});
