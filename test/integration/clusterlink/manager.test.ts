import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { applyCrds, clusterManifest } from '../../../hack/lab/federation.js';
import type { ClusterNode } from '../../../src/apis/kosmos/v1alpha1/cluster-node.js';
import type { Cluster, ClusterLinkStatus } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfig } from '../../../src/apis/kosmos/v1alpha1/node-config.js';
import { HOST_CLUSTER_LABEL } from '../../../src/apis/names.js';
import { clusterNodes, clusters, nodeConfigs } from '../../../src/kube/kosmos-resources.js';
import { blockAffinities, ipPools } from '../../../src/kube/network-resources.js';
import { nodes } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import { FakeAgents } from '../../support/fake-agents.js';
import { Federation } from '../../support/federation.js';
import { blockAffinity, ipPool } from '../../support/link-objects.js';

const LINK = { networkType: 'gateway', ipFamily: 'ipv4', cni: 'generic' };

const CALICO_POOL = '10.99.0.0/16';
const CALICO_BLOCK = '10.99.3.64/26';

function calicoCrd(plural: string, kind: string): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.crd.projectcalico.org` },
    spec: {
      group: 'crd.projectcalico.org',
      scope: 'Cluster',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

describe('the host side of ClusterLink', () => {
  let federation: Federation;
  const agents: FakeAgents[] = [];

  before(async function () {
    this.timeout(300_000);
    federation = await Federation.boot({ instance: 'link-manager', members: 2, nodes: 3, hostNodes: 2 });
    for (const member of federation.lab.members) await applyCrds(federation.lab, member);
    await pretendCalico('member2');
    await federation.startManager({ args: ['--modules', 'clusterlink'] });
  });

  after(async () => {
    await Promise.all(agents.map((each) => each.stop()));
    await federation.down();
  });

  /** Two kinds of Calico, with a pool and a block of a node. */
  async function pretendCalico(name: string): Promise<void> {
    const crds = [
      ['ippools', 'IPPool'],
      ['blockaffinities', 'BlockAffinity'],
    ].map(([plural, kind]) => calicoCrd(plural ?? '', kind ?? ''));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: crds });
    await federation.lab.cluster(name).kubectl(['apply', '-f', '-'], { input });
    const client = federation.client(name);
    await eventually(() => client.create(ipPools, ipPool('default', CALICO_POOL)));
    await eventually(() => client.create(blockAffinities, blockAffinity(`${name}-node1`, CALICO_BLOCK)));
  }

  async function link(name: string, root = false): Promise<void> {
    const annotations = root ? { 'kosmos.io/cluster-role': 'root' } : {};
    const lab = federation.lab.cluster(name);
    const options = name === 'member2' ? { ...LINK, cni: 'calico' } : LINK;
    const manifest = (await clusterManifest(lab, { annotations, clusterLinkOptions: options })) as Cluster;
    const { kubeconfig: _own, ...spec } = manifest.spec;
    await federation.host.create(clusters, root ? { ...manifest, spec } : manifest);
  }

  function startAgents(cluster: string, network: string): FakeAgents {
    const started = new FakeAgents(federation.client(cluster), network);
    agents.push(started);
    started.start();
    return started;
  }

  const nodesOf = async (cluster: string): Promise<readonly ClusterNode[]> =>
    (await federation.host.list(clusterNodes, { labelSelector: `kosmos.io/cluster=${cluster}` })).items;

  const configsOf = async (cluster: string): Promise<readonly NodeConfig[]> =>
    (await federation.client(cluster).list(nodeConfigs)).items;

  const cluster = (name: string): Promise<Cluster> => federation.host.get(clusters, { name });

  const linkStatus = async (name: string): Promise<ClusterLinkStatus> =>
    (await cluster(name)).status?.clusterLinkStatus ?? {};

  function gatewayOf(list: readonly ClusterNode[]): string {
    const gateways = list.filter(({ spec }) => spec.roles?.includes('gateway'));
    expect(gateways).to.have.length(1);
    return gateways[0]?.spec.nodeName ?? '';
  }

  it('collects ranges and nodes of members and of the host, which needs no kubeconfig for itself', async () => {
    await link('member1');
    await link('member2');
    await link('host', true);
    for (const [name, count] of [
      ['member1', 3],
      ['host', 2],
    ] as const) {
      const { ranges } = federation.lab.cluster(name);
      await eventually(async () => {
        expect((await linkStatus(name)).serviceCIDRs).to.deep.equal(ranges.services);
        expect(await nodesOf(name)).to.have.length(count);
      });
      const inCluster = (await federation.client(name).list(nodes)).items;
      await eventually(async () => {
        const blocks = (await nodesOf(name)).map(({ spec }) => [spec.nodeName, spec.podCIDRs]);
        expect(blocks).to.have.deep.members(inCluster.map(({ metadata, spec }) => [metadata?.name, spec?.podCIDRs]));
      });
    }
  });

  it('takes ranges and blocks of Calico from Calico, and tells it of other clusters', async () => {
    await eventually(async () => {
      expect((await linkStatus('member2')).podCIDRs).to.deep.equal([CALICO_POOL]);
      const blocks = (await nodesOf('member2')).map(({ spec }) => [spec.nodeName, spec.podCIDRs]);
      expect(blocks).to.have.deep.members([
        ['member2-node1', [CALICO_BLOCK]],
        ['member2-node2', []],
        ['member2-node3', []],
      ]);
      const pools = (await federation.client('member2').list(ipPools)).items;
      const { podCIDRs = [], serviceCIDRs = [] } = await linkStatus('member1');
      const disabled = pools.filter(({ spec }) => spec?.disabled === true).map(({ spec }) => spec?.cidr);
      expect(podCIDRs).to.not.have.length(0);
      expect(disabled).to.include.members([...podCIDRs, ...serviceCIDRs]);
      expect(disabled).to.not.include(CALICO_POOL);
    });
  });

  it('asks new nodes to detect their addresses first, and says that it waits for them', async () => {
    await eventually(async () => {
      const configs = await configsOf('member1');
      expect(configs).to.have.length(3);
      for (const { spec } of configs) {
        expect(spec.detection).to.deep.equal({ method: 'defaultRoute' });
        expect(spec).to.not.have.property('devices');
      }
    });
    const condition = await federation.clusterCondition('member1', 'ClusterLinkReady', 'False', 'NodesNotDetected');
    expect(condition.message).to.match(/waiting for the agents of/);
  });

  it('plans for nodes once their agents have reported, and elects one gateway in each cluster', async () => {
    startAgents('member1', '172.18.1');
    startAgents('member2', '172.18.2');
    startAgents('host', '172.18.9');
    for (const name of ['member1', 'member2', 'host']) {
      await federation.clusterCondition(name, 'ClusterLinkReady', 'True', 'Linked');
      // A node that was detected last becomes a standby a second later.
      await eventually(async () => {
        const list = await nodesOf(name);
        const status = await linkStatus(name);
        expect(status.gateway).to.equal(gatewayOf(list));
        expect(status.nodes).to.include({ summary: `${list.length}/${list.length}` });
        expect(status.standbyGateways).to.have.length(list.length - 1);
      });
    }
    const { podCIDRs: pods2 = [] } = await linkStatus('member2');
    // What is planned for the first changes once more with each that comes after it.
    await eventually(async () => {
      for (const { spec } of await configsOf('member1')) {
        expect(spec.routes?.map(({ cidr }) => cidr)).to.include.members([...pods2]);
      }
    });
  });

  it('never writes a NodeConfig that is right already', async () => {
    const generations = async (): Promise<Map<string | undefined, number | undefined>> =>
      new Map((await configsOf('member1')).map(({ metadata }) => [metadata?.name, metadata?.generation]));
    let before = await generations();
    await eventually(async () => {
      const earlier = before;
      await sleep(2_000);
      before = await generations();
      expect(before).to.deep.equal(earlier);
    });
    await always(async () => {
      for (const { metadata } of await configsOf('member1')) {
        expect(metadata?.generation).to.equal(before.get(metadata?.name));
      }
    }, 3_000);
  });

  it('puts back what somebody changed in a NodeConfig', async () => {
    const [config] = await configsOf('member1');
    const name = config?.metadata?.name ?? '';
    await federation.client('member1').patch(nodeConfigs, { name }, { spec: { routes: [] } }, { type: 'merge' });
    await eventually(async () => {
      const again = await federation.client('member1').get(nodeConfigs, { name });
      expect(again.spec.routes).to.deep.equal(config?.spec.routes);
    });
    await federation.client('member1').delete(nodeConfigs, { name });
    await eventually(async () => {
      const again = await federation.client('member1').get(nodeConfigs, { name });
      expect(again.spec).to.deep.equal(config?.spec);
    });
  });

  it('says when a NodeConfig of one of its names is not its own, leaves it alone, and goes on when it is', async () => {
    const client = federation.client('member1');
    const [config] = await configsOf('member1');
    const { name = '', labels } = config?.metadata ?? {};
    const unlabelled = { metadata: { labels: { [HOST_CLUSTER_LABEL]: null } }, spec: { routes: [] } };
    await client.patch(nodeConfigs, { name }, unlabelled, { type: 'merge' });
    const { message } = await federation.clusterCondition('member1', 'ClusterLinkReady', 'False', 'NameConflict');
    expect(message).to.include(`NodeConfig ${name} in the cluster is somebody else's`);
    expect((await client.get(nodeConfigs, { name })).spec.routes).to.deep.equal([]);
    await client.patch(nodeConfigs, { name }, { metadata: { labels } }, { type: 'merge' });
    await federation.clusterCondition('member1', 'ClusterLinkReady', 'True');
    expect((await client.get(nodeConfigs, { name })).spec.routes).to.deep.equal(config?.spec.routes);
  });

  it('makes a node the gateway that is labelled as one, and never has none meanwhile', async () => {
    const before = gatewayOf(await nodesOf('member2'));
    const wanted =
      (await nodesOf('member2')).map(({ spec }) => spec.nodeName ?? '').find((name) => name !== before) ?? '';
    const seen = new Set<number>();
    const done = new AbortController();
    const watching = (async (): Promise<void> => {
      while (!done.signal.aborted) {
        seen.add((await nodesOf('member2')).filter(({ spec }) => spec.roles?.includes('gateway')).length);
      }
    })();
    const label = { metadata: { labels: { 'kosmos.io/gateway': '' } } };
    await federation.client('member2').patch(nodes, { name: wanted }, label, { type: 'merge' });
    await eventually(async () => expect(gatewayOf(await nodesOf('member2'))).to.equal(wanted));
    await federation.clusterCondition('member2', 'ClusterLinkReady', 'True');
    done.abort();
    await watching;
    expect(seen).to.not.include(0);
    await eventually(async () => {
      for (const { spec } of await configsOf('member2')) {
        const own = spec.gateways?.find(({ clusterName }) => clusterName === 'member2');
        expect(own?.candidates[0]?.nodeName).to.equal(wanted);
      }
    });
  });

  it('replaces a gateway that agents no longer reach, and does not give the role back when it returns', async () => {
    const before = gatewayOf(await nodesOf('member1'));
    const dead = `member1/${before}`;
    for (const each of agents) each.kill(dead);
    const after = await eventually(
      async () => {
        const gateway = gatewayOf(await nodesOf('member1'));
        expect(gateway).to.not.equal(before);
        return gateway;
      },
      { timeoutMs: 10_000 },
    );
    for (const each of agents) each.revive(dead);
    await federation.clusterCondition('member1', 'ClusterLinkReady', 'True');
    await always(async () => {
      expect(gatewayOf(await nodesOf('member1'))).to.equal(after);
    }, 2_000);
  });

  it('takes a node out that is gone, everywhere', async () => {
    const gone = (await nodesOf('member2')).find(({ spec }) => !spec.roles?.includes('gateway'))?.spec;
    const name = gone?.nodeName ?? '';
    await federation.client('member2').delete(nodes, { name });
    await eventually(async () => {
      expect((await nodesOf('member2')).map(({ spec }) => spec.nodeName)).to.not.include(name);
      expect((await configsOf('member2')).map(({ spec }) => spec.nodeName)).to.not.include(name);
      for (const { spec } of await configsOf('member1')) {
        expect(spec.fdbs?.map(({ ip }) => ip)).to.not.include(gone?.ip);
      }
    });
  });

  it('goes on where it was after a crash, and writes nothing', async () => {
    for (const name of ['member1', 'member2', 'host']) {
      await federation.clusterCondition(name, 'ClusterLinkReady', 'True', 'Linked');
    }
    const before = (await configsOf('member1')).map(({ metadata }) => [metadata?.name, metadata?.generation]);
    const roles = (await nodesOf('member1')).map(({ spec }) => spec.roles);
    await federation.killManager();
    await federation.restartManager();
    await always(async () => {
      const now = (await configsOf('member1')).map(({ metadata }) => [metadata?.name, metadata?.generation]);
      expect(now).to.deep.equal(before);
      expect((await nodesOf('member1')).map(({ spec }) => spec.roles)).to.deep.equal(roles);
    }, 5_000);
  });

  it('takes everything away when the link is switched off, and its routes in other clusters', async () => {
    const { podCIDRs: pods2 = [] } = await linkStatus('member2');
    const patch = { spec: { clusterLinkOptions: { enable: false } } };
    await federation.host.patch(clusters, { name: 'member2' }, patch, { type: 'merge' });
    await eventually(async () => {
      expect(await configsOf('member2')).to.deep.equal([]);
      const pools = (await federation.client('member2').list(ipPools)).items;
      expect(pools.map(({ metadata }) => metadata?.name)).to.deep.equal(['default']);
      expect(await nodesOf('member2')).to.deep.equal([]);
      for (const { spec } of await configsOf('member1')) {
        expect(spec.routes?.map(({ cidr }) => cidr)).to.not.include.members([...pods2]);
      }
      expect((await cluster('member2')).metadata?.finalizers ?? []).to.not.include('kosmos.io/clusterlink');
    });
    await federation.clusterCondition('member2', 'ClusterLinkReady', 'False', 'Disabled');
  });

  it('lets a Cluster go when its link is cleaned up', async () => {
    await federation.host.delete(clusters, { name: 'member1' });
    await eventually(async () => {
      expect(await federation.find('host', clusters, { name: 'member1' })).to.equal(undefined);
      expect(await configsOf('member1')).to.deep.equal([]);
    });
  });
});
