import { expect } from 'chai';
import type { KubeObject, Pod, PodSpec } from '../../../../src/apis/core.js';
import type { Member, MemberModule } from '../../../../src/clustertree/cluster/member.js';
import type { UnmetNeed } from '../../../../src/clustertree/cluster/pod-needs.js';
import { podReferences } from '../../../../src/clustertree/cluster/pod-references.js';
import { HostContents } from '../../../../src/clustertree/config/host-contents.js';
import { trimHostObject } from '../../../../src/clustertree/config/kinds.js';
import { createConfigFeature } from '../../../../src/clustertree/config/module.js';
import { configMaps, metadataOf, pods, secrets } from '../../../../src/kube/resource.js';
import { apiError } from '../../../support/member-harness.js';
import { NODE, PodHarness, WEB } from '../../../support/pod-harness.js';

const SETTINGS = { namespace: 'shop', name: 'settings' };
const LOGIN = { namespace: 'shop', name: 'login' };
const APP = { name: 'app', image: 'app:1' };
const SPEC: PodSpec = {
  nodeName: NODE,
  volumes: [{ name: 'v', configMap: { name: 'settings' } }],
  containers: [{ ...APP, envFrom: [{ secretRef: { name: 'login', optional: true } }] }],
};

describe('the config feature', () => {
  let harness: PodHarness;
  let member: Member;
  let module: MemberModule;
  let term: AbortController;
  let met: string[];

  beforeEach(() => {
    harness = new PodHarness();
    term = new AbortController();
    met = [];
    const { host, hostPods, createInformer, createController, clock } = harness;
    member = harness.member();
    const watch = (type: Parameters<typeof metadataOf>[0]): ReturnType<PodHarness['watch']> =>
      harness.watch(host, metadataOf(type), { transform: trimHostObject });
    module = createConfigFeature({
      ...{ host, hostPods, createInformer, createController, clock, random: () => 0.5 },
      hostConfigMaps: watch(configMaps),
      hostSecrets: watch(secrets),
      contents: new HostContents(host),
    }).open(member);
    module.needs?.onMet((pod) => met.push(pod));
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

  /** Lets time pass, and everything that follows from it. */
  async function pass(ms: number): Promise<void> {
    await harness.clock.advance(ms);
    await harness.settle(6);
  }

  async function ensure(pod: Pod): Promise<readonly UnmetNeed[]> {
    const requirements = { namespace: 'shop', ...podReferences(pod) };
    return (await module.needs?.ensure(pod, requirements, term.signal)) ?? [];
  }

  const seed = (a = '1'): KubeObject => harness.host.seed(configMaps, { metadata: SETTINGS, data: { a } });
  const copy = (): { data?: object | undefined } | undefined => harness.client.peek(configMaps, SETTINGS);

  it('says whether its caches are complete, and why they can not be filled', async () => {
    harness.client.fail({ verb: 'list', type: secrets, error: apiError(403, 'Forbidden', 'may not list secrets') });
    expect(module.synced).to.be.false;
    await lead();
    expect(module.synced).to.be.false;
    expect(module.problem).to.contain('may not list secrets');
    await pass(60_000);
    expect([module.synced, module.problem]).to.deep.equal([true, undefined]);
  });

  it('gives a pod what it needs, and takes it away when the pod is gone', async () => {
    seed();
    harness.host.seed(secrets, { metadata: LOGIN, data: { a: 'MQ==' } });
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    expect(copy()).to.equal(undefined);
    expect(await ensure(pod)).to.deep.equal([]);
    harness.addMemberPod();
    await pass(500);
    expect(copy()?.data).to.deep.equal({ a: '1' });
    expect(harness.client.peek(secrets, LOGIN)?.data).to.deep.equal({ a: 'MQ==' });
    harness.client.erase(pods, WEB);
    harness.host.erase(pods, WEB);
    await pass(500);
    expect(copy()).to.equal(undefined);
    expect(harness.client.peek(secrets, LOGIN)).to.equal(undefined);
  });

  it('says what is missing, and whose turn it is when that appears', async () => {
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    expect(await ensure(pod)).to.deep.equal([
      { reason: 'FailedMount', message: 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found' },
    ]);
    expect(met).to.deep.equal([]);
    seed();
    await pass(0);
    expect(met).to.deep.equal(['shop/web']);
    expect(await ensure(pod)).to.deep.equal([]);
  });

  it('tells no pod that is there already', async () => {
    harness.addHostPod({ spec: SPEC });
    harness.addMemberPod();
    await lead();
    seed();
    await pass(0);
    expect(met).to.deep.equal([]);
    expect(copy()?.data).to.deep.equal({ a: '1' });
  });

  it('says what is foreign, and what the member refuses', async () => {
    seed();
    harness.client.seed(configMaps, { metadata: SETTINGS });
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    expect((await ensure(pod)).map(({ reason }) => reason)).to.deep.equal(['ForeignObject']);
    harness.client.erase(configMaps, SETTINGS);
    harness.client.fail({ verb: 'create', error: apiError(403, 'Forbidden', 'exceeded quota') });
    expect((await ensure(pod))[0]?.message).to.contain('refused by the member: exceeded quota');
  });

  it('carries changes over, and brings back what is deleted or changed in the member', async () => {
    seed();
    harness.addHostPod({ spec: SPEC });
    harness.addMemberPod();
    await lead();
    await pass(500);
    expect(copy()?.data).to.deep.equal({ a: '1' });
    harness.host.edit(configMaps, SETTINGS, { data: { a: '2' } });
    await pass(0);
    expect(copy()?.data).to.deep.equal({ a: '2' });
    harness.client.erase(configMaps, SETTINGS);
    await pass(0);
    expect(copy()?.data).to.deep.equal({ a: '2' });
    harness.client.edit(configMaps, SETTINGS, { data: { a: 'x' } });
    await pass(0);
    expect(copy()?.data).to.deep.equal({ a: '2' });
  });

  it('takes a copy away when the host deletes the object', async () => {
    seed();
    harness.addHostPod({ spec: SPEC });
    harness.addMemberPod();
    await lead();
    await pass(500);
    harness.host.erase(configMaps, SETTINGS);
    await pass(0);
    expect(copy()).to.equal(undefined);
  });

  it('copies what a debug container needs that is added to a running pod', async () => {
    seed();
    harness.addHostPod();
    harness.addMemberPod();
    await lead();
    await pass(500);
    expect(copy()).to.equal(undefined);
    const debug = { ...APP, name: 'debug', envFrom: [{ configMapRef: { name: 'settings' } }] };
    harness.host.edit(pods, WEB, { spec: { ephemeralContainers: [debug] } });
    await pass(0);
    expect(copy()?.data).to.deep.equal({ a: '1' });
  });

  it('touches nothing while the member can not be reached, and catches up then', async () => {
    seed();
    const pod = harness.addHostPod({ spec: SPEC });
    await lead();
    await ensure(pod);
    await pass(500);
    harness.probe.found(false);
    harness.host.erase(pods, WEB);
    await pass(1_000);
    expect(copy()?.data).to.deep.equal({ a: '1' });
    harness.probe.found(true);
    await pass(1_000);
    expect(copy()).to.equal(undefined);
  });

  it('leaves the Secrets of tokens to others', async () => {
    await lead();
    const watched = harness.client.callsOf({ verb: 'list', type: secrets }).map(({ options }) => options);
    expect(watched).to.have.length(1);
    expect(JSON.stringify(watched)).to.contain(',!kosmos.io/token').and.contain('kosmos.io/cluster=member1');
  });

  it('reads no content of what nobody needs', async () => {
    seed();
    harness.host.seed(secrets, { metadata: LOGIN, data: { a: 'MQ==' } });
    await lead();
    await pass(1_000);
    expect(harness.host.callsOf({ verb: 'get' })).to.be.empty;
    expect(harness.host.calls.filter(({ type }) => type?.kind === 'Secret').every(({ type }) => type?.metadataOnly)).to
      .be.true;
  });

  it('can lead again after it has ended', async () => {
    seed();
    harness.addHostPod({ spec: SPEC });
    harness.addMemberPod();
    await lead();
    term.abort(new Error('lost'));
    await pass(0);
    harness.client.erase(configMaps, SETTINGS);
    await pass(0);
    expect(copy()).to.equal(undefined);
    term = new AbortController();
    harness.track(module.lead(term.signal));
    await pass(500);
    expect(copy()?.data).to.deep.equal({ a: '1' });
  });
});
