import { expect } from 'chai';
import type { Node, Pod } from '../../../../src/apis/core.js';
import { deleteNode, deletePod, drainStep } from '../../../../src/clustertree/cluster/drain.js';
import { readManagedKeys } from '../../../../src/clustertree/cluster/managed-keys.js';
import { diffNode } from '../../../../src/clustertree/node/diff.js';
import { nodes, pods } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, virtualNode } from '../../../support/member-harness.js';

describe('drainStep', () => {
  let harness: MemberHarness;
  let node: Node;

  beforeEach(() => {
    harness = new MemberHarness();
    node = harness.host.seed(nodes, virtualNode('kosmos-east'));
  });

  afterEach(() => harness.end());

  function addPod(name: string, more: Pod['metadata'] = {}): Pod {
    const spec = { nodeName: 'kosmos-east', containers: [], terminationGracePeriodSeconds: 20 };
    return harness.host.seed(pods, { metadata: { namespace: 'shop', name, ...more }, spec });
  }

  function podNow(name: string): Pod | undefined {
    return harness.host.peek(pods, { namespace: 'shop', name });
  }

  function nodeNow(): Node {
    return harness.host.peek(nodes, { name: 'kosmos-east' })!;
  }

  const step = (podsOnThem: readonly Pod[], force = false): Promise<number> =>
    drainStep(harness.host, [node], podsOnThem, { force, signal: harness.signal });

  it('cordons the node', async () => {
    await step([]);
    expect(nodeNow().spec?.unschedulable).to.be.true;
  });

  it('lets the node say that the cordon is ours, beside what else it says', async () => {
    const annotations = { ...node.metadata?.annotations, 'kosmos.io/managed-keys': '{"labels":["a"]}' };
    node = harness.host.edit(nodes, { name: 'kosmos-east' }, { metadata: { annotations } });
    await step([]);
    expect(readManagedKeys(nodeNow())).to.deep.include({ labels: ['a'], unschedulable: true });
  });

  it('makes a cordon that goes away when the node stays after all', async () => {
    await step([]);
    expect(diffNode(nodeNow(), virtualNode('kosmos-east'))?.spec).to.deep.equal({ unschedulable: null });
  });

  it("leaves an administrator's cordon theirs", async () => {
    node = harness.host.edit(nodes, { name: 'kosmos-east' }, { spec: { unschedulable: true } });
    await step([]);
    expect(readManagedKeys(nodeNow()).unschedulable).to.be.false;
    expect(diffNode(nodeNow(), virtualNode('kosmos-east'))).to.be.undefined;
  });

  it('leaves a node alone that has changed since it was read', async () => {
    harness.host.edit(nodes, { name: 'kosmos-east' }, { metadata: { labels: { a: 'b' } } });
    await step([]);
    expect(nodeNow().spec?.unschedulable).to.be.undefined;
  });

  it('deletes pods with their own grace', async () => {
    expect(await step([addPod('web'), addPod('db')])).to.equal(2);
    expect(podNow('web')?.metadata).to.include({ deletionGracePeriodSeconds: 20 });
    expect(podNow('db')?.metadata).to.include({ deletionGracePeriodSeconds: 20 });
  });

  it('deletes no pod a second time', async () => {
    await step([addPod('web')]);
    expect(await step([podNow('web')!])).to.equal(1);
    expect(harness.host.callsOf({ verb: 'delete' })).to.have.length(1);
  });

  it('removes pods at once by force, also those that were going', async () => {
    await step([addPod('web')]);
    await step([podNow('web')!], true);
    expect(podNow('web')).to.be.undefined;
  });

  it('touches no other pod of the same name', async () => {
    const old = addPod('web');
    harness.host.erase(pods, { namespace: 'shop', name: 'web' });
    addPod('web');
    await step([old]);
    expect(podNow('web')?.metadata?.deletionTimestamp).to.be.undefined;
  });

  it('is content when all is gone', async () => {
    const pod = addPod('web');
    harness.host.erase(pods, { namespace: 'shop', name: 'web' });
    harness.host.erase(nodes, { name: 'kosmos-east' });
    expect(await step([pod])).to.equal(1);
  });

  it('passes on what the host refuses', async () => {
    harness.host.fail({ verb: 'delete', error: apiError(403, 'Forbidden') });
    const failure = await deletePod(harness.host, addPod('web'), { force: false, signal: harness.signal }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.have.property('statusCode', 403);
  });

  it('deletes only the very node that was meant', async () => {
    await deleteNode(harness.host, { metadata: { ...node.metadata, uid: 'another' } }, harness.signal);
    expect(nodeNow()).to.not.be.undefined;
    await deleteNode(harness.host, node, harness.signal);
    expect(harness.host.peek(nodes, { name: 'kosmos-east' })).to.be.undefined;
  });

  it('gives up with its caller', async () => {
    harness.stop.abort(new Error('no longer leading'));
    expect(await step([]).catch((error: unknown) => error)).to.have.property('message', 'no longer leading');
  });
});
