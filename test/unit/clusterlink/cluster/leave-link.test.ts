import { expect } from 'chai';
import type { IpPool } from '../../../../src/apis/cluster-network.js';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { isGateway, standbysOf } from '../../../../src/clusterlink/cluster/gateways.js';
import {
  cleanLinkedCluster,
  deleteExactly,
  type LinkRemains,
  removeClusterNodes,
} from '../../../../src/clusterlink/cluster/leave-link.js';
import type { LinkMember } from '../../../../src/clusterlink/cluster/link-member.js';
import { trimLinkNode } from '../../../../src/clusterlink/cluster/link-node.js';
import { isOwnPool } from '../../../../src/clusterlink/cluster/own-pools.js';
import { reportsOn } from '../../../../src/clusterlink/cluster/reports-on.js';
import type { Source } from '../../../../src/clusterlink/cluster/source.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { clusterNodes, nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { ipPools } from '../../../../src/kube/network-resources.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { clusterNode, ipPool, known, networkFacts, nodeConfig, UNKNOWN } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

const { signal } = new AbortController();

describe('leaving the network of clusters', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
  });

  const deleted = (): string[] =>
    client.callsOf({ verb: 'delete' }).map(({ resource, ref }) => `${resource} ${ref.name}`);

  function clean(configs: readonly NodeConfig[], pools: Source<IpPool>, isPatient = true): Promise<LinkRemains> {
    const store = { list: () => configs };
    const ready = { ...trimLinkNode({}), ready: 'True' } as const;
    return cleanLinkedCluster(
      {
        client,
        nodes: { store: { get: () => ready } } as unknown as LinkMember['nodes'],
        nodeConfigs: { store } as unknown as Informer<NodeConfig>,
        network: { facts: networkFacts({ ipPools: pools }) },
      },
      isPatient,
      signal,
    );
  }

  const applied = (node: string): NodeConfig =>
    client.seed(nodeConfigs, {
      ...nodeConfig('east', node),
      ...{ spec: { clusterName: 'east', nodeName: node, devices: [], routes: [] }, status: { observedGeneration: 1 } },
    });

  it('lets agents clean up before their NodeConfigs go', async () => {
    const remains = await clean([applied('n1')], known());
    expect(remains).to.equal('NodeConfig east-n1');
    expect(deleted()).to.deep.equal([]);
    const { spec } = await client.get(nodeConfigs, { name: 'east-n1' });
    expect(spec).to.deep.equal({ clusterName: 'east', nodeName: 'n1', devices: [] });
  });

  it('does not wait for agents for ever', async () => {
    await clean([applied('n1')], known(), false);
    expect(deleted()).to.deep.equal(['nodeconfigs east-n1']);
  });

  const seeded = (node: string): NodeConfig => client.seed(nodeConfigs, nodeConfig('east', node));
  const seededPool = (name: string): IpPool => client.seed(ipPools, ipPool(name, '10.20.0.0/16'));

  it('is done when there is nothing left', async () => {
    expect(await clean([], known())).to.equal(undefined);
    expect(await clean([], UNKNOWN)).to.equal(undefined);
    expect(deleted()).to.deep.equal([]);
  });

  it('takes away every NodeConfig and every pool of ours, and says what there still was', async () => {
    const remains = await clean([seeded('n1'), seeded('n2')], known(seededPool('clusterlink-west-1')));
    expect(remains).to.equal('NodeConfig east-n1 and 2 more');
    expect(deleted()).to.have.members(['nodeconfigs east-n1', 'nodeconfigs east-n2', 'ippools clusterlink-west-1']);
  });

  it('names a pool when nothing else is left', async () => {
    expect(await clean([], known(seededPool('clusterlink-west-1')))).to.equal('IPPool clusterlink-west-1');
  });

  it("leaves the cluster's own pools alone", async () => {
    expect(await clean([], known(seededPool('default-ipv4-ippool'), seededPool('my-clusterlink-pool')))).to.equal(
      undefined,
    );
    expect(deleted()).to.deep.equal([]);
  });

  it('counts one as left that was gone by then, until the cache knows', async () => {
    expect(await clean([nodeConfig('east', 'n1')], known())).to.equal('NodeConfig east-n1');
  });

  it('deletes no object that has taken the place of the one that it knows', async () => {
    seeded('n1');
    await clean([{ ...nodeConfig('east', 'n1'), metadata: { name: 'east-n1', uid: 'of-an-earlier-one' } }], known());
    expect(await client.get(nodeConfigs, { name: 'east-n1' })).to.have.nested.property('metadata.name', 'east-n1');
  });

  it('deletes all others, and fails, when one can not be deleted', async () => {
    client.fail({ verb: 'delete', type: nodeConfigs, name: 'east-n1', error: apiError(403, 'Forbidden', 'not you') });
    const failure = await clean([seeded('n1'), seeded('n2')], known()).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'not you');
    expect(deleted()).to.include('nodeconfigs east-n2');
  });

  it('removes the nodes of a cluster from the host, and minds none that is gone', async () => {
    const nodes = ['n1', 'n2'].map((node) => client.seed(clusterNodes, clusterNode('east', node)));
    const other = client.seed(clusterNodes, clusterNode('west', 'n1'));
    await removeClusterNodes(client, [...nodes, clusterNode('east', 'gone')], signal);
    expect((await client.list(clusterNodes)).items.map(({ metadata }) => metadata?.name)).to.deep.equal([
      other.metadata?.name,
    ]);
    await removeClusterNodes(client, [], signal);
  });

  for (const [code, reason] of [
    [404, 'NotFound'],
    [409, 'Conflict'],
  ] as const) {
    it(`takes ${reason} for done`, async () => {
      client.fail({ verb: 'delete', error: apiError(code, reason) });
      await deleteExactly(client, nodeConfigs, seeded('n1'), signal);
      expect(deleted()).to.deep.equal(['nodeconfigs east-n1']);
    });
  }

  it('fails when the server does not answer', async () => {
    client.fail({ verb: 'delete', error: apiError(503, 'ServiceUnavailable') });
    const failure = await deleteExactly(client, nodeConfigs, seeded('n1'), signal).catch((error: unknown) => error);
    expect(failure).to.have.property('statusCode', 503);
  });
});

