import { expect } from 'chai';
import type { Pod, PodSpec, Secret } from '../../../../src/apis/core.js';
import type { Member, MemberModule } from '../../../../src/clustertree/cluster/member.js';
import type { UnmetNeed } from '../../../../src/clustertree/cluster/pod-needs.js';
import { podReferences } from '../../../../src/clustertree/cluster/pod-references.js';
import { HostClock } from '../../../../src/clustertree/identity/host-clock.js';
import { createIdentityFeature } from '../../../../src/clustertree/identity/module.js';
import { SigningKeys } from '../../../../src/clustertree/identity/signing-keys.js';
import { pods, secrets, serviceAccounts } from '../../../../src/kube/resource.js';
import { apiError } from '../../../support/member-harness.js';
import { NODE, PodHarness, WEB } from '../../../support/pod-harness.js';

const ROBOT = { namespace: 'shop', name: 'robot' };
const TOKEN_SECRET = { namespace: 'shop', name: 'kosmos-token-host-uid' };
const TOKEN = { serviceAccountToken: { path: 'token', expirationSeconds: 600 } };
const SPEC: PodSpec = {
  nodeName: NODE,
  serviceAccountName: 'robot',
  volumes: [{ name: 'kube-api-access-x', projected: { sources: [TOKEN] } }],
  containers: [{ name: 'app', image: 'app:1' }],
};

