import { expect } from 'chai';
import type { Node, Pod } from '../../../../src/apis/core.js';
import { HostPods, type HostPodScope } from '../../../../src/clustertree/cluster/host-pods.js';
import type { Member, MemberModule } from '../../../../src/clustertree/cluster/member.js';
import { createNodeFeature } from '../../../../src/clustertree/node/module.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { leases, nodes, pods } from '../../../../src/kube/resource.js';
import { apiError, clusterConfig, MemberHarness, virtualNode } from '../../../support/member-harness.js';
import { container, memberNodeObject } from '../../../support/member-objects.js';

const NAME = 'kosmos-member1';

describe('the node feature', () => {
  let harness: MemberHarness;
  let hostNodes: Informer<Node>;
  let hostPods: HostPods;
  let member: Member;
  let module: MemberModule;
  let running: AbortController;

  beforeEach(() => {
    harness = new MemberHarness();
    running = new AbortController();
    harness.client.seed(nodes, memberNodeObject('n1'));
    hostNodes = harness.hostNodes();
    hostPods = new HostPods({
      ...{ hostNodes, logger: harness.logger },
      createInformer: (scope: HostPodScope): Informer<Pod> => {
        const fieldSelector = 'node' in scope ? `spec.nodeName=${scope.node}` : 'spec.nodeName!=';
        return harness.createInformer({ client: harness.host, type: pods, fieldSelector });
      },
    });
    harness.track(hostPods.run(harness.signal));
  });

  afterEach(() => harness.end());

  function open(more: Partial<Member> = {}): void {
    member = harness.member(more);
    const { host, createInformer, createController, clock } = harness;
    const feature = createNodeFeature({
      ...{ host, hostNodes, hostPods, createInformer, createController, clock },
      leaseClient: host,
      kubelet: { addresses: ['10.0.0.1'], portOf: () => 10_250 },
    });
    module = feature.open(member);
    harness.track(module.run(harness.signal));
  }

  async function lead(more: Partial<Member> = {}): Promise<void> {
    open(more);
    hostPods.setNodes('member1', new Set([NAME, 'kosmos-old-0']));
    harness.track(module.lead(running.signal).catch(() => undefined));
    harness.signal.addEventListener('abort', () => running.abort(harness.signal.reason));
    await harness.clock.advance(0);
    await harness.clock.advance(0);
  }

  function now(name = NAME): Node | undefined {
    return harness.host.peek(nodes, { name });
  }

  function cpu(): unknown {
    return now()?.status?.allocatable?.['cpu'];
  }

  function writes(): number {
    return harness.host.calls.filter(({ verb }) => verb !== 'list' && verb !== 'watch').length;
  }

  function renewals(): number {
    return harness.host.callsOf({ verb: 'patch', type: leases }).length;
  }

  function foreignPod(name: string, cpu = '1'): void {
    const spec = { nodeName: 'n1', containers: [container('main', { cpu })] };
    harness.client.seed(pods, { metadata: { namespace: 'theirs', name }, spec, status: { phase: 'Running' } });
  }

  it('keeps caches, and writes nothing, while it does not lead', async () => {
    open();
    expect(module.synced).to.be.false;
    await harness.settle(2);
    expect([module.synced, writes()]).to.deep.equal([true, 0]);
    expect(module.report).to.deep.equal({ conflicts: [], nodes: { ready: 1, total: 1 } });
  });

  it('knows the nodes behind its virtual nodes, once it has seen them', async () => {
    harness.client.seed(nodes, memberNodeObject('n0', { unschedulable: true }));
    open();
    expect(module.nodesBehind?.(NAME)).to.equal(undefined);
    await harness.settle(2);
    expect(module.nodesBehind?.(NAME)).to.deep.equal([
      { name: 'n0', ready: true },
      { name: 'n1', ready: true },
    ]);
    expect(module.nodesBehind?.('kosmos-other')).to.deep.equal([]);
  });

  it('says why nodes or pods of the member can not be listed', async () => {
    harness.client.fail({ verb: 'list', type: nodes, error: apiError(403, 'Forbidden', 'no nodes'), times: 9 });
    open();
    await harness.settle(2);
    expect([module.synced, module.problem]).to.deep.equal([false, 'no nodes']);
  });

  it('makes the virtual node and its lease', async () => {
    await lead();
    expect([
      cpu(),
      harness.host.peek(leases, { namespace: 'kube-node-lease', name: NAME }) !== undefined,
    ]).to.deep.equal(['4', true]);
  });

  it('waits for the first look at the member before it makes a node', async () => {
    harness.client.fail({ verb: 'list', type: nodes, error: apiError(403, 'Forbidden'), times: 1 });
    await lead();
    expect(now()).to.be.undefined;
    await harness.clock.advance(2_000);
    expect(cpu()).to.equal('4');
  });

  it('makes the node again when it is deleted', async () => {
    await lead();
    harness.host.erase(nodes, { name: NAME });
    await harness.clock.advance(1_000);
    expect(cpu()).to.equal('4');
  });

  it('subtracts what foreign pods take, within a second', async () => {
    await lead();
    foreignPod('db');
    await harness.clock.advance(1_000);
    expect(cpu()).to.equal('3');
    harness.client.erase(pods, { namespace: 'theirs', name: 'db' });
    await harness.clock.advance(1_000);
    expect(cpu()).to.equal('4');
  });

  it('follows the nodes of the member', async () => {
    await lead();
    harness.client.seed(nodes, memberNodeObject('n2'));
    await harness.clock.advance(1_000);
    expect(cpu()).to.equal('8');
    harness.client.edit(nodes, { name: 'n2' }, { spec: { unschedulable: true } });
    await harness.clock.advance(1_000);
    expect(cpu()).to.equal('4');
    harness.client.erase(nodes, { name: 'n1' });
    await harness.clock.advance(1_000);
    expect(module.report?.nodes).to.deep.equal({ ready: 1, total: 1 });
  });

  it('writes the node once for many changes in a second', async () => {
    await lead();
    await harness.clock.advance(5_000);
    const before = harness.host.callsOf({ verb: 'patch', type: nodes }).length;
    for (let i = 0; i < 3; i += 1) foreignPod(`p${i}`, '100m');
    await harness.clock.advance(1_000);
    expect(cpu()).to.equal('3700m');
    expect(harness.host.callsOf({ verb: 'patch', type: nodes })).to.have.length(before + 1);
  });

  it('renews the leases of all its nodes after each answer of the member', async () => {
    await lead();
    const before = renewals();
    harness.probe.found(true);
    await harness.settle();
    expect(renewals()).to.equal(before + 1);
  });

  it("renews no lease of another Cluster's node", async () => {
    harness.host.seed(nodes, virtualNode('kosmos-other', 'other'));
    await lead();
    harness.probe.found(true);
    await harness.settle();
    expect(harness.host.peek(leases, { namespace: 'kube-node-lease', name: 'kosmos-other' })).to.be.undefined;
  });

  it('writes nothing at all while the member does not answer', async () => {
    await lead();
    harness.probe.found(false);
    const before = writes();
    foreignPod('db');
    harness.host.edit(nodes, { name: NAME }, { metadata: { labels: { 'kosmos.io/cluster': 'wrong' } } });
    await harness.clock.advance(400_000);
    harness.probe.found(false);
    await harness.clock.advance(10_000);
    expect(writes()).to.equal(before);
  });

  it('catches up when the member answers again', async () => {
    await lead();
    harness.probe.found(false);
    foreignPod('db');
    await harness.clock.advance(10_000);
    harness.probe.found(true);
    await harness.clock.advance(0);
    expect(cpu()).to.equal('3');
  });

  it('reports a node that it can not make, and that it can', async () => {
    harness.host.seed(nodes, { metadata: { name: NAME } });
    await lead();
    expect(module.report?.conflicts).to.deep.equal([`node ${NAME} exists and is not a virtual node`]);
    expect(harness.changes).to.equal(1);
    harness.host.erase(nodes, { name: NAME });
    await harness.clock.advance(30_000);
    expect([module.report?.conflicts, harness.changes]).to.deep.equal([[], 2]);
  });

  describe('with a node that leafModels no longer name', () => {
    beforeEach(() => {
      harness.host.seed(nodes, virtualNode('kosmos-old-0'));
    });

    function addPod(): void {
      const spec = { nodeName: 'kosmos-old-0', containers: [] };
      harness.host.seed(pods, { metadata: { namespace: 'shop', name: 'web' }, spec });
    }

    it('lets its pods end, then deletes it', async () => {
      addPod();
      await lead();
      await harness.clock.advance(1_000);
      expect(now('kosmos-old-0')?.spec?.unschedulable).to.be.true;
      expect(harness.host.peek(pods, { namespace: 'shop', name: 'web' })?.metadata?.deletionTimestamp).to.be.a(
        'string',
      );
      harness.host.erase(pods, { namespace: 'shop', name: 'web' });
      await harness.clock.advance(1_000);
      expect(now('kosmos-old-0')).to.be.undefined;
    });

    it('deletes none of its pods while the member does not answer', async () => {
      addPod();
      harness.probe.found(false);
      await lead();
      await harness.clock.advance(5_000);
      expect(writes()).to.equal(0);
      harness.probe.found(true);
      await harness.clock.advance(1_000);
      expect(harness.host.peek(pods, { namespace: 'shop', name: 'web' })?.metadata?.deletionTimestamp).to.be.a(
        'string',
      );
    });
  });

  describe('for a Cluster that leaves', () => {
    it('neither makes nor changes nor deletes nodes, but keeps them alive', async () => {
      harness.host.seed(nodes, virtualNode('kosmos-old-0'));
      await lead({ leaving: true, config: clusterConfig({ spec: { clusterTreeOptions: { enable: false } } }) });
      harness.probe.found(true);
      foreignPod('db');
      await harness.clock.advance(10_000);
      expect(now()).to.be.undefined;
      expect(harness.host.peekAll(leases).map(({ metadata }) => metadata?.name)).to.deep.equal(['kosmos-old-0']);
      harness.host.erase(nodes, { name: 'kosmos-old-0' });
      await harness.clock.advance(1_000);
      expect(harness.host.peekAll(nodes)).to.be.empty;
    });
  });

  it('leaves no listener behind when it no longer leads, and can lead again', async () => {
    await lead();
    expect(harness.probe.listeners).to.equal(1);
    running.abort(new Error('another leads'));
    await harness.settle(2);
    expect(harness.probe.listeners).to.equal(0);
    const before = writes();
    harness.host.erase(nodes, { name: NAME });
    foreignPod('db');
    await harness.clock.advance(10_000);
    expect(writes()).to.equal(before);
    running = new AbortController();
    harness.track(module.lead(running.signal).catch(() => undefined));
    await harness.clock.advance(0);
    expect(cpu()).to.equal('3');
    running.abort(new Error('done'));
  });
});
