import { expect } from 'chai';
import { MEMBER_CREDENTIAL_LABEL } from '../../../../src/apis/names.js';
import { createCredentialFeature, waitMs } from '../../../../src/clustertree/cluster/credential-renewal.js';
import type { ClusterConfig } from '../../../../src/clustertree/cluster/options.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { secrets, tokenRequests } from '../../../../src/kube/resource.js';
import { Secret } from '../../../../src/kube/secret.js';
import { renderTokenKubeconfig, tokenOf } from '../../../../src/kube/token-kubeconfig.js';
import { clusterConfig, MemberHarness } from '../../../support/member-harness.js';

const REF = { namespace: 'kosmos-system', name: 'credential' };
const HOUR_MS = 3_600_000;
const LIFETIME_MS = 168 * HOUR_MS;

function tokenAt(issuedAtMs: number, subject = 'system:serviceaccount:kosmos-member:kosmos-m'): string {
  const claims = { sub: subject, iat: issuedAtMs / 1000, exp: (issuedAtMs + LIFETIME_MS) / 1000 };
  return `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;
}

describe('the renewal of the token for a member', () => {
  let harness: MemberHarness;
  let issuedAtMs: number;

  beforeEach(() => {
    harness = new MemberHarness();
    issuedAtMs = Math.floor(harness.clock.now() / 1000) * 1000;
  });

  afterEach(async () => {
    await harness.end();
  });

  function seed(token: string, labels: Record<string, string> = { [MEMBER_CREDENTIAL_LABEL]: 'true' }): void {
    const server = { server: 'https://m:6443', insecureSkipTlsVerify: false };
    const kubeconfig = renderTokenKubeconfig('m', server, new Secret(token));
    harness.host.seed(secrets, {
      metadata: { ...REF, labels },
      data: { kubeconfig: Buffer.from(kubeconfig).toString('base64'), other: 'kept' },
    });
  }

  function start(
    config: ClusterConfig = clusterConfig({ spec: { kubeconfig: undefined, kubeconfigSecretRef: REF } }),
  ): void {
    const feature = createCredentialFeature({ host: harness.host, clock: harness.clock });
    harness.track(feature.open(harness.member({ config })).lead(harness.signal));
  }

  const stored = (): string | undefined =>
    tokenOf(Buffer.from(harness.host.peek(secrets, REF)?.data?.['kubeconfig'] ?? '', 'base64').toString());
  const requests = (): number => harness.client.callsOf({ verb: 'create', type: tokenRequests }).length;

  it('waits until half of its life is over', async () => {
    seed(tokenAt(issuedAtMs));
    start();
    await harness.clock.advance(LIFETIME_MS / 2 - HOUR_MS);
    expect(requests()).to.equal(0);
    await harness.clock.advance(HOUR_MS + 600_000);
    expect(requests()).to.equal(1);
    expect(stored()).not.to.equal(tokenAt(issuedAtMs));
  });

  it('asks for as long a life again, for the same account, and keeps the rest of the Secret', async () => {
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    start();
    await harness.settle(3);
    const [call] = harness.client.callsOf({ verb: 'create', type: tokenRequests });
    expect(call?.subresource).to.equal('token');
    expect(call?.body).to.deep.include({
      metadata: { namespace: 'kosmos-member', name: 'kosmos-m' },
      spec: { audiences: [], expirationSeconds: LIFETIME_MS / 1000 },
    });
    expect(harness.host.peek(secrets, REF)?.data?.['other']).to.equal('kept');
  });

  it('tries again after a failure of the member, and after a conflict in the host', async () => {
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    const error = (code: number): ApiError => new ApiError({ message: 'no', code }, { statusCode: code });
    harness.client.fail({ verb: 'create', error: error(503) });
    harness.host.fail({ verb: 'update', error: error(409) });
    start();
    await harness.settle(3);
    await harness.clock.advance(30_000);
    expect(stored()).to.equal(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    await harness.clock.advance(30_000);
    expect(requests()).to.equal(3);
    expect(stored()).not.to.equal(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    expect(JSON.stringify(harness.logs)).not.to.contain('head.');
  });

  const left: readonly (readonly [string, () => void])[] = [
    ['a Secret that does not ask for it', () => seed(tokenAt(0), {})],
    ['what is no token of a service account', () => seed(tokenAt(0, 'somebody'))],
    ['a Secret that is missing', () => undefined],
  ];
  for (const [what, prepare] of left) {
    it(`leaves ${what} alone`, async () => {
      prepare();
      start();
      await harness.settle(3);
      await harness.clock.advance(HOUR_MS);
      expect(requests()).to.equal(0);
      expect(harness.host.callsOf({ verb: 'update' })).to.deep.equal([]);
    });
  }

  it('has nothing to do where the kubeconfig is in the Cluster itself', async () => {
    start(clusterConfig());
    await harness.settle(2);
    expect(harness.host.calls).to.deep.equal([]);
  });
});

describe('waitMs', () => {
  const token = { namespace: 'a', name: 'b', issuedAtMs: 1000, expiresAtMs: 3000 };
  for (const [now, wait] of [
    [1000, 1000],
    [1500, 500],
    [2000, 0],
    [9000, 0],
  ] as const) {
    it(`is ${wait} at ${now} of a token from 1000 to 3000`, () => {
      expect(waitMs(token, now)).to.equal(wait);
    });
  }
});
