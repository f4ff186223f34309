import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { LINK_FINALIZER } from '../../../../src/apis/names.js';
import type { ConnectionProblem } from '../../../../src/clustertree/cluster/connection-registry.js';
import type { LinkConnection } from '../../../../src/clusterlink/cluster/connection.js';
import { LinkController } from '../../../../src/clusterlink/collector/link-controller.js';
import { clusterNodes, clusters, nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { ipPools } from '../../../../src/kube/network-resources.js';
import { configMaps } from '../../../../src/kube/resource.js';
import { LINKED, LinkHarness } from '../../../support/link-harness.js';
import { clusterNode, ipPool, linkedCluster } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

const REF = { name: LINKED };
const LEAVING = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [LINK_FINALIZER] };

describe('LinkController', () => {
  let harness: LinkHarness;
  let connection: LinkConnection | undefined;
  let problem: ConnectionProblem | undefined;
  let counted: string[];
  let conditions: string[];
  let controller: LinkController;

  beforeEach(() => {
    harness = new LinkHarness();
    [connection, problem, counted, conditions] = [undefined, undefined, [], []];
    controller = new LinkController({
      ...{ host: harness.host, clusters: harness.clusters, clusterNodes: harness.clusterNodes, clock: harness.clock },
      registry: { connection: () => connection, problem: () => problem },
      planProblems: () => [],
      onNodes: (cluster, { ready, total }) => counted.push(`${cluster} ${ready}/${total}`),
      onCondition: (cluster, why) => conditions.push(`${cluster} ${why}`),
      events: harness.events,
    });
  });

  afterEach(() => harness.end());

  function seed(more: Partial<Cluster> = {}): void {
    const cluster = linkedCluster(LINKED, { ipFamily: 'ipv4', serviceCIDRs: ['10.11.0.0/16'] });
    harness.host.seed(clusters, { ...cluster, ...more, metadata: { ...cluster.metadata, ...more.metadata } });
  }

  async function reconcile(): Promise<number | undefined> {
    await harness.calm();
    const { requeueAfterMs } = await controller.reconcile(LINKED, harness.context);
    await harness.calm();
    return requeueAfterMs;
  }

  const cluster = (): Cluster | undefined => harness.host.peek(clusters, REF);
  const reason = (): string | undefined =>
    cluster()?.status?.conditions?.find(({ type }) => type === 'ClusterLinkReady')?.reason;

  it('says what is known of a linked cluster, under its finalizer', async () => {
    seed();
    harness.seedNode('n1', '10.10.0.0/24');
    harness.seedConfig('n1', { devices: [] }, { observedGeneration: 1 });
    harness.host.seed(clusterNodes, clusterNode(LINKED, 'n1', { roles: ['gateway'] }));
    connection = harness.connect();
    expect(await reconcile()).to.equal(30_000);
    expect(cluster()?.metadata?.finalizers).to.deep.equal([LINK_FINALIZER]);
    expect(conditions).to.deep.equal([`${LINKED} ${reason() ?? ''}`]);
    expect(cluster()?.status?.clusterLinkStatus).to.deep.equal({
      ...{ podCIDRs: ['10.10.0.0/24'], serviceCIDRs: ['10.11.0.0/16'], gateway: 'n1' },
      nodes: { ready: 1, total: 1, summary: '1/1' },
    });
    expect(reason()).to.equal('Linked');
    expect(counted).to.deep.equal([`${LINKED} 1/1`]);
    expect(harness.warnings).to.deep.equal([]);
  });

  it('looks again soon while something is missing, and warns of what somebody has to mend', async () => {
    seed();
    problem = { reason: 'InvalidKubeconfig', message: 'bad' };
    expect(await reconcile()).to.equal(1_000);
    expect(reason()).to.equal('InvalidKubeconfig');
    expect(harness.warnings).to.deep.equal([`${LINKED} InvalidKubeconfig: bad`]);
    await reconcile();
    expect(harness.warnings).to.have.length(1);
  });

  it('warns of what is in the way of what was planned, and says when it is not any more', async () => {
    seed();
    harness.seedNode('n1', '10.10.0.0/24');
    harness.seedConfig('n1', { devices: [] }, { observedGeneration: 1 });
    connection = harness.connect();
    const { obstacles } = connection;
    const conflict = { reason: 'NameConflict', message: "NodeConfig east-n1 is somebody else's" } as const;
    await obstacles.follow(
      'x',
      harness.context,
      () => Promise.resolve(),
      () => conflict,
    );
    expect(await reconcile()).to.equal(1_000);
    expect(reason()).to.equal('NameConflict');
    expect(harness.warnings).to.deep.equal([`${LINKED} NameConflict: ${conflict.message}`]);
    await obstacles.follow('x', harness.context, () => Promise.resolve());
    await reconcile();
    expect(reason()).to.equal('Linked');
    expect(harness.warnings).to.have.length(1);
  });

  it('asks for ranges that the cluster does not tell', async () => {
    seed({ spec: { clusterLinkOptions: {} } });
    connection = harness.connect();
    await reconcile();
    expect(reason()).to.equal('CIDRsMissing');
  });

  it('says what to set for a Calico on etcd, one thing after the other', async () => {
    seed({ spec: { clusterLinkOptions: { serviceCIDRs: ['10.11.0.0/16'] } } });
    harness.seedNode('n1', '10.244.0.0/24');
    harness.client.seed(configMaps, {
      metadata: { namespace: 'kube-system', name: 'calico-config' },
      data: { etcd_endpoints: 'http://192.0.2.9:2379' },
    });
    connection = harness.connect({ cni: 'calico' });
    const said = async (): Promise<string> => {
      await reconcile();
      const { reason: why, message } = cluster()?.status?.conditions?.[0] ?? {};
      return `${why}: ${message}`;
    };
    expect(await said()).to.match(/^CIDRsMissing: .*etcd.*; set .*podCIDRs; .*etcd.*; set .*networkType to gateway$/);
    expect(cluster()?.status?.clusterLinkStatus?.podCIDRs).to.equal(undefined);
    expect(harness.warnings).to.have.length(1);
    harness.host.edit(clusters, REF, { spec: { clusterLinkOptions: { podCIDRs: ['10.1.0.0/16'] } } });
    expect(await said()).to.match(/^CIDRsMissing: its Calico keeps in etcd which node/);
    harness.host.edit(clusters, REF, { spec: { clusterLinkOptions: { networkType: 'gateway' } } });
    expect(await said()).to.match(/^NodesNotDetected: /);
    expect(cluster()?.status?.clusterLinkStatus?.podCIDRs).to.deep.equal(['10.1.0.0/16']);
  });

  it('says when a link is switched off, and nothing where there was never one', async () => {
    seed({ spec: { clusterLinkOptions: { enable: false } } });
    expect(await reconcile()).to.equal(undefined);
    expect(reason()).to.equal('Disabled');
    harness.host.edit(clusters, REF, { spec: { clusterLinkOptions: null } });
    await reconcile();
    expect(cluster()?.status?.conditions).to.deep.equal([]);
    harness.host.erase(clusters, REF);
    expect(await reconcile()).to.equal(undefined);
  });

  for (const [what, error, again] of [
    ['is gone meanwhile', apiError(404, 'NotFound'), undefined],
    ['was changed meanwhile', apiError(409, 'Conflict'), 1_000],
  ] as const) {
    it(`takes it easy when a Cluster ${what}`, async () => {
      seed({ spec: { clusterLinkOptions: { enable: false } } });
      harness.host.fail({ verb: 'patch', subresource: 'status', error });
      expect(await reconcile()).to.equal(again);
    });
  }

  it('fails when the host refuses', async () => {
    seed();
    await harness.calm();
    harness.host.fail({ verb: 'patch', error: apiError(403, 'Forbidden'), times: 2 });
    const failed = await controller.reconcile(LINKED, harness.context).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    harness.host.fail({ verb: 'patch', subresource: 'status', error: apiError(403, 'Forbidden') });
    const again = await controller.reconcile(LINKED, harness.context).catch((error: unknown) => error);
    expect(again).to.be.instanceOf(Error);
  });

  it('does nothing more for a Cluster that goes while it gets its finalizer', async () => {
    seed();
    await harness.calm();
    harness.host.fail({ verb: 'patch', error: apiError(404, 'NotFound') });
    expect(await controller.reconcile(LINKED, harness.context)).to.deep.equal({});
  });

  describe('for a cluster that leaves', () => {
    beforeEach(() => {
      seed({ metadata: LEAVING });
      harness.seedConfig('n1');
      harness.seedConfig('n2');
      harness.client.seed(ipPools, ipPool('clusterlink-west-pod-x', '10.20.0.0/16', { disabled: true }));
      harness.client.seed(ipPools, ipPool('default', '10.10.0.0/16'));
      harness.host.seed(clusterNodes, clusterNode(LINKED, 'n1'));
      harness.host.seed(clusterNodes, clusterNode('west', 'n1'));
    });

    const finalizers = (): unknown => cluster()?.metadata?.finalizers;

    it('takes away what is in the cluster, then what is in the host, then the finalizer', async () => {
      connection = harness.connect({ leaving: true, cni: 'calico' });
      expect(await reconcile()).to.equal(1_000);
      expect(reason()).to.equal('Leaving');
      expect(harness.client.peekAll(nodeConfigs)).to.deep.equal([]);
      expect(harness.client.peekAll(ipPools).map(({ metadata }) => metadata?.name)).to.deep.equal(['default']);
      expect(await reconcile()).to.equal(undefined);
      expect(finalizers() ?? []).to.deep.equal([]);
      expect(harness.host.peekAll(clusterNodes).map(({ metadata }) => metadata?.name)).to.deep.equal(['west-n1']);
      expect(harness.warnings).to.deep.equal([]);
    });

    const obstacles: readonly (readonly [string, () => void, RegExp])[] = [
      ['there is no connection', () => undefined, /the connection to the cluster/],
      ['the kubeconfig is bad', () => (problem = { reason: 'InvalidKubeconfig', message: 'bad' }), /bad/],
      ['the connection is the old one', () => (connection = harness.connect()), /to be replaced/],
      [
        'the cluster has not answered',
        () => {
          harness.client.fail({ verb: 'list', error: apiError(500, 'InternalError', 'not now'), times: 99 });
          connection = harness.connect({ leaving: true });
        },
        /not now/,
      ],
      [
        'it may not delete',
        () => {
          harness.client.fail({ verb: 'delete', error: apiError(403, 'Forbidden', 'not you'), times: 9 });
          connection = harness.connect({ leaving: true });
        },
        /not you/,
      ],
    ];
    for (const [what, prepare, message] of obstacles) {
      it(`waits while ${what}`, async () => {
        prepare();
        expect(await reconcile()).to.equal(1_000);
        const [condition] = cluster()?.status?.conditions ?? [];
        expect(condition?.message).to.match(message);
        expect(finalizers()).to.deep.equal([LINK_FINALIZER]);
      });
    }

    it('waits for as long as the Cluster says, and tells what was left', async () => {
      harness.host.edit(clusters, REF, { metadata: { annotations: { 'kosmos.io/cleanup-timeout': '10s' } } });
      await reconcile();
      await harness.clock.advance(10_000);
      expect(await reconcile()).to.equal(undefined);
      expect(finalizers() ?? []).to.deep.equal([]);
      expect(harness.warnings.join()).to.match(/LeftBehind: left of ClusterLink in the cluster: the connection/);
    });
  });
});
