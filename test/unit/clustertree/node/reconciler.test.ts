import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import type { Member } from '../../../../src/clustertree/cluster/member.js';
import { MemberInventory } from '../../../../src/clustertree/node/inventory.js';
import { NodeReconciler } from '../../../../src/clustertree/node/reconciler.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { nodes } from '../../../../src/kube/resource.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError, MemberHarness, virtualNode } from '../../../support/member-harness.js';
import { memberNode } from '../../../support/member-objects.js';

const NAME = 'kosmos-member1';
const HEARTBEAT = { requeueAfterMs: 300_000 };

describe('NodeReconciler', () => {
  let harness: MemberHarness;
  let hostNodes: Informer<Node>;
  let inventory: MemberInventory;
  let reconciler: NodeReconciler;
  let conflicts: (string | undefined)[];
  let created: string[];

  beforeEach(async () => {
    harness = new MemberHarness();
    hostNodes = harness.hostNodes();
    inventory = new MemberInventory();
    inventory.setNode(memberNode('n1'));
    [conflicts, created] = [[], []];
    reconciler = make(harness.member());
    await harness.settle(2);
  });

  afterEach(() => harness.end());

  function make(member: Member, cache = hostNodes): NodeReconciler {
    const { host, clock } = harness;
    return new NodeReconciler({
      ...{ host, clock, member, inventory, hostNodes: cache },
      kubelet: { addresses: ['10.0.0.1'], portOf: () => 10_250 },
      onConflict: (_node, message) => conflicts.push(message),
      onCreated: (node) => created.push(node.metadata?.name ?? ''),
    });
  }

  async function reconcile(name = NAME): Promise<Result> {
    const result = await reconciler.reconcile(name, harness.context);
    await harness.settle();
    return result;
  }

  function now(): Node | undefined {
    return harness.host.peek(nodes, { name: NAME });
  }

  function writes(): number {
    return harness.host.calls.filter(({ verb }) => verb === 'create' || verb === 'patch').length;
  }

  function cpu(): unknown {
    return now()?.status?.allocatable?.['cpu'];
  }

  it('makes the node with its status in one call', async () => {
    expect(await reconcile()).to.deep.equal(HEARTBEAT);
    expect(now()?.metadata?.labels).to.include({ 'kosmos.io/node': 'true' });
    expect(now()?.status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    expect([writes(), created, conflicts]).to.deep.equal([1, [NAME], [undefined]]);
    expect(now()?.status?.nodeInfo?.kubeletVersion).to.equal('v1.36.3');
  });

  it('writes nothing when all is as it should be', async () => {
    await reconcile();
    await harness.clock.advance(2_000);
    await reconcile();
    expect(writes()).to.equal(1);
  });

  it('follows the capacity of the member', async () => {
    await reconcile();
    inventory.setNode(memberNode('n2'));
    await reconcile();
    expect(cpu()).to.equal('8');
    expect(hostNodes.store.get(NAME)?.status?.allocatable?.['cpu']).to.equal('8');
  });

  it('writes at most once a second, however much changes', async () => {
    await reconcile();
    inventory.setNode(memberNode('n2'));
    await reconcile();
    inventory.setNode(memberNode('n3'));
    await harness.clock.advance(400);
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 600 });
    expect(cpu()).to.equal('8');
    await harness.clock.advance(600);
    await reconcile();
    expect(cpu()).to.equal('12');
  });

  it('takes back what somebody changed of ours', async () => {
    await reconcile();
    harness.host.edit(nodes, { name: NAME }, { metadata: { labels: { 'kosmos.io/cluster': 'wrong', mine: 'yes' } } });
    await harness.settle();
    await reconcile();
    expect(now()?.metadata?.labels).to.include({ 'kosmos.io/cluster': 'member1', mine: 'yes' });
  });

  it('takes back the cordon of a Cluster that was to leave', async () => {
    await reconcile();
    const annotations = { 'kosmos.io/managed-keys': '{"unschedulable":true}' };
    harness.host.edit(nodes, { name: NAME }, { metadata: { annotations }, spec: { unschedulable: true } });
    await harness.settle();
    await reconcile();
    expect(now()?.spec?.unschedulable).to.not.equal(true);
  });

  it('makes a node again that was deleted by hand', async () => {
    await reconcile();
    harness.host.erase(nodes, { name: NAME });
    await harness.settle();
    await reconcile();
    expect([now() === undefined, created]).to.deep.equal([false, [NAME, NAME]]);
  });

  it('renews the heartbeat of the conditions every five minutes', async () => {
    await reconcile();
    await harness.clock.advance(299_999);
    await reconcile();
    expect(writes()).to.equal(1);
    await harness.clock.advance(1);
    await reconcile();
    expect(writes()).to.equal(2);
    expect(now()?.status?.conditions?.[0]?.lastHeartbeatTime).to.equal('2026-01-01T00:05:00.000Z');
  });

  it('writes no heartbeat only because the manager was restarted', async () => {
    await reconcile();
    await harness.clock.advance(400_000);
    reconciler = make(harness.member());
    await harness.settle(2);
    await reconcile();
    expect(writes()).to.equal(1);
  });

  it('leaves a node of another kind alone, and looks again in half a minute', async () => {
    harness.host.seed(nodes, { metadata: { name: NAME } });
    expect(await reconcile()).to.deep.equal({ requeueAfterMs: 30_000 });
    expect(conflicts).to.deep.equal([`node ${NAME} exists and is not a virtual node`]);
    expect(harness.host.callsOf({ verb: 'patch' })).to.be.empty;
  });

  it("leaves another Cluster's virtual node alone", async () => {
    harness.host.seed(nodes, virtualNode(NAME, 'member2'));
    await harness.settle();
    await reconcile();
    expect(conflicts).to.deep.equal([`virtual node ${NAME} exists and belongs to Cluster member2`]);
    expect(writes()).to.equal(0);
  });

  it('makes the node as soon as the other is gone', async () => {
    harness.host.seed(nodes, virtualNode(NAME, 'member2'));
    await harness.settle();
    await reconcile();
    harness.host.erase(nodes, { name: NAME });
    await harness.settle();
    await reconcile();
    expect(conflicts.at(-1)).to.be.undefined;
    expect(created).to.deep.equal([NAME]);
  });

  it('goes on with a node of its own that the cache does not know yet', async () => {
    harness.host.intercept = ({ verb }) => {
      if (verb === 'create') harness.host.seed(nodes, virtualNode(NAME));
    };
    await reconcile();
    expect([conflicts, created]).to.deep.equal([[undefined], []]);
    expect(now()?.metadata?.labels).to.include({ 'kosmos.io/cluster': 'member1' });
  });

  it('writes nothing before the nodes of the host are known', async () => {
    reconciler = make(harness.member(), harness.createInformer<Node>({ client: harness.host, type: nodes }));
    expect([await reconcile(), writes()]).to.deep.equal([{}, 0]);
  });

  it('writes nothing while the member does not answer', async () => {
    harness.probe.found(false);
    expect([await reconcile(), writes()]).to.deep.equal([{}, 0]);
  });

  it('does nothing with a node that the Cluster does not name', async () => {
    expect([await reconcile('other'), writes()]).to.deep.equal([{}, 0]);
  });

  it('passes on what the host refuses, and tries again at once', async () => {
    await reconcile();
    inventory.setNode(memberNode('n2'));
    harness.host.fail({ verb: 'patch', error: apiError(500, 'InternalError') });
    expect(await reconcile().catch((error: unknown) => error)).to.have.property('statusCode', 500);
    await reconcile();
    expect(cpu()).to.equal('8');
  });

  it('passes on that the node can not be made', async () => {
    harness.host.fail({ verb: 'create', error: apiError(403, 'Forbidden') });
    expect(await reconcile().catch((error: unknown) => error)).to.have.property('statusCode', 403);
  });
});
