import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { Leave, type LeaveProgress } from '../../../../src/clustertree/cluster/leave.js';
import type { Member } from '../../../../src/clustertree/cluster/member.js';
import {
  claims,
  configMaps,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  volumes,
} from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, ownNamespace, ownPod, virtualNode } from '../../../support/member-harness.js';

const DONE: LeaveProgress = { done: true, left: [] };
const TIMEOUT_MS = 60_000;

describe('Leave', () => {
  let harness: MemberHarness;
  let member: Member | undefined;
  let problem: string | undefined;
  let timeoutMs: number;
  let leave: Leave;

  beforeEach(() => {
    harness = new MemberHarness();
    harness.client.paths.set('/apis', '{}');
    const resources = [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] }];
    harness.client.paths.set('/api/v1', JSON.stringify({ groupVersion: 'v1', resources }));
    harness.host.seed(nodes, virtualNode('kosmos-member1'));
    member = harness.member();
    problem = undefined;
    timeoutMs = TIMEOUT_MS;
    leave = make();
  });

  afterEach(() => harness.end());

  function make(): Leave {
    const { host, clock } = harness;
    return new Leave({
      ...{ host, clock },
      virtualNodes: () => host.peekAll(nodes),
      hostPods: () => host.peekAll(pods),
      member: () => member,
      problem: () => problem,
      timeoutMs: () => timeoutMs,
    });
  }

  function step(): Promise<LeaveProgress> {
    return leave.step(harness.signal);
  }

  function addHostPod(name: string, more: Partial<Pod> = {}): void {
    const spec = { nodeName: 'kosmos-member1', containers: [] };
    harness.host.seed(pods, { metadata: { namespace: 'shop', name }, spec, ...more });
  }

  function nodeExists(): boolean {
    return harness.host.peek(nodes, { name: 'kosmos-member1' }) !== undefined;
  }

  it('takes the virtual nodes away when nothing is left', async () => {
    expect(await step()).to.deep.equal(DONE);
    expect(nodeExists()).to.be.false;
  });

  it('can be begun again after it has ended', async () => {
    await step();
    expect(await make().step(harness.signal)).to.deep.equal(DONE);
  });

  it('lets pods end the ordinary way, and touches the member only then', async () => {
    addHostPod('web');
    addHostPod('db');
    harness.client.seed(pods, ownPod('shop/web', 'uid'));
    expect(await step()).to.deep.equal({ done: false, step: 'waiting for 2 pods to end' });
    expect(harness.client.callsOf({ verb: 'delete' })).to.be.empty;
    expect([nodeExists(), harness.host.peek(nodes, { name: 'kosmos-member1' })?.spec?.unschedulable]).to.deep.equal([
      true,
      true,
    ]);
  });

  it('removes pods of ours that nothing in the host stands for', async () => {
    harness.client.seed(pods, ownPod('shop/web', 'uid'));
    harness.client.seed(pods, { metadata: { namespace: 'shop', name: 'theirs' } });
    expect(await step()).to.deep.equal({ done: false, step: 'waiting for pod shop/web in the member' });
    harness.client.erase(pods, { namespace: 'shop', name: 'web' });
    expect(await step()).to.deep.equal(DONE);
    expect(harness.client.peek(pods, { namespace: 'shop', name: 'theirs' })).to.not.be.undefined;
  });

  it('removes what pods needed, also from namespaces that stay, and nothing of others', async () => {
    const { metadata } = ownPod('theirs/settings', 'host-uid');
    const foreign = { namespace: 'theirs', name: 'foreign' };
    for (const type of [configMaps, secrets, serviceAccounts]) {
      harness.client.seed(type, { metadata: { ...metadata, name: 'ours' } });
      harness.client.seed(type, { metadata: foreign });
      const going = { namespace: 'theirs', name: 'going', deletionTimestamp: '2026-01-01T00:00:00Z' };
      harness.client.seed(type, { metadata: { ...metadata, ...going } });
    }
    const first = await step();
    expect(first)
      .to.have.property('step')
      .that.matches(/ConfigMap theirs\/going and 5 more in the member/);
    for (const type of [configMaps, secrets, serviceAccounts]) {
      expect(harness.client.peekAll(type).map((object) => object.metadata?.name)).to.deep.equal(['foreign', 'going']);
      harness.client.erase(type, { namespace: 'theirs', name: 'going' });
    }
    expect(await step()).to.deep.equal(DONE);
    expect(harness.client.peek(secrets, foreign)).to.not.equal(undefined);
  });

  it('leaves claims with their data to whom they belong in the host, and the namespace with them', async () => {
    const { metadata } = ownPod('shop/data', 'claim-uid');
    harness.host.seed(claims, { metadata: { namespace: 'shop', name: 'data', uid: 'claim-uid' } });
    harness.client.seed(claims, { metadata: metadata! });
    harness.client.seed(namespaces, ownNamespace('shop'));
    const resources = [
      { name: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim', namespaced: true, verbs: ['list'] },
    ];
    harness.client.paths.set('/api/v1', JSON.stringify({ groupVersion: 'v1', resources }));
    const kept = [
      'PersistentVolumeClaim shop/data with its data',
      'namespace shop, which holds PersistentVolumeClaim data',
    ];
    expect(await step()).to.deep.equal({ done: true, left: kept });
    expect(harness.client.peekAll(claims)).to.have.length(1);
  });

  it('waits for claims that the host does not have any more, or that are going', async () => {
    harness.host.seed(claims, { metadata: { namespace: 'shop', name: 'later', uid: 'later-uid' } });
    for (const name of ['gone', 'later']) {
      harness.client.seed(claims, { metadata: { ...ownPod(`shop/${name}`, 'uid').metadata } });
    }
    const going = {
      ...ownPod('shop/going', 'uid').metadata,
      deletionTimestamp: '2026-01-01T00:00:00Z',
      finalizers: ['x'],
    };
    harness.client.seed(claims, { metadata: going });
    expect(await step())
      .to.have.property('step')
      .that.includes('and 2 more in the member');
    expect(harness.client.callsOf({ verb: 'delete' })).to.deep.equal([]);
  });

  it('removes one-way copies, and waits until nothing says that the member uses the volume', async () => {
    const mark = { 'kosmos.io/one-way': 'true', 'kosmos.io/host-uid': 'uid' };
    harness.client.seed(claims, { metadata: { ...ownPod('shop/data', 'uid').metadata, annotations: mark } });
    const { labels } = ownPod('shop/data', 'uid').metadata ?? {};
    harness.client.seed(volumes, { metadata: { name: 'files', labels, annotations: mark } });
    const owners = { 'kosmos-io/cluster-owners': 'member1,member2' };
    harness.host.seed(volumes, { metadata: { name: 'files', annotations: owners } });
    expect(await step())
      .to.have.property('step')
      .that.includes('PersistentVolumeClaim shop/data and 2 more');
    expect(harness.client.peekAll(claims)).to.deep.equal([]);
    expect(harness.client.peekAll(volumes)).to.deep.equal([]);
    expect(await step()).to.deep.equal({
      done: false,
      step: 'waiting for the use of PersistentVolume files in the member',
    });
    harness.host.edit(
      volumes,
      { name: 'files' },
      { metadata: { annotations: { 'kosmos-io/cluster-owners': 'member2' } } },
    );
    expect(await step()).to.deep.equal(DONE);
  });

  it('does not wait for a volume of the host that stands for one of the member', async () => {
    const annotations = { 'kosmos-io/cluster-owners': 'member1', 'kosmos.io/member-cluster': 'member1' };
    harness.host.seed(volumes, { metadata: { name: 'adopted', annotations } });
    expect(await step()).to.deep.equal(DONE);
  });

  it('throws what the host does not tell about a claim', async () => {
    harness.client.seed(claims, { metadata: { ...ownPod('shop/data', 'uid').metadata } });
    harness.host.fail({ verb: 'get', error: apiError(500, 'InternalError') });
    expect(await step())
      .to.have.property('step')
      .that.includes('InternalError');
  });

  it('leaves what pods need for as long as there are pods', async () => {
    const { metadata } = ownPod('shop/settings', 'host-uid');
    harness.client.seed(configMaps, { metadata: metadata! });
    harness.client.seed(pods, ownPod('shop/web', 'gone-uid'));
    await step();
    expect(harness.client.peekAll(configMaps)).to.have.length(1);
  });

  it('removes the namespaces that we made', async () => {
    harness.client.seed(namespaces, ownNamespace('shop'));
    harness.client.seed(namespaces, ownNamespace('billing'));
    harness.client.seed(namespaces, { metadata: { name: 'theirs' } });
    expect(await step()).to.deep.equal({
      done: false,
      step: 'waiting for namespace billing and 1 more in the member',
    });
    expect(await step()).to.deep.equal(DONE);
    expect(harness.client.peekAll(namespaces).map(({ metadata }) => metadata?.name)).to.deep.equal(['theirs']);
  });

  it("leaves a namespace that bears our labels but is nobody's copy", async () => {
    harness.client.seed(namespaces, ownNamespace('shop', { annotations: {} }));
    expect(await step()).to.deep.equal(DONE);
    expect(harness.client.peek(namespaces, { name: 'shop' })).to.not.be.undefined;
  });

  it('waits for a namespace that is going', async () => {
    harness.client.seed(namespaces, ownNamespace('shop', { finalizers: ['x'] }));
    await step();
    expect(await step()).to.deep.equal({ done: false, step: 'waiting for namespace shop in the member' });
    expect(harness.client.callsOf({ verb: 'delete', type: namespaces })).to.have.length(1);
  });

  it('says which namespace had to stay, and does not wait for it', async () => {
    harness.client.seed(namespaces, ownNamespace('shop'));
    harness.client.seed(pods, { metadata: { namespace: 'shop', name: 'theirs' } });
    expect(await step()).to.deep.equal({ done: true, left: ['namespace shop, which holds Pod theirs'] });
    expect(nodeExists()).to.be.false;
  });

  describe('without an answer of the member', () => {
    beforeEach(() => harness.probe.found(false));

    it('waits, and says for what', async () => {
      expect(await step()).to.deep.equal({ done: false, step: 'waiting for the member: refused' });
      expect(nodeExists()).to.be.true;
    });

    it('waits for the first probe', async () => {
      harness.probe.result = undefined;
      expect(await step()).to.deep.equal({ done: false, step: 'waiting for the member: it has not answered yet' });
    });

    it('ends when the time is up, and says what it could not look for', async () => {
      addHostPod('web');
      await step();
      await harness.clock.advance(TIMEOUT_MS - 1);
      expect(await step()).to.include({ done: false });
      await harness.clock.advance(1);
      expect(await step()).to.deep.equal({ done: true, left: ['what could not be looked for: refused'] });
      expect([nodeExists(), harness.host.peekAll(pods)]).to.deep.equal([false, []]);
    });

    it('goes on when the member returns in time', async () => {
      await step();
      harness.probe.found(true);
      expect(await step()).to.deep.equal(DONE);
    });

    it('ends at once when the user shortens the time', async () => {
      await step();
      timeoutMs = 0;
      expect(await step()).to.include({ done: true });
    });
  });

  it('says why there is no connection to the member', async () => {
    member = undefined;
    expect(await step()).to.deep.equal({ done: false, step: 'waiting for the member: it is not connected' });
    problem = 'the kubeconfig names no user';
    expect(await step()).to.deep.equal({ done: false, step: 'waiting for the member: the kubeconfig names no user' });
  });

  it('ends without a connection when the time is up', async () => {
    member = undefined;
    await harness.clock.advance(TIMEOUT_MS);
    expect(await step()).to.deep.equal({ done: true, left: ['what could not be looked for: it is not connected'] });
  });

  it('says what was still going when the time was up', async () => {
    harness.client.seed(pods, ownPod('shop/web', 'uid'));
    await step();
    await harness.clock.advance(TIMEOUT_MS);
    expect(await step()).to.deep.equal({ done: true, left: ['pod shop/web'] });
  });

  it('shows what the member answers when it can not be cleaned', async () => {
    await harness.settle();
    harness.client.fail({ verb: 'list', type: pods, error: apiError(403, 'Forbidden', 'pods is forbidden') });
    expect(await step()).to.deep.equal({ done: false, step: 'waiting for the member: pods is forbidden' });
    expect(await step()).to.deep.equal(DONE);
  });

  it('passes on what the host refuses', async () => {
    harness.host.fail({ verb: 'delete', type: nodes, error: apiError(403, 'Forbidden') });
    expect(await step().catch((error: unknown) => error)).to.have.property('statusCode', 403);
  });

  it('gives up with its caller', async () => {
    harness.client.intercept = ({ verb }) => {
      if (verb === 'list') harness.stop.abort(new Error('no longer leading'));
    };
    expect(await step().catch((error: unknown) => error)).to.have.property('message', 'no longer leading');
    expect(nodeExists()).to.be.true;
  });
});
