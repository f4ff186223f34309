import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION, MEMBER_UID_ANNOTATION } from '../../../../src/apis/names.js';
import type { Member } from '../../../../src/clustertree/cluster/member.js';
import { NamespacePolicy } from '../../../../src/clustertree/pod/namespace-policy.js';
import { PodReconciler } from '../../../../src/clustertree/pod/reconciler.js';
import { namespaces, nodes, pods } from '../../../../src/kube/resource.js';
import { EVERYTHING } from '../../../../src/lib/label-selector.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError, clusterConfig, ownPod } from '../../../support/member-harness.js';
import { NODE, PodHarness, WEB } from '../../../support/pod-harness.js';

const RUNNING = { phase: 'Running', podIP: '10.1.0.7', startTime: '2026-01-01T00:00:00Z' };
const POLICY = (text: string): Pod['metadata'] => ({ annotations: { [DISCONNECTION_POLICY_ANNOTATION]: text } });

describe('PodReconciler', () => {
  let harness: PodHarness;
  let member: Member;
  let reconciler: PodReconciler;
  let current: { host: boolean; member: boolean };
  let waiting: string[];

  beforeEach(() => {
    harness = new PodHarness();
    member = harness.member();
    current = { host: true, member: true };
    waiting = [];
    make();
  });

  afterEach(() => harness.end());

  function make(more: Partial<Member> = {}, reserved: readonly string[] = []): void {
    member = { ...member, ...more };
    const { host, caches, events, clock } = harness;
    reconciler = new PodReconciler({
      ...{ host, caches, member, events, clock },
      isCurrent: () => current,
      onWaiting: (key) => waiting.push(key),
      namespacePolicy: new NamespacePolicy(reserved, EVERYTHING),
    });
  }

  async function reconcile(): Promise<Result> {
    await harness.settle(3);
    const result = await reconciler.reconcile('shop/web', harness.context);
    await harness.settle();
    return result;
  }

  const failure = (): Promise<unknown> => reconcile().catch((error: unknown) => error);

  describe('makes', () => {
    it('the member pod, with one call beside its namespace', async () => {
      harness.addHostPod();
      expect(await reconcile()).to.deep.equal({});
      expect(harness.memberPod()?.spec?.containers).to.have.nested.property('0.image', 'app:1');
      expect(harness.writes('member')).to.deep.equal(['create namespaces', 'create serviceaccounts', 'create pods']);
      expect([harness.writes('host'), harness.reads('host'), harness.reads('member')]).to.deep.equal([[], 0, 0]);
    });

    it('it once, even before the watch has told of it', async () => {
      harness.addHostPod();
      await reconcile();
      await reconciler.reconcile('shop/web', harness.context);
      expect(harness.client.callsOf({ verb: 'create', type: pods })).to.have.length(1);
    });

    it('none for a pod on a node of somebody else', async () => {
      harness.host.edit(
        nodes,
        { name: NODE },
        { metadata: { annotations: { 'kosmos-io/owned-by-cluster': 'other' } } },
      );
      harness.addHostPod();
      expect([await reconcile(), harness.writes('member')]).to.deep.equal([{}, []]);
    });

    it('none while a cache can not be trusted, and asks to be called again', async () => {
      harness.addHostPod();
      for (const side of ['host', 'member'] as const) {
        current = { host: true, member: true, [side]: false };
        expect(await reconcile()).to.deep.equal({});
      }
      expect([waiting, harness.writes('member')]).to.deep.equal([['shop/web', 'shop/web'], []]);
    });

    it('none a second time after the answer to the first was lost', async () => {
      harness.addHostPod();
      harness.client.fail({ verb: 'create', type: pods, when: 'after', error: apiError(504, 'Timeout') });
      expect(await failure()).to.have.property('statusCode', 504);
      await reconcile();
      expect(harness.client.peekAll(pods)).to.have.length(1);
      expect(harness.warnings).to.be.empty;
    });

    it("none where somebody else's pod has the name, and says so", async () => {
      harness.addHostPod();
      harness.client.seed(pods, { metadata: { ...WEB } });
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 60_000 });
      expect(harness.warnings[0]).to.match(/^web ForeignPod: /);
      expect(harness.memberPod()?.metadata?.labels).to.be.undefined;
    });

    it('it in place of one that stood in its way and has gone', async () => {
      harness.addHostPod();
      harness.client.fail({ verb: 'create', type: pods, error: apiError(409, 'AlreadyExists') });
      await reconcile();
      expect(harness.memberPod()).to.not.be.undefined;
    });

    it('none for an API server that turns it down, and says so', async () => {
      harness.addHostPod();
      harness.client.fail({ verb: 'create', type: pods, error: apiError(403, 'Forbidden', 'exceeded quota') });
      expect(await failure()).to.have.property('code', 'POD_REFUSED');
      expect(harness.warnings).to.deep.equal(['web MemberRefusedPod: exceeded quota']);
      expect(await reconcile()).to.deep.equal({});
      expect(harness.memberPod()).to.not.be.undefined;
    });

    it('none of a DaemonSet, and fails it with the cure', async () => {
      const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'ds', controller: true };
      harness.addHostPod({ metadata: { ownerReferences: [owner] } });
      await reconcile();
      expect(harness.hostPod()?.status).to.include({ phase: 'Failed', reason: 'DaemonSetNotAllowed' });
      expect(harness.hostPod()?.status?.conditions?.some(({ type }) => type === 'DisruptionTarget')).to.be.false;
      expect([harness.writes('member'), harness.warnings.length]).to.deep.equal([[], 1]);
    });
  });

  describe('refuses', () => {
    it('a pod of a namespace that may not run there', async () => {
      make({}, ['shop']);
      harness.addHostPod();
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 60_000 });
      expect(harness.warnings[0]).to.match(/^web NamespaceNotAllowed: /);
    });

    it('nothing yet of a namespace that it has not heard of', async () => {
      harness.host.erase(namespaces, { name: 'shop' });
      harness.addHostPod();
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 1_000 });
      expect(harness.warnings).to.be.empty;
      harness.host.seed(namespaces, { metadata: { name: 'shop', uid: 'ns-uid' } });
      await reconcile();
      expect(harness.memberPod()).to.not.be.undefined;
    });

    it('a new pod of a cluster that leaves', async () => {
      make({ leaving: true });
      harness.addHostPod();
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 60_000 });
      expect(harness.warnings).to.deep.equal([
        'web NodeLeaving: Virtual node kosmos-member1 takes no new pods: it is about to go.',
      ]);
    });

    it('a new pod on a node that leafModels no longer name', async () => {
      const leafModels = [{ leafNodeName: 'gpu', nodeSelector: { labelSelector: { matchLabels: { pool: 'gpu' } } } }];
      make({ config: clusterConfig({ spec: { clusterTreeOptions: { leafModels } } }) });
      harness.addHostPod();
      await reconcile();
      expect(harness.warnings[0]).to.match(/^web NodeLeaving: /);
      expect(harness.writes('member')).to.be.empty;
    });

    it('a pod that needs what is not there yet, and looks again later', async () => {
      const unmet = { reason: 'FailedMount', message: 'configmap "c" not found' };
      make({ needs: [{ ensure: () => Promise.resolve([unmet]), onMet: () => () => undefined }] });
      harness.addHostPod();
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 10_000 });
      expect(harness.warnings).to.deep.equal(['web FailedMount: configmap "c" not found']);
      expect(harness.memberPod()).to.be.undefined;
    });

    it('a pod that needs what the member does not have, and changes nothing', async () => {
      const volumes = [{ name: 'v', glusterfs: { endpoints: 'e', path: '/' } }];
      harness.addHostPod({ spec: { nodeName: NODE, volumes, containers: [{ name: 'app', image: 'app:1' }] } });
      expect(await reconcile()).to.deep.equal({});
      expect(harness.warnings[0]).to.match(/^web NeedsEndpoints: /);
      expect(harness.writes('member')).to.be.empty;
    });
  });

  describe('mirrors the status', () => {
    it('of the member pod, and remembers which it was', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      await reconcile();
      expect(harness.hostPod()?.status).to.include({ phase: 'Running', podIP: '10.1.0.7' });
      expect(harness.hostPod()?.metadata?.annotations).to.include({ [MEMBER_UID_ANNOTATION]: 'member-uid' });
      expect([harness.writes('host'), harness.reads('host')]).to.deep.equal([['patch pods/status'], 0]);
    });

    it('with no write when nothing differs', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      await reconcile();
      await reconcile();
      expect(harness.writes('host')).to.deep.equal(['patch pods/status']);
    });

    it('with no second write before the watch has told of the first', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      await harness.settle(3);
      await reconciler.reconcile('shop/web', harness.context);
      await reconciler.reconcile('shop/web', harness.context);
      expect(harness.writes('host')).to.deep.equal(['patch pods/status']);
    });

    it('of a pod that has ended, and of one that is being deleted', async () => {
      harness.addHostPod({ metadata: { deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 20 } });
      const going = { deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 20 };
      harness.addMemberPod({ metadata: going, status: { ...RUNNING, phase: 'Succeeded' } });
      await reconcile();
      expect(harness.hostPod()?.status?.phase).to.equal('Succeeded');
    });

    it('again when somebody else wrote at the same time', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      harness.host.fail({ verb: 'patch', subresource: 'status', error: apiError(409, 'Conflict') });
      expect(await failure()).to.have.property('reason', 'Conflict');
      await reconcile();
      expect(harness.hostPod()?.status?.phase).to.equal('Running');
    });

    it('not of a pod that is gone', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      harness.host.fail({ verb: 'patch', error: apiError(404, 'NotFound') });
      expect(await reconcile()).to.deep.equal({});
    });

    it('never to another pod of the name that took its place', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      await harness.settle(3);
      harness.host.erase(pods, WEB);
      harness.addHostPod({ metadata: { uid: 'another' } });
      expect(await reconciler.reconcile('shop/web', harness.context)).to.deep.equal({});
      expect(harness.hostPod()?.status).to.be.undefined;
    });

    it('not when the pod went away while that was found out', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      harness.host.fail({ verb: 'patch', error: apiError(422, 'Invalid') });
      harness.host.fail({ verb: 'get', error: apiError(404, 'NotFound') });
      expect(await reconcile()).to.deep.equal({});
    });

    it('and reports a status that the host finds invalid', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      harness.host.fail({ verb: 'patch', error: apiError(422, 'Invalid') });
      expect(await failure()).to.have.property('statusCode', 422);
    });

    it('and passes on that the host does not answer', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      harness.host.fail({ verb: 'patch', error: apiError(500, 'InternalError') });
      expect(await failure()).to.have.property('statusCode', 500);
    });
  });

  describe('carries over', () => {
    it('a new image', async () => {
      harness.addHostPod({
        spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app:2' }] },
        metadata: { generation: 2 },
      });
      harness.addMemberPod({ status: RUNNING });
      await reconcile();
      expect(harness.memberPod()?.spec?.containers[0]?.image).to.equal('app:2');
      expect(harness.hostPod()?.status?.observedGeneration).to.equal(2);
    });

    it('nothing of a cluster that leaves, but its status', async () => {
      make({ leaving: true, config: clusterConfig({ spec: { clusterTreeOptions: { enable: false } } }) });
      harness.addHostPod({
        spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app:2' }] },
        metadata: { generation: 2 },
      });
      harness.addMemberPod({ status: RUNNING });
      await reconcile();
      expect(harness.writes('member')).to.be.empty;
      expect(harness.hostPod()?.status?.phase).to.equal('Running');
    });
  });

  describe('deletes', () => {
    const going = { deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 7 };

    it('the member pod with the grace period of the request', async () => {
      harness.addHostPod({ metadata: going });
      harness.addMemberPod({ status: RUNNING });
      await reconcile();
      expect(harness.memberPod()?.metadata?.deletionGracePeriodSeconds).to.equal(7);
      expect(harness.writes('host')).to.be.empty;
    });

    it('the host pod once the member pod is gone, at once and by UID', async () => {
      harness.addHostPod({ metadata: going });
      await reconcile();
      expect(harness.hostPod()).to.be.undefined;
      expect(harness.host.callsOf({ verb: 'delete' })[0]?.options).to.deep.include({
        preconditions: { uid: 'host-uid' },
        gracePeriodSeconds: 0,
      });
    });

    it('a member pod that no host pod stands for, after a look at the host', async () => {
      harness.addMemberPod({ status: RUNNING });
      await reconcile();
      expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.a('string');
      expect(harness.reads('host')).to.equal(1);
    });

    it('no member pod whose host pod the cache does not know yet', async () => {
      harness.addMemberPod({ status: RUNNING });
      await harness.settle(3);
      harness.addHostPod();
      expect(await reconciler.reconcile('shop/web', harness.context)).to.deep.equal({});
      expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.undefined;
    });

    it('no member pod while the node of its host pod is gone, and looks again', async () => {
      harness.addHostPod();
      harness.addMemberPod({ status: RUNNING });
      harness.host.erase(nodes, { name: NODE });
      expect(await reconcile()).to.deep.equal({ requeueAfterMs: 5_000 });
      expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.undefined;
    });

    it('no member pod when the host does not answer', async () => {
      harness.addMemberPod({ status: RUNNING });
      harness.host.fail({ verb: 'get', error: apiError(500, 'InternalError') });
      expect(await failure()).to.have.property('statusCode', 500);
      expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.undefined;
    });

    it('the copy of an earlier pod of the name before it makes the new one', async () => {
      harness.addHostPod({ metadata: { uid: 'new' } });
      harness.addMemberPod({ status: RUNNING }, 'old');
      await reconcile();
      expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.a('string');
      harness.client.erase(pods, WEB);
      await reconcile();
      expect(harness.memberPod()?.metadata?.annotations).to.include({ 'kosmos.io/host-uid': 'new' });
    });

    it('nothing that another has deleted or replaced in between', async () => {
      harness.addHostPod({ metadata: going });
      harness.addMemberPod({ status: RUNNING });
      for (const error of [apiError(404, 'NotFound'), apiError(409, 'Conflict')]) {
        harness.client.fail({ verb: 'delete', error });
        expect(await reconcile()).to.deep.equal({});
      }
    });

    it('and passes on that the member does not answer', async () => {
      harness.addHostPod({ metadata: going });
      harness.addMemberPod({ status: RUNNING });
      harness.client.fail({ verb: 'delete', error: apiError(500, 'InternalError') });
      expect(await failure()).to.have.property('statusCode', 500);
    });
  });

  describe('fails a pod whose copy is lost', () => {
    beforeEach(() => {
      harness.addHostPod({ metadata: { annotations: { [MEMBER_UID_ANNOTATION]: 'member-uid' } }, status: RUNNING });
    });

    it('so that its controller replaces it', async () => {
      await reconcile();
      expect(harness.hostPod()?.status).to.include({ phase: 'Failed', reason: 'MemberPodLost' });
      expect(harness.hostPod()?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.status).to.equal(
        'True',
      );
      expect([harness.warnings.length, harness.reads('member')]).to.deep.equal([1, 1]);
    });

    it('and never makes a second one', async () => {
      await reconcile();
      await reconcile();
      expect(harness.writes('member')).to.be.empty;
    });

    it('but not when the cache is merely behind', async () => {
      await harness.settle(3);
      harness.addMemberPod({ status: RUNNING });
      expect(await reconciler.reconcile('shop/web', harness.context)).to.deep.equal({});
      expect(harness.hostPod()?.status?.phase).to.equal('Running');
    });

    it('but not while the member does not answer', async () => {
      harness.client.fail({ verb: 'get', error: apiError(503, 'ServiceUnavailable') });
      expect(await failure()).to.have.property('statusCode', 503);
      expect(harness.hostPod()?.status?.phase).to.equal('Running');
    });
  });

  it('has nothing to do for a name that neither side has', async () => {
    expect([await reconcile(), harness.writes('host'), harness.writes('member')]).to.deep.equal([{}, [], []]);
  });

  describe('with a disconnection policy', () => {
    const seconds = (): unknown =>
      harness.hostPod()?.spec?.tolerations?.map(({ tolerationSeconds }) => tolerationSeconds ?? 'for ever');

    it('writes it into the host pod when it makes the member pod', async () => {
      harness.addHostPod({ metadata: POLICY('EvictAfter=60s') ?? {} });
      await reconcile();
      expect(seconds()).to.deep.equal([60, 60]);
      expect(harness.writes('host')).to.deep.equal(['patch pods']);
    });

    it('keeps it out of the member, at once and later', async () => {
      harness.addHostPod({ metadata: POLICY('Keep') ?? {} });
      await reconcile();
      harness.client.edit(pods, WEB, { status: RUNNING });
      await reconcile();
      expect(seconds()).to.deep.equal(['for ever', 'for ever']);
      expect(harness.memberPod()?.spec?.tolerations ?? []).to.deep.equal([]);
      expect(harness.client.callsOf({ verb: 'patch', type: pods })).to.be.empty;
    });

    it('takes that of the namespace', async () => {
      harness.host.edit(namespaces, { name: 'shop' }, { metadata: POLICY('Keep') });
      harness.addHostPod();
      await reconcile();
      expect(seconds()).to.deep.equal(['for ever', 'for ever']);
    });

    it('takes that of the Cluster', async () => {
      make({ config: clusterConfig({ metadata: { name: 'member1', ...POLICY('EvictAfter=10s') } }) });
      harness.addHostPod();
      await reconcile();
      expect(seconds()).to.deep.equal([10, 10]);
    });

    it('writes it while the member is away, too, and nothing else', async () => {
      current.member = false;
      harness.addHostPod({ metadata: POLICY('Keep') ?? {} });
      await reconcile();
      expect(seconds()).to.deep.equal(['for ever', 'for ever']);
      expect([harness.writes('host'), harness.writes('member')]).to.deep.equal([['patch pods'], []]);
    });

    it('leaves a pod that went meanwhile, and tries again after a conflict', async () => {
      harness.addHostPod({ metadata: POLICY('Keep') ?? {} });
      harness.host.fail({ verb: 'patch', error: apiError(409, 'Conflict') });
      expect(await failure()).to.have.property('reason', 'Conflict');
      harness.host.fail({ verb: 'patch', error: apiError(404, 'NotFound') });
      expect(await reconcile()).to.deep.equal({});
    });

    it('tells once of one that is unreadable', async () => {
      harness.addHostPod({ metadata: POLICY('Forever') ?? {} });
      await reconcile();
      harness.client.edit(pods, WEB, { status: RUNNING });
      await reconcile();
      expect(harness.warnings).to.have.length(1);
      expect(harness.warnings[0]).to.match(/^web UnreadableDisconnectionPolicy: .*"Forever"/);
    });

    it('tells of another one, and of the next pod', async () => {
      harness.addHostPod({ metadata: POLICY('Forever') ?? {} });
      await reconcile();
      harness.host.edit(pods, WEB, { metadata: POLICY('Never') });
      await reconcile();
      harness.host.edit(pods, WEB, { metadata: POLICY('Evict') });
      await reconcile();
      harness.host.edit(pods, WEB, { metadata: POLICY('Never') });
      await reconcile();
      harness.host.erase(pods, WEB);
      harness.client.erase(pods, WEB);
      await reconcile();
      harness.addHostPod({ metadata: POLICY('Never') ?? {} });
      await reconcile();
      const quoted = harness.warnings.map((text) => /"(.*)"/.exec(text)?.[1]);
      expect(quoted).to.deep.equal(['Forever', 'Never', 'Never', 'Never']);
    });
  });

  it('gives up after a few steps when reads and caches contradict each other, and comes again', async () => {
    harness.addHostPod();
    harness.client.fail({ verb: 'create', type: pods, error: apiError(409, 'AlreadyExists'), times: 99 });
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 1_000 });
  });

  it("never touches another Cluster's pods", async () => {
    harness.client.seed(pods, ownPod('shop/web', 'uid', { metadata: { labels: { 'kosmos.io/cluster': 'other' } } }));
    await reconcile();
    expect(harness.writes('member')).to.be.empty;
  });
});