describe('the identity feature', () => {
  let harness: PodHarness;
  let member: Member;
  let module: MemberModule;
  let term: AbortController;
  let expiries: (number | undefined)[];

  beforeEach(() => {
    harness = new PodHarness();
    term = new AbortController();
    expiries = [];
    const { host, hostPods, createInformer, createController, clock, logger } = harness;
    member = harness.member();
    const signingKeys = new SigningKeys({ host, clock, logger });
    host.paths.set('/.well-known/openid-configuration', '{"issuer":"a"}');
    host.paths.set('/openid/v1/jwks', '{"keys":[]}');
    harness.track(signingKeys.run(harness.signal));
    module = createIdentityFeature({
      ...{ host, hostPods, createInformer, createController, clock, signingKeys, random: () => 0.5 },
      hostClock: new HostClock(host, clock),
      renewalFraction: 0.8,
      onExpiry: (_cluster, seconds) => expiries.push(seconds),
    }).open(member);
    host.seed(serviceAccounts, { metadata: { ...ROBOT, uid: 'robot-uid' } });
  });

  afterEach(async () => {
    term.abort(new Error('done'));
    await harness.end();
  });

  async function lead(): Promise<void> {
    harness.track(module.run(harness.signal));
    harness.track(module.lead(term.signal));
    await pass(0);
  }

  async function pass(ms: number): Promise<void> {
    await harness.clock.advance(ms);
    await harness.settle(6);
  }

  async function ensure(pod: Pod): Promise<readonly UnmetNeed[]> {
    const requirements = { namespace: 'shop', ...podReferences(pod) };
    return (await module.needs?.ensure(pod, requirements, term.signal)) ?? [];
  }

  /** A pod that runs in the member with its token. */
  async function run(): Promise<void> {
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    await ensure(pod);
    harness.addMemberPod({ status: { phase: 'Running' } });
    await pass(500);
  }

  const secret = (): Secret | undefined => harness.client.peek(secrets, TOKEN_SECRET);
  const account = (): unknown => harness.client.peek(serviceAccounts, ROBOT);
  const requests = (): number => harness.host.callsOf({ subresource: 'token' }).length;

  it('says whether its caches are complete, and why they can not be filled', async () => {
    harness.client.fail({ verb: 'list', type: secrets, error: apiError(403, 'Forbidden', 'may not list secrets') });
    await lead();
    expect(module.synced).to.be.false;
    expect(module.problem).to.contain('may not list secrets');
    await pass(60_000);
    expect([module.synced, module.problem]).to.deep.equal([true, undefined]);
  });

  it('gives a pod its account and its token, and takes both away when its copy is gone', async () => {
    await run();
    expect(secret()?.data).to.have.keys('token-0-0');
    expect(account()).to.not.equal(undefined);
    harness.host.edit(pods, WEB, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    await harness.host.delete(pods, WEB);
    await pass(0);
    expect(secret()).to.not.equal(undefined);
    const reads = harness.host.callsOf({ verb: 'list', type: pods }).length;
    harness.client.erase(pods, WEB);
    await pass(0);
    expect(secret()).to.equal(undefined);
    // The host pod, which is still there, says enough.
    expect(harness.host.callsOf({ verb: 'list', type: pods })).to.have.length(reads);
    harness.host.erase(pods, WEB);
    await pass(500);
    expect(account()).to.equal(undefined);
  });

  it('takes the token of a pod away that vanished, after asking the host', async () => {
    await run();
    harness.client.erase(pods, WEB);
    harness.host.erase(pods, WEB);
    await pass(500);
    expect([secret(), account()]).to.deep.equal([undefined, undefined]);
  });

  it('takes the token of a pod away that has ended', async () => {
    await run();
    harness.client.edit(pods, WEB, { status: { phase: 'Succeeded' } });
    await pass(0);
    expect(secret()).to.equal(undefined);
    expect(account()).to.not.equal(undefined);
  });

  it('renews a token when its time has come', async () => {
    await run();
    const first = secret()?.data;
    await pass(420_000);
    expect(secret()?.data).to.deep.equal(first);
    await pass(61_000);
    expect(secret()?.data).to.not.deep.equal(first);
    expect(requests()).to.equal(2);
  });

  it('renews all tokens when the signing keys change', async () => {
    await run();
    harness.host.paths.set('/openid/v1/jwks', '{"keys":[{"kid":"new"}]}');
    await pass(60_000);
    expect(requests()).to.equal(2);
  });

  it('brings back what somebody deletes', async () => {
    await run();
    harness.client.erase(secrets, TOKEN_SECRET);
    harness.client.erase(serviceAccounts, ROBOT);
    await pass(1_000);
    expect(secret()?.data).to.have.keys('token-0-0');
    expect(account()).to.not.equal(undefined);
  });

  it('touches nothing while the member can not be reached, and catches up then', async () => {
    await run();
    harness.probe.found(false);
    harness.client.erase(pods, WEB);
    harness.host.erase(pods, WEB);
    await pass(2_000);
    expect(secret()).to.not.equal(undefined);
    harness.probe.found(true);
    await pass(1_000);
    expect([secret(), account()]).to.deep.equal([undefined, undefined]);
  });

  it('asks for nothing for a pod that wants nothing', async () => {
    const pod = harness.addHostPod();
    await lead();
    expect(await ensure(pod)).to.deep.equal([]);
    expect(requests()).to.equal(0);
    expect(harness.writes('member')).to.be.empty;
  });

  it('says what an API server would say of a pod whose account is missing', async () => {
    harness.host.erase(serviceAccounts, ROBOT);
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    harness.host.fail({ subresource: 'token', error: apiError(404, 'NotFound', 'serviceaccounts "robot" not found') });
    const unmet = await ensure(pod);
    expect(unmet.map(({ reason }) => reason)).to.deep.equal(['FailedCreate', 'FailedMount']);
    expect(unmet[0]?.message).to.contain('serviceaccount "robot" not found');
    expect(unmet[1]?.message).to.contain('volume "kube-api-access-x" : failed to fetch token: serviceaccounts "robot"');
  });

  it('says that a foreign Secret is in the way', async () => {
    harness.client.seed(secrets, { metadata: TOKEN_SECRET });
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    expect((await ensure(pod))[0]?.message).to.contain('belongs to somebody else');
  });

  it('tries again when a side does not answer', async () => {
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    harness.host.fail({ subresource: 'token', error: apiError(503, 'ServiceUnavailable') });
    expect(await ensure(pod).catch((error: unknown) => error)).to.have.property('statusCode', 503);
  });

  it('reports for how long the token is good that is nearest to its end, while it leads', async () => {
    await run();
    await pass(15_000);
    expect(expiries[0]).to.be.undefined;
    expect(expiries.at(-1)).to.be.within(580, 600);
    term.abort(new Error('lost'));
    await pass(0);
    expect(expiries.at(-1)).to.be.undefined;
  });

  it('tells nobody of what may be had now, because it can not know', () => {
    const stop = module.needs?.onMet(() => expect.fail('nobody was to be told'));
    expect(stop?.()).to.be.undefined;
  });
});