describe('gateways among ClusterNodes', () => {
  it('have the role, however it is written', () => {
    const roles = [undefined, [], ['gateway'], ['Gateway'], ['worker', 'GATEWAY'], ['gateways']];
    expect(roles.map((some) => isGateway(clusterNode('east', 'n1', { roles: some })))).to.deep.equal([
      ...[false, false, true, true, true, false],
    ]);
  });

  it('stand by in their order, from zero', () => {
    const nodes = [
      clusterNode('east', 'n3', { standbyOrder: 10 }),
      clusterNode('east', 'n1'),
      clusterNode('east', 'n2', { standbyOrder: 2 }),
      clusterNode('east', 'n4', { standbyOrder: 0 }),
    ];
    expect(standbysOf(nodes)).to.deep.equal(['n4', 'n2', 'n3']);
    expect(standbysOf([])).to.deep.equal([]);
  });
});

describe('pools of ours', () => {
  it('are told by the beginning of their names', () => {
    const names = ['clusterlink-a', 'clusterlink-', 'clusterlink', 'x-clusterlink-a', 'default-ipv4-ippool'];
    expect(names.map((name) => isOwnPool(ipPool(name, '10.0.0.0/8')))).to.deep.equal([true, true, false, false, false]);
    expect(isOwnPool({ spec: {} })).to.equal(false);
  });
});

describe('whose nodes an agent reports on', () => {
  const report = (status?: NodeConfig['status']): readonly string[] => reportsOn(nodeConfig('east', 'n1', {}, status));
  const peer = (name: string): { name: string; ip: string; reachable: boolean } => ({
    name,
    ip: '220.0.0.1',
    reachable: true,
  });

  it("is nobody's without a status, or with an empty one", () => {
    expect([report(), report({}), report({ peers: [], activeGateways: [] })]).to.deep.equal([[], [], []]);
  });

  it('are the clusters of its peers and gateways, each once', () => {
    const peers = [peer('west/w1'), peer('west/w2'), peer('north/n1')];
    const activeGateways = [
      { clusterName: 'north', nodeName: 'n1' },
      { clusterName: 'south', nodeName: 's1' },
    ];
    expect(report({ peers, activeGateways })).to.deep.equal(['west', 'north', 'south']);
  });
});
