import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { NODE_CLUSTER_ANNOTATION } from '../../../../src/apis/names.js';
import type { Member, MemberModule } from '../../../../src/clustertree/cluster/member.js';
import { createPodFeature } from '../../../../src/clustertree/pod/module.js';
import { events, namespaces, nodes, pods } from '../../../../src/kube/resource.js';
import { apiError, clusterConfig } from '../../../support/member-harness.js';
import { NODE, PodHarness, WEB } from '../../../support/pod-harness.js';

const RUNNING = { phase: 'Running', podIP: '10.1.0.7' };

describe('the pod feature', () => {
  let harness: PodHarness;
  let member: Member;
  let module: MemberModule;
  let term: AbortController;
  let dropped: string[];

  beforeEach(() => {
    harness = new PodHarness();
    term = new AbortController();
    dropped = [];
    open();
  });

  afterEach(async () => {
    term.abort(new Error('done'));
    await harness.end();
  });

  function open(more: Partial<Member> = {}): void {
    member = harness.member(more);
    const { host, caches, hostNamespaces, createController, clock, logger } = harness;
    const feature = createPodFeature({
      ...{ host, caches, hostNamespaces, createController, clock, logger, events: harness.events },
      lowPriorityHost: host,
      reservedNamespaces: ['kube-system'],
      onEventDropped: (cluster) => dropped.push(cluster),
      random: () => 0.5,
    });
    module = feature.open(member);
  }

  async function lead(): Promise<void> {
    harness.track(module.run(harness.signal));
    harness.track(module.lead(term.signal));
    await pass(0);
  }

  /** Lets time pass, and everything that follows from it. */
  async function pass(ms: number): Promise<void> {
    await harness.clock.advance(ms);
    await harness.settle(4);
  }

  it('has no caches of its own to wait for', () => {
    expect(module.synced).to.be.true;
  });

  it('writes nothing before it leads', async () => {
    harness.addHostPod();
    harness.track(module.run(harness.signal));
    await pass(10_000);
    expect(harness.writes('member')).to.be.empty;
  });

  it('makes the pods that were there before, and those that come', async () => {
    harness.addHostPod();
    await lead();
    harness.addHostPod({ metadata: { name: 'web2', uid: 'uid2' } });
    await pass(0);
    expect(harness.client.peekAll(pods).map(({ metadata }) => metadata?.name)).to.deep.equal(['web', 'web2']);
  });

  it('brings the status of a pod to the host', async () => {
    harness.addHostPod();
    await lead();
    harness.client.edit(pods, WEB, { status: RUNNING });
    await pass(0);
    expect(harness.hostPod()?.status).to.include(RUNNING);
  });

  it('deletes in the member, then in the host', async () => {
    harness.addHostPod();
    await lead();
    harness.client.edit(pods, WEB, { spec: { nodeName: 'n1' } });
    await harness.host.delete(pods, WEB);
    await pass(0);
    expect(harness.memberPod()?.metadata?.deletionGracePeriodSeconds).to.equal(20);
    harness.client.erase(pods, WEB);
    await pass(0);
    expect(harness.hostPod()).to.be.undefined;
  });

  it('removes what nothing in the host stands for', async () => {
    harness.addMemberPod({ status: RUNNING });
    await lead();
    expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.a('string');
  });

  it('makes a pod as soon as its namespace is known', async () => {
    harness.host.erase(namespaces, { name: 'shop' });
    harness.addHostPod();
    await lead();
    harness.host.seed(namespaces, { metadata: { name: 'shop', uid: 'ns-uid' } });
    await pass(0);
    expect([harness.memberPod() === undefined, harness.warnings]).to.deep.equal([false, []]);
  });

  it('looks at the pods of a namespace again when its labels change', async () => {
    const namespaceSelector = { matchLabels: { team: 'a' } };
    open({ config: clusterConfig({ spec: { clusterTreeOptions: { namespaceSelector } } }) });
    harness.addHostPod();
    await lead();
    expect(harness.memberPod()).to.be.undefined;
    harness.host.edit(namespaces, { name: 'shop' }, { metadata: { labels: { team: 'a' } } });
    await pass(0);
    expect(harness.memberPod()).to.not.be.undefined;
  });

  it('looks at the pods of a node again when it becomes ours', async () => {
    harness.host.edit(nodes, { name: NODE }, { metadata: { annotations: { [NODE_CLUSTER_ANNOTATION]: 'other' } } });
    harness.addHostPod();
    await lead();
    expect(harness.memberPod()).to.be.undefined;
    harness.host.edit(nodes, { name: NODE }, { metadata: { annotations: { [NODE_CLUSTER_ANNOTATION]: 'member1' } } });
    await pass(0);
    expect(harness.memberPod()).to.not.be.undefined;
  });

  describe('while the member does not answer', () => {
    beforeEach(async () => {
      harness.addHostPod({ metadata: { annotations: { 'kosmos.io/disconnection-policy': 'Keep' } } });
      harness.addMemberPod({ status: { phase: 'Pending' } });
      await lead();
      await pass(500);
      harness.probe.found(false);
      harness.host.calls.length = 0;
      harness.client.calls.length = 0;
    });

    it('writes neither to pods of the host nor to those of the member', async () => {
      harness.client.edit(pods, WEB, { status: RUNNING });
      harness.host.edit(pods, WEB, { metadata: { labels: { changed: 'yes' } } });
      harness.addHostPod({ metadata: { name: 'web2', uid: 'uid2' } });
      await pass(400_000);
      expect([harness.writes('host'), harness.writes('member')]).to.deep.equal([[], []]);
    });

    it('deletes nothing that the host has deleted meanwhile, until it is back', async () => {
      await harness.host.delete(pods, WEB, { gracePeriodSeconds: 0 });
      await pass(10_000);
      expect(harness.writes('member')).to.be.empty;
      harness.probe.found(true);
      await pass(500);
      expect(harness.memberPod()?.metadata?.deletionTimestamp).to.be.a('string');
    });

    it('catches up within a second once it is back', async () => {
      harness.client.edit(pods, WEB, { status: RUNNING });
      await pass(10_000);
      harness.probe.found(true);
      await pass(500);
      expect(harness.hostPod()?.status).to.include(RUNNING);
    });

    it('catches up after a gap that was too short to be noticed', async () => {
      harness.client.edit(pods, WEB, { status: RUNNING });
      await pass(100);
      harness.probe.found(true);
      await pass(500);
      expect(harness.hostPod()?.status).to.include(RUNNING);
    });
  });

  it('waits for the first list of the member', async () => {
    harness.addHostPod();
    harness.client.fail({ verb: 'list', type: pods, error: apiError(403, 'Forbidden') });
    await lead();
    expect(harness.memberPod()).to.be.undefined;
    await pass(5_000);
    expect(harness.memberPod()).to.not.be.undefined;
  });

  it('compares everything again every five minutes, and finds nothing to do', async () => {
    harness.addHostPod();
    harness.addMemberPod({ status: RUNNING });
    await lead();
    await pass(500);
    const before = [harness.writes('host').length, harness.writes('member').length];
    await pass(900_000);
    expect([harness.writes('host').length, harness.writes('member').length]).to.deep.equal(before);
  });

  describe('mirrors Events of the member', () => {
    function addEvent(name: string, type = 'Normal'): void {
      const involvedObject = { kind: 'Pod', ...WEB, uid: harness.memberPod()?.metadata?.uid ?? '' };
      harness.client.seed(events, { metadata: { namespace: 'shop', name }, involvedObject, type, reason: 'Pulled' });
    }

    const copies = (): (Pod['metadata'] | undefined)[] => harness.host.peekAll(events).map(({ metadata }) => metadata);

    it('to the host pod', async () => {
      harness.addHostPod();
      await lead();
      addEvent('web.1');
      addEvent('web.2', 'Warning');
      await pass(10_000);
      expect(copies().map((metadata) => metadata?.name)).to.have.members(['web.1', 'web.2']);
      expect(dropped).to.be.empty;
    });

    it('but not those of pods that it does not know', async () => {
      await lead();
      const involvedObject = { kind: 'Pod', namespace: 'shop', name: 'theirs', uid: 'x' };
      harness.client.seed(events, { metadata: { namespace: 'shop', name: 'theirs.1' }, involvedObject });
      await pass(10_000);
      expect(copies()).to.be.empty;
    });

    it('and counts those that the host will not have', async () => {
      harness.addHostPod();
      await lead();
      harness.host.fail({ verb: 'create', type: events, error: apiError(403, 'Forbidden') });
      addEvent('web.1');
      await pass(10_000);
      expect(dropped).to.deep.equal(['member1']);
    });
  });

  it('does nothing more once it no longer leads, leaves no timer, and can lead again', async () => {
    harness.addHostPod();
    await lead();
    term.abort(new Error('another leads'));
    await harness.settle(4);
    expect(harness.clock.pendingTimers).to.equal(0);
    harness.addHostPod({ metadata: { name: 'web2', uid: 'uid2' } });
    await pass(10_000);
    expect(harness.client.peekAll(pods)).to.have.length(1);
    term = new AbortController();
    harness.track(module.lead(term.signal));
    await pass(500);
    expect(harness.client.peekAll(pods)).to.have.length(2);
  });
});
