import { expect } from 'chai';
import { MEMBER_CREDENTIAL_LABEL } from '../../../../src/apis/names.js';
import {
  createCredentialFeature,
  CredentialRenewal,
  waitMs,
} from '../../../../src/clustertree/cluster/credential-renewal.js';
import type { ClusterConfig } from '../../../../src/clustertree/cluster/options.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { secrets, tokenRequests } from '../../../../src/kube/resource.js';
import { Secret } from '../../../../src/kube/secret.js';
import { readServiceAccountToken } from '../../../../src/kube/service-account-token.js';
import { renderTokenKubeconfig, tokenOf } from '../../../../src/kube/token-kubeconfig.js';
import { clusterConfig, MemberHarness } from '../../../support/member-harness.js';

const REF = { namespace: 'kosmos-system', name: 'credential' };
const HOUR_MS = 3_600_000;
const LIFETIME_MS = 168 * HOUR_MS;

const SUBJECT = 'system:serviceaccount:kosmos-member:kosmos-m';

function tokenAt(issuedAtMs: number, subject = SUBJECT, lifetimeMs = LIFETIME_MS): string {
  const claims = { sub: subject, iat: issuedAtMs / 1000, exp: (issuedAtMs + lifetimeMs) / 1000 };
  return `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;
}

describe('the renewal of the token for a member', () => {
  let harness: MemberHarness;
  let issuedAtMs: number;
  let expiries: (readonly [cluster: string, expiresAtMs: number | undefined])[];

  beforeEach(() => {
    expiries = [];
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
    const feature = createCredentialFeature({
      ...{ host: harness.host, clock: harness.clock },
      onExpiry: (cluster, expiresAtMs) => void expiries.push([cluster, expiresAtMs]),
    });
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

  it('tells when the token ends, and when the next one does', async () => {
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    start();
    await harness.settle(3);
    const [cluster, endsAtMs = 0] = expiries[0] ?? [];
    expect(cluster).to.equal(clusterConfig().name);
    expect(endsAtMs - harness.clock.now()).to.be.closeTo(LIFETIME_MS * 0.4, 2_000);
    const [, nextEndsAtMs = 0] = expiries.at(-1) ?? [];
    expect(nextEndsAtMs - harness.clock.now()).to.be.closeTo(
      (readServiceAccountToken(stored() ?? '')?.expiresAtMs ?? 0) - harness.clock.now(),
      2_000,
    );
    expect(expiries).to.have.length(2);
  });

  it('tells that nobody knows, where a token is not to be renewed', async () => {
    seed(tokenAt(issuedAtMs), {});
    start();
    await harness.settle(3);
    expect(expiries).to.deep.equal([[clusterConfig().name, undefined]]);
  });

  it('is left to somebody else as long as that one does it', async () => {
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    let isOurs = false;
    const config = { name: 'm', kubeconfig: { kind: 'secret', ...REF } } as const;
    const renewal = new CredentialRenewal(
      { host: harness.host, clock: harness.clock, onExpiry: () => undefined, isOurs: () => isOurs },
      { config, client: harness.client, logger: harness.member().logger },
    );
    harness.track(renewal.lead(harness.signal));
    await harness.clock.advance(HOUR_MS);
    expect(requests()).to.equal(0);
    expect(harness.host.callsOf({ verb: 'get', type: secrets })).to.deep.equal([]);
    isOurs = true;
    await harness.clock.advance(30_000);
    expect(requests()).to.equal(1);
  });

  const MINUTE_MS = 60_000;
  for (const minutes of [10, 12, 15, 20, 60, 24 * 60]) {
    it(`never lets a token of ${minutes} minutes end`, async () => {
      seed(tokenAt(issuedAtMs, SUBJECT, minutes * MINUTE_MS));
      const left = (): number => (readServiceAccountToken(stored() ?? '')?.expiresAtMs ?? 0) - harness.clock.now();
      // A member takes no token that has ended, not even for a new one.
      harness.client.intercept = () => {
        if (left() <= 0) throw new ApiError({ code: 401, reason: 'Unauthorized', message: 'expired' });
      };
      start();
      for (let passed = 0; passed < 50; passed += 1) {
        await harness.clock.advance((minutes / 10) * MINUTE_MS);
        expect(left(), `after ${passed + 1} tenths of its life`).to.be.above(0);
      }
      expect(requests()).to.be.within(5, 10);
    });
  }

  it('does not renew again and again what the member issues for a shorter time than it was asked for', async () => {
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    start();
    await harness.settle(3);
    harness.client.intercept = ({ verb }) => {
      if (verb === 'create') harness.clock.setWall(harness.clock.now() + LIFETIME_MS);
    };
    await harness.clock.advance(10 * MINUTE_MS);
    const before = requests();
    await harness.clock.advance(10 * MINUTE_MS);
    expect(requests() - before).to.be.at.most(20);
  });

  it('keeps all of the kubeconfig but the token', async () => {
    const old = tokenAt(issuedAtMs - LIFETIME_MS * 0.6);
    seed(old);
    const before = harness.host.peek(secrets, REF)?.data?.['kubeconfig'] ?? '';
    start();
    await harness.settle(3);
    const after = harness.host.peek(secrets, REF)?.data?.['kubeconfig'] ?? '';
    const text = (data: string): string => Buffer.from(data, 'base64').toString();
    expect(text(after).replace(stored() ?? '', old)).to.equal(text(before));
    expect(harness.host.peek(secrets, REF)?.metadata?.labels).to.deep.equal({ [MEMBER_CREDENTIAL_LABEL]: 'true' });
  });

  it('stores nothing when the member issues no token', async () => {
    const old = tokenAt(issuedAtMs - LIFETIME_MS * 0.6);
    seed(old);
    harness.client.create = () => Promise.resolve({} as never);
    start();
    await harness.settle(3);
    await harness.clock.advance(HOUR_MS);
    expect(stored()).to.equal(old);
    expect(harness.host.callsOf({ verb: 'update' })).to.deep.equal([]);
    expect(JSON.stringify(harness.logs)).to.contain('the member issued no token');
  });

  it('does not overwrite what somebody stores while it asks for a new token', async () => {
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6));
    const theirs = tokenAt(issuedAtMs);
    harness.client.intercept = ({ verb }) => {
      if (verb !== 'create') return;
      harness.host.erase(secrets, REF);
      seed(theirs);
    };
    start();
    await harness.settle(4);
    expect(stored()).to.equal(theirs);
  });

  it('takes a token of another account as soon as it is stored', async () => {
    seed(tokenAt(issuedAtMs));
    start();
    await harness.settle(3);
    harness.host.erase(secrets, REF);
    seed(tokenAt(issuedAtMs - LIFETIME_MS * 0.6, 'system:serviceaccount:elsewhere:another'));
    await harness.clock.advance(10 * MINUTE_MS);
    const [call] = harness.client.callsOf({ verb: 'create', type: tokenRequests });
    expect(call?.body).to.deep.include({ metadata: { namespace: 'elsewhere', name: 'another' } });
  });

  it('goes by the clock of the member, whatever that of the manager shows', async () => {
    seed(tokenAt(issuedAtMs));
    harness.client.serverTime = () => Promise.resolve(issuedAtMs + LIFETIME_MS * 0.7);
    start();
    await harness.settle(3);
    expect(requests()).to.equal(1);
  });

  it('ends without a word when it does not lead any more', async () => {
    seed(tokenAt(issuedAtMs));
    start();
    await harness.settle(3);
    await harness.end();
    expect(harness.clock.pendingTimers).to.equal(0);
    expect(harness.logs.filter(({ level }) => level === 'warn')).to.deep.equal([]);
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
