import { expect } from 'chai';
import type { NodeConfig, NodeConfigStatus } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { createElector, Elector } from '../../../../src/clusterlink/elector/elector.js';
import { clusterNodes, clusters, nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { SILENT_MS } from '../../../../src/clusterlink/cluster/agent-leases.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { leases, nodes } from '../../../../src/kube/resource.js';
import { LINKED, LinkHarness } from '../../../support/link-harness.js';
import { clusterNode, linkedCluster } from '../../../support/link-objects.js';
import { apiError, HOST_UID } from '../../../support/member-harness.js';

const LEASE_LABELS = ownershipLabels(ownershipOf(HOST_UID, LINKED));
const DETECTED = { interfaceName: 'eth0', ip: '172.18.1.11' };

describe('Elector', () => {
  let harness: LinkHarness;
  let elected: string[];

  beforeEach(() => {
    harness = new LinkHarness();
    elected = [];
    harness.host.seed(clusters, linkedCluster(LINKED, { ipFamily: 'ipv4', networkType: 'gateway' }));
    for (const name of ['a', 'b', 'c']) {
      harness.seedNode(name, '10.1.0.0/24');
      harness.host.seed(clusterNodes, clusterNode(LINKED, name, DETECTED));
      harness.seedConfig(name, {}, {});
    }
  });

  afterEach(() => harness.end());

  function options(): ConstructorParameters<typeof Elector>[0] {
    return {
      ...{ host: harness.host, clusters: harness.clusters, clusterNodes: harness.clusterNodes },
      reportsOn: () => harness.client.peekAll(nodeConfigs),
      onElected: (cluster, gateway) => elected.push(`${cluster} ${gateway ?? 'none'}`),
    };
  }

  async function elect(elector = new Elector(options(), harness.connect())): Promise<Elector> {
    await harness.calm();
    expect(await elector.reconcile(LINKED, harness.context)).to.deep.equal({ requeueAfterMs: 1_000 });
    await harness.calm();
    return elector;
  }

  /** The gateway, then those that stand by in their order. */
  function roles(): string {
    const all = harness.host.peekAll(clusterNodes).map(({ spec }) => spec);
    const gateways = all.filter((spec) => spec.roles?.includes('gateway')).map(({ nodeName }) => nodeName);
    const standing = all.filter(({ standbyOrder }) => standbyOrder !== undefined);
    const order = standing.sort((left, right) => (left.standbyOrder ?? 0) - (right.standbyOrder ?? 0));
    return [...gateways, ...order.map(({ nodeName }) => nodeName)].join(' ');
  }

  const report = (node: string, status: NodeConfigStatus): NodeConfig =>
    harness.client.edit(nodeConfigs, { name: `${LINKED}-${node}` }, { status });

  function lose(node: string, ...reporters: readonly string[]): void {
    const peers = [{ name: `${LINKED}/${node}`, ip: '210.18.1.11', reachable: false }];
    for (const reporter of reporters) report(reporter, { peers });
  }

  it('makes one node the gateway, and has two stand by', async () => {
    await elect();
    expect(roles()).to.equal('a b c');
    expect(elected).to.deep.equal([`${LINKED} a`]);
  });

  it('writes nothing when nothing has changed', async () => {
    const elector = await elect();
    harness.host.calls.length = 0;
    await elect(elector);
    expect(harness.host.callsOf({ verb: 'patch' })).to.deep.equal([]);
    expect(elected).to.have.length(1);
  });

  it('replaces a gateway that others do not reach, and does not believe silence afterwards', async () => {
    const elector = await elect();
    lose('a', 'b', 'c');
    await elect(elector);
    expect(roles()).to.equal('b c');
    for (const name of ['b', 'c']) report(name, { peers: [] });
    await elect(elector);
    expect(roles()).to.equal('b c');
    report('a', { lastSyncTime: '2026-01-01T00:00:07Z' });
    await elect(elector);
    expect(roles()).to.equal('b c a');
  });

  it('does not count what the agent of a lost node said once', async () => {
    const elector = await elect();
    lose('a', 'c');
    harness.client.edit(nodes, { name: 'c' }, { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
    await elect(elector);
    expect(roles()).to.equal('a b');
  });

  it('has nobody stand by whose agent has gone silent, and replaces such a gateway', async () => {
    const elector = await elect();
    for (const [index, renewing] of ['a', 'b', 'c'].entries()) {
      const metadata = { namespace: 'kosmos-system', name: `kosmos-agent-${renewing}`, labels: LEASE_LABELS };
      const spec = { holderIdentity: renewing, renewTime: `${index}` };
      harness.client.seed(leases, { metadata, spec });
    }
    await harness.calm(SILENT_MS);
    const ref = { namespace: 'kosmos-system', name: 'kosmos-agent-b' };
    harness.client.edit(leases, ref, { spec: { holderIdentity: 'b', renewTime: 'later' } });
    await elect(elector);
    expect(roles()).to.equal('b');
  });

  it('confirms what agents chose while the API server was away, although all kubelets seem silent then', async () => {
    const elector = await elect();
    for (const name of ['a', 'b', 'c']) {
      harness.client.edit(nodes, { name }, { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
    }
    harness.seedConfig('other', { clusterName: 'west', nodeName: 'far' }, {});
    const peers = ['a', 'b'].map((name) => ({ name: `${LINKED}/${name}`, ip: '220.18.1.11', reachable: name === 'b' }));
    report('other', { peers });
    await elect(elector);
    expect(roles()).to.equal('b');
    expect(elected.at(-1)).to.equal(`${LINKED} b`);
  });

  it('leaves everything as it is while the cluster does not answer', async () => {
    const elector = await elect();
    const blind = harness.connect();
    harness.client.intercept = () => {
      throw apiError(500, 'InternalError');
    };
    const fresh = new Elector(options(), blind);
    lose('a', 'b', 'c');
    harness.host.calls.length = 0;
    expect(await fresh.reconcile(LINKED, harness.context)).to.deep.equal({ requeueAfterMs: 1_000 });
    expect(harness.host.callsOf({ verb: 'patch' })).to.deep.equal([]);
    expect(elector).to.be.instanceOf(Elector);
    harness.client.intercept = undefined;
  });

  it('does nothing for a Cluster that is gone', async () => {
    harness.host.erase(clusters, { name: LINKED });
    await elect();
    expect(roles()).to.equal('');
  });

  it('tries again when somebody else has changed a ClusterNode, and fails when the host does', async () => {
    harness.host.fail({ verb: 'patch', error: apiError(409, 'Conflict') });
    const elector = await elect();
    await elect(elector);
    // Those that stood by already come first.
    expect(roles()).to.equal('b c a');
    lose('b', 'a', 'c');
    await harness.calm();
    harness.host.fail({ verb: 'patch', error: apiError(500, 'InternalError') });
    const failed = await elector.reconcile(LINKED, harness.context).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
  });

  it('runs for a cluster while leading, and not for one that leaves', async () => {
    const feature = createElector({ ...options(), createController: harness.createController });
    harness.track(feature.open(harness.connect({ leaving: true })).lead(harness.signal));
    await harness.calm();
    expect(roles()).to.equal('');
    harness.track(harness.connect({}, [feature]).lead(harness.signal));
    await harness.calm(2_000);
    expect(roles()).to.equal('a b c');
  });
});
