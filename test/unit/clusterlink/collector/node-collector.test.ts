import { expect } from 'chai';
import { createNodeCollector, NodeCollector } from '../../../../src/clusterlink/collector/node-collector.js';
import { distinctNodeObjectName } from '../../../../src/clusterlink/planner/object-names.js';
import { clusterNodes } from '../../../../src/kube/kosmos-resources.js';
import { nodes } from '../../../../src/kube/resource.js';
import { LINKED, LinkHarness } from '../../../support/link-harness.js';
import { clusterNode } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

describe('NodeCollector', () => {
  let harness: LinkHarness;

  beforeEach(() => {
    harness = new LinkHarness();
  });

  afterEach(() => harness.end());

  function collector(): NodeCollector {
    const { host, clusterNodes: cache } = harness;
    return new NodeCollector({ host, clusterNodes: cache }, harness.connect());
  }

  const specs = (): unknown => harness.host.peekAll(clusterNodes).map(({ spec }) => [spec.nodeName, spec.podCIDRs]);

  it('waits for the nodes to be known', async () => {
    const result = await collector().reconcile(LINKED, harness.context);
    expect(result).to.deep.equal({ requeueAfterMs: 1_000 });
    expect(harness.host.callsOf({ verb: 'create' })).to.deep.equal([]);
  });

  it('makes a ClusterNode for each node, with what its agent found', async () => {
    harness.seedNode('n1', '10.1.0.0/24');
    harness.seedConfig('n1', {}, { detected: { interfaceName: 'eth1', ip: '198.18.0.1', mtu: 9000 } });
    const subject = collector();
    await harness.calm();
    await subject.reconcile(LINKED, harness.context);
    expect(harness.host.peek(clusterNodes, { name: 'east-n1' })?.spec).to.deep.equal({
      ...{ clusterName: 'east', nodeName: 'n1', podCIDRs: ['10.1.0.0/24'] },
      ...{ interfaceName: 'eth1', ip: '198.18.0.1', mtu: 9000 },
    });
  });

  it('writes nothing when all is right, and changes what is not', async () => {
    harness.seedNode('n1', '10.1.0.0/24');
    const subject = collector();
    await harness.calm();
    await subject.reconcile(LINKED, harness.context);
    harness.host.calls.length = 0;
    await subject.reconcile(LINKED, harness.context);
    expect(harness.host.calls.filter(({ verb }) => verb !== 'watch' && verb !== 'list')).to.deep.equal([]);
    harness.host.edit(clusterNodes, { name: 'east-n1' }, { spec: { podCIDRs: ['10.9.0.0/24'] } });
    await harness.calm();
    await subject.reconcile(LINKED, harness.context);
    expect(specs()).to.deep.equal([['n1', ['10.1.0.0/24']]]);
  });

  it('takes ClusterNodes of nodes away that are gone', async () => {
    harness.host.seed(clusterNodes, clusterNode('east', 'n1'));
    harness.host.seed(clusterNodes, clusterNode('west', 'n1'));
    const subject = collector();
    await harness.calm();
    await subject.reconcile(LINKED, harness.context);
    expect(harness.host.peekAll(clusterNodes).map(({ metadata }) => metadata?.name)).to.deep.equal(['west-n1']);
  });

  for (const [what, error] of [
    ['is gone meanwhile', apiError(404, 'NotFound')],
    ['is another one by now', apiError(409, 'Conflict')],
  ] as const) {
    it(`takes it easy when a ClusterNode ${what}`, async () => {
      harness.host.seed(clusterNodes, clusterNode('east', 'n1', { podCIDRs: ['10.9.0.0/24'] }));
      harness.seedNode('n1', '10.1.0.0/24');
      const subject = collector();
      await harness.calm();
      harness.host.fail({ verb: 'patch', error });
      await subject.reconcile(LINKED, harness.context);
      harness.client.erase(nodes, { name: 'n1' });
      await harness.calm();
      harness.host.fail({ verb: 'delete', error });
      await subject.reconcile(LINKED, harness.context);
    });
  }

  it('makes all the others when one is refused, and fails then', async () => {
    for (const name of ['n1', 'n2', 'n3']) harness.seedNode(name, '10.1.0.0/24');
    const subject = collector();
    await harness.calm();
    harness.host.fail({ verb: 'create', error: apiError(500, 'InternalError', 'no') });
    const failed = await subject.reconcile(LINKED, harness.context).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    expect(harness.host.peekAll(clusterNodes)).to.have.length(2);
  });

  it('says so when others leave no name for a node, until one of them goes', async () => {
    const digest = distinctNodeObjectName(LINKED, 'n1');
    for (const name of ['east-n1', digest]) {
      harness.host.seed(clusterNodes, { ...clusterNode('west', name), metadata: { name } });
    }
    harness.seedNode('n1', '10.1.0.0/24');
    const member = harness.connect();
    const subject = new NodeCollector({ host: harness.host, clusterNodes: harness.clusterNodes }, member);
    await harness.calm();
    await subject.reconcile(LINKED, harness.context);
    expect(member.obstacles.list().map(({ reason }) => reason)).to.deep.equal(['NameConflict']);
    expect(member.obstacles.list()[0]?.message).to.include(`east-n1 and ${digest} in the host stand for other nodes`);
    harness.host.erase(clusterNodes, { name: 'east-n1' });
    await harness.calm();
    await subject.reconcile(LINKED, harness.context);
    expect(member.obstacles.list()).to.deep.equal([]);
    expect(harness.host.peek(clusterNodes, { name: 'east-n1' })?.spec.nodeName).to.equal('n1');
  });

  it('keeps in mind what the host refuses', async () => {
    harness.seedNode('n1', '10.1.0.0/24');
    const member = harness.connect();
    const subject = new NodeCollector({ host: harness.host, clusterNodes: harness.clusterNodes }, member);
    await harness.calm();
    harness.host.fail({ verb: 'create', error: apiError(403, 'Forbidden', 'not you') });
    await subject.reconcile(LINKED, harness.context).catch((error: unknown) => error);
    expect(member.obstacles.list()).to.deep.equal([
      { reason: 'WriteFailed', message: "a ClusterNode can't be written: not you" },
    ]);
    await subject.reconcile(LINKED, harness.context);
    expect(member.obstacles.list()).to.deep.equal([]);
  });

  it('runs for a cluster while leading, and not for one that leaves', async () => {
    const feature = createNodeCollector(harness);
    harness.seedNode('n1', '10.1.0.0/24');
    const connection = harness.connect({}, [feature]);
    harness.track(connection.lead(harness.signal));
    harness.track(feature.open(harness.connect({ leaving: true })).lead(harness.signal));
    await harness.calm();
    await harness.calm();
    expect(specs()).to.deep.equal([['n1', ['10.1.0.0/24']]]);
    harness.seedNode('n2', '10.2.0.0/24');
    await harness.calm();
    expect(specs()).to.have.length(2);
  });
});
