import { expect } from 'chai';
import type { Node, Pod } from '../../../../src/apis/core.js';
import type { Cluster, ClusterCondition } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { CLEANUP_TIMEOUT_ANNOTATION, CLUSTER_FINALIZER } from '../../../../src/apis/names.js';
import type { MemberConnection } from '../../../../src/clustertree/cluster/connection.js';
import { ClusterController } from '../../../../src/clustertree/cluster/controller.js';
import { HostPods } from '../../../../src/clustertree/cluster/host-pods.js';
import type { Member } from '../../../../src/clustertree/cluster/member.js';
import type { ConnectionProblem } from '../../../../src/clustertree/cluster/connection-registry.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { nodes, pods } from '../../../../src/kube/resource.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError, clusterObject, MemberHarness, ownPod, virtualNode } from '../../../support/member-harness.js';

type Connection = Member & {
  synced: boolean;
  problem: string | undefined;
  reports: { conflicts: readonly string[]; nodes: { ready: number; total: number } }[];
};

const DELETED = '2026-01-01T00:00:00Z';
const OFF = { clusterTreeOptions: { enable: false } };
const AGAIN = { requeueAfterMs: 1_000 };

describe('ClusterController', () => {
  let harness: MemberHarness;
  let cache: Informer<Cluster>;
  let hostNodes: Informer<Node>;
  let hostPods: HostPods;
  let connection: Connection | undefined;
  let problem: ConnectionProblem | undefined;
  let controller: ClusterController;

  beforeEach(async () => {
    harness = new MemberHarness();
    harness.client.paths.set('/apis', '{}');
    harness.client.paths.set('/api/v1', '{}');
    cache = harness.watch(harness.host, clusters);
    hostNodes = harness.hostNodes();
    hostPods = new HostPods({
      ...{ hostNodes, logger: harness.logger },
      createInformer: (): Informer<Pod> => harness.createInformer({ client: harness.host, type: pods }),
    });
    harness.track(hostPods.run(harness.signal));
    connect();
    problem = undefined;
    controller = make();
    await harness.settle(2);
  });

  afterEach(() => harness.end());

  function connect(leaving = false): void {
    const reports = [{ conflicts: [], nodes: { ready: 3, total: 4 } }];
    connection = { ...harness.member({ leaving }), synced: true, problem: undefined, reports };
  }

  function make(): ClusterController {
    const { host, clock, events } = harness;
    return new ClusterController({
      ...{ host, clock, events, hostNodes, hostPods, clusters: cache },
      registry: { connection: () => connection as unknown as MemberConnection, problem: () => problem },
    });
  }

  async function reconcile(): Promise<Result> {
    await harness.settle(2);
    return controller.reconcile('member1', harness.context);
  }

  async function put(parts: Parameters<typeof clusterObject>[0] = {}): Promise<Result> {
    harness.host.seed(clusters, clusterObject(parts));
    return reconcile();
  }

  function now(): Cluster | undefined {
    return harness.host.peek(clusters, { name: 'member1' });
  }

  function condition(type: string): ClusterCondition | undefined {
    return now()?.status?.conditions?.find((candidate) => candidate.type === type);
  }

  /** `Type=Status Reason` of each condition. */
  function summary(): string[] {
    return (now()?.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  }

  function writes(): number {
    return harness.host.callsOf({ verb: 'patch', type: clusters }).length;
  }

  async function addNode(name = 'kosmos-member1'): Promise<void> {
    harness.host.seed(nodes, virtualNode(name));
    hostPods.setNodes('member1', new Set([name]));
    await harness.settle(2);
  }

  describe('reports', () => {
    it('a member that is well', async () => {
      await addNode();
      expect(await put()).to.deep.equal({});
      expect(summary()).to.deep.equal([
        'Ready=True AllWell',
        'Reachable=True ProbeSucceeded',
        'Synced=True CachesSynced',
      ]);
      expect(now()?.status).to.deep.include({
        kubernetesVersion: 'v1.36.3',
        mode: 'all',
        nodes: { ready: 3, total: 4, summary: '3/4' },
        clusterTreeStatus: { leafNodeItems: [{ leafNodeName: 'kosmos-member1' }] },
      });
    });

    it('nothing twice', async () => {
      await put();
      const before = writes();
      await reconcile();
      expect(writes()).to.equal(before);
    });

    it('a member that is being connected', async () => {
      connection = undefined;
      await put();
      expect(summary()[0]).to.equal('Ready=False Connecting');
    });

    it('a member without first probe', async () => {
      harness.probe.result = undefined;
      await put();
      expect(summary()[0]).to.equal('Ready=False Connecting');
    });

    it('a member that does not answer, with an Event', async () => {
      harness.probe.found(false);
      await put();
      expect(summary().slice(0, 2)).to.deep.equal(['Ready=False ConnectionFailed', 'Reachable=False ConnectionFailed']);
      expect(harness.warnings).to.deep.equal(['member1 ConnectionFailed: refused']);
    });

    it('a Cluster that can not be connected, with an Event', async () => {
      connection = undefined;
      problem = { reason: 'InvalidKubeconfig', message: 'names no user' };
      await put();
      expect(condition('Ready')).to.include({ reason: 'InvalidKubeconfig', message: 'names no user' });
      expect(harness.warnings).to.deep.equal(['member1 InvalidKubeconfig: names no user']);
    });

    it('a member whose caches are being filled, and looks again', async () => {
      connection!.synced = false;
      expect(await put()).to.deep.equal(AGAIN);
      expect(condition('Synced')).to.include({ status: 'False', reason: 'Syncing' });
      expect(now()?.status?.nodes).to.be.undefined;
    });

    it('a member that refuses to be listed, in its own words', async () => {
      Object.assign(connection!, { synced: false, problem: 'nodes is forbidden' });
      expect(await put()).to.deep.equal(AGAIN);
      expect(condition('Synced')).to.include({ status: 'False', reason: 'ListFailed', message: 'nodes is forbidden' });
      expect(condition('Ready')).to.include({ status: 'False', reason: 'ListFailed' });
      expect(harness.warnings).to.deep.equal(['member1 ListFailed: nodes is forbidden']);
    });

    it('virtual nodes that can not be made, with an Event each', async () => {
      connection!.reports = [{ conflicts: ['node b', 'node a'], nodes: { ready: 0, total: 0 } }];
      await put();
      expect(condition('Ready')).to.include({ reason: 'NodeConflict', message: 'node a; node b' });
      expect(harness.warnings).to.deep.equal(['member1 NodeConflict: node b', 'member1 NodeConflict: node a']);
    });

    it('an Event only when a condition has changed', async () => {
      harness.probe.found(false);
      await put();
      await addNode();
      await reconcile();
      expect(harness.warnings).to.have.length(1);
      expect(now()?.status?.clusterTreeStatus?.leafNodeItems).to.have.length(1);
    });

    it("the host's own entry, without a finalizer", async () => {
      connection = undefined;
      await put({ metadata: { annotations: { 'kosmos.io/cluster-role': 'root' } } });
      expect([summary(), now()?.metadata?.finalizers]).to.deep.equal([['Ready=True HostCluster'], undefined]);
    });

    it('a Cluster that is switched off', async () => {
      connection = undefined;
      await put({ spec: OFF });
      expect([summary(), now()?.metadata?.finalizers]).to.deep.equal([['Ready=False Disabled'], undefined]);
    });

    it('again when somebody else wrote in between', async () => {
      harness.host.fail({ verb: 'patch', subresource: 'status', error: apiError(409, 'Conflict') });
      expect(await put()).to.deep.equal(AGAIN);
    });

    it('nothing of a Cluster that is gone', async () => {
      harness.host.fail({ verb: 'patch', subresource: 'status', error: apiError(404, 'NotFound') });
      expect(await put()).to.deep.equal({});
      expect(await controller.reconcile('unknown', harness.context)).to.deep.equal({});
    });

    it('nothing of a Cluster that is going and was never joined', async () => {
      await put({ metadata: { deletionTimestamp: DELETED } });
      expect([summary(), writes()]).to.deep.equal([[], 0]);
    });

    it('passes on what the host refuses', async () => {
      harness.host.fail({ verb: 'patch', error: apiError(403, 'Forbidden') });
      expect(await put().catch((error: unknown) => error)).to.have.property('statusCode', 403);
    });
  });

  describe('registers', () => {
    it('a Cluster with a finalizer, and reports at once', async () => {
      await put({ metadata: { finalizers: ['theirs'] } });
      expect(now()?.metadata?.finalizers).to.deep.equal(['theirs', CLUSTER_FINALIZER]);
      expect(summary()).to.have.length(3);
    });

    it('nothing when the Cluster went meanwhile', async () => {
      harness.host.fail({ verb: 'patch', error: apiError(404, 'NotFound') });
      expect(await put()).to.deep.equal({});
      expect(summary()).to.be.empty;
    });
  });

  describe('takes a member out', () => {
    const finalizers = [CLUSTER_FINALIZER, 'theirs'];

    it('that is switched off: its nodes, then the finalizer', async () => {
      await addNode();
      connect(true);
      expect(await put({ metadata: { finalizers }, spec: OFF })).to.deep.equal({});
      expect(harness.host.peekAll(nodes)).to.be.empty;
      expect(now()?.metadata?.finalizers).to.deep.equal(['theirs']);
      connection = undefined;
      await reconcile();
      expect(summary()).to.deep.equal(['Ready=False Disabled']);
      expect(now()?.status?.mode).to.be.undefined;
    });

    it('whose Cluster is being deleted', async () => {
      connect(true);
      await put({ metadata: { finalizers: [CLUSTER_FINALIZER], deletionTimestamp: DELETED } });
      expect(now()).to.be.undefined;
    });

    it("that became the host's own entry", async () => {
      connect(true);
      const annotations = { 'kosmos.io/cluster-role': 'root' };
      await put({ metadata: { finalizers, annotations } });
      await reconcile();
      expect([now()?.metadata?.finalizers, summary()]).to.deep.equal([['theirs'], ['Ready=True HostCluster']]);
    });

    it('step by step, and says what it waits for', async () => {
      await addNode();
      const spec = { nodeName: 'kosmos-member1', containers: [] };
      harness.host.seed(pods, { metadata: { namespace: 'shop', name: 'web' }, spec });
      connect(true);
      expect(await put({ metadata: { finalizers }, spec: OFF })).to.deep.equal(AGAIN);
      expect(condition('Ready')).to.include({ reason: 'Leaving', message: 'waiting for 1 pods to end' });
      harness.host.erase(pods, { namespace: 'shop', name: 'web' });
      expect(await reconcile()).to.deep.equal({});
      expect(now()?.metadata?.finalizers).to.deep.equal(['theirs']);
    });

    it('only once its connection knows of it, or its nodes would be made again', async () => {
      await addNode();
      expect(await put({ metadata: { finalizers }, spec: OFF })).to.deep.equal(AGAIN);
      expect(condition('Ready')?.message).to.equal('waiting for the connection to the member to be replaced');
      expect(harness.host.peekAll(nodes)).to.have.length(1);
    });

    it('only once the pods on its nodes are known', async () => {
      await addNode();
      connect(true);
      hostPods.setNodes('member1', new Set());
      expect(await put({ metadata: { finalizers }, spec: OFF })).to.deep.equal(AGAIN);
      expect(condition('Ready')?.message).to.equal('waiting for the nodes and pods of the host to be known');
      expect(harness.host.peekAll(nodes)).to.have.length(1);
    });

    it('keeps the mode in the status meanwhile', async () => {
      await put();
      connect(true);
      harness.client.seed(pods, ownPod('shop/web', 'uid'));
      harness.host.edit(clusters, { name: 'member1' }, { spec: OFF });
      await reconcile();
      expect(now()?.status?.mode).to.equal('all');
    });

    it('tells of what had to stay behind', async () => {
      connect(true);
      harness.probe.found(false);
      const annotations = { [CLEANUP_TIMEOUT_ANNOTATION]: '0s' };
      await put({ metadata: { finalizers, annotations }, spec: OFF });
      expect(harness.warnings).to.deep.equal([
        'member1 LeftBehind: left in the member: what could not be looked for: refused',
      ]);
      expect(now()?.metadata?.finalizers).to.deep.equal(['theirs']);
    });

    describe('that never could be connected', () => {
      beforeEach(async () => {
        await addNode();
        connection = undefined;
        problem = { reason: 'InvalidKubeconfig', message: 'names no user' };
      });

      it('after five minutes', async () => {
        const metadata = { finalizers: [CLUSTER_FINALIZER], deletionTimestamp: DELETED };
        expect(await put({ metadata })).to.deep.equal(AGAIN);
        expect(condition('Ready')?.message).to.equal('waiting for the member: names no user');
        await harness.clock.advance(299_999);
        expect(await reconcile()).to.deep.equal(AGAIN);
        await harness.clock.advance(1);
        await reconcile();
        expect([now(), harness.host.peekAll(nodes)]).to.deep.equal([undefined, []]);
        expect(harness.warnings).to.deep.equal([
          'member1 LeftBehind: left in the member: what could not be looked for: names no user',
        ]);
      });

      it('after the time that its annotation gives', async () => {
        const annotations = { [CLEANUP_TIMEOUT_ANNOTATION]: '10s' };
        await put({ metadata: { finalizers: [CLUSTER_FINALIZER], deletionTimestamp: DELETED, annotations } });
        await harness.clock.advance(10_000);
        await reconcile();
        expect(now()).to.be.undefined;
      });

      it('after five minutes when its annotation is unreadable', async () => {
        const annotations = { [CLEANUP_TIMEOUT_ANNOTATION]: 'soon' };
        await put({ metadata: { finalizers: [CLUSTER_FINALIZER], deletionTimestamp: DELETED, annotations } });
        await harness.clock.advance(299_000);
        await reconcile();
        expect(now()).to.not.be.undefined;
        await harness.clock.advance(1_000);
        await reconcile();
        expect(now()).to.be.undefined;
      });

      it('as soon as the annotation is changed to a shorter time', async () => {
        await put({ metadata: { finalizers: [CLUSTER_FINALIZER] }, spec: OFF });
        const annotations = { [CLEANUP_TIMEOUT_ANNOTATION]: '1ms' };
        harness.host.edit(clusters, { name: 'member1' }, { metadata: { annotations } });
        await harness.clock.advance(1_000);
        await reconcile();
        expect(now()?.metadata?.finalizers).to.be.empty;
      });

      it('without waiting anew when the finalizer can not be removed at once', async () => {
        await put({ metadata: { finalizers }, spec: OFF });
        await harness.clock.advance(300_000);
        let conflicts = 1;
        harness.host.intercept = ({ body }) => {
          const { metadata } = (body ?? {}) as { metadata?: { finalizers?: string[] } };
          if (metadata?.finalizers !== undefined && conflicts-- > 0) throw apiError(409, 'Conflict');
        };
        expect(await reconcile().catch((error: unknown) => error)).to.have.property('reason', 'Conflict');
        expect(await reconcile()).to.deep.equal({});
        expect(now()?.metadata?.finalizers).to.deep.equal(['theirs']);
      });

      it('after a new wait in a process that knows nothing of the first', async () => {
        await put({ metadata: { finalizers }, spec: OFF });
        await harness.clock.advance(299_000);
        controller = make();
        await reconcile();
        await harness.clock.advance(299_000);
        expect(await reconcile()).to.deep.equal(AGAIN);
      });

      it('unless it is wanted again', async () => {
        await put({ metadata: { finalizers }, spec: OFF });
        await harness.clock.advance(299_000);
        harness.host.edit(clusters, { name: 'member1' }, { spec: { clusterTreeOptions: { enable: true } } });
        await reconcile();
        harness.host.edit(clusters, { name: 'member1' }, { spec: OFF });
        await reconcile();
        await harness.clock.advance(299_000);
        expect(await reconcile()).to.deep.equal(AGAIN);
      });
    });
  });
});
