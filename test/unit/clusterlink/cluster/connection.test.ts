import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { allDone } from '../../../../src/clusterlink/cluster/all-done.js';
import { compileLink, isLinkRegistered, isLinkWanted } from '../../../../src/clusterlink/cluster/link-config.js';
import type { LinkConnection } from '../../../../src/clusterlink/cluster/connection.js';
import { LinkConnections } from '../../../../src/clusterlink/cluster/link-registry.js';
import { NetworkSources } from '../../../../src/clusterlink/cluster/network-sources.js';
import { configMaps, nodes, pods } from '../../../../src/kube/resource.js';
import { blockAffinities, ciliumNodes, ipPools, serviceCidrs } from '../../../../src/kube/network-resources.js';
import { LINK_CONFIG, LinkHarness } from '../../../support/link-harness.js';
import { linkedCluster } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

const ROOT = { annotations: { 'kosmos.io/cluster-role': 'root' } };
const GOING = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const withMetadata = (metadata: Cluster['metadata'], cluster = linkedCluster('east')): Cluster => ({
  ...cluster,
  metadata: { ...cluster.metadata, ...metadata },
});

describe('whether the network of a Cluster is linked', () => {
  const table: readonly (readonly [string, Cluster, boolean])[] = [
    ['as soon as it has options', linkedCluster('east'), true],
    ["also for the host's own entry", withMetadata(ROOT), true],
    ['not without options', { spec: {} }, false],
    ['not when it is switched off', linkedCluster('east', { enable: false }), false],
    ['not when it is being deleted', withMetadata(GOING), false],
  ];
  for (const [what, cluster, expected] of table) {
    it(`is so ${what}`, () => {
      expect(isLinkWanted(cluster)).to.equal(expected);
    });
  }

  it('is remembered by a finalizer', () => {
    expect(isLinkRegistered(withMetadata({ finalizers: ['kosmos.io/clusterlink'] }))).to.equal(true);
    expect(isLinkRegistered(linkedCluster('east'))).to.equal(false);
  });
});

describe('what ClusterLink needs of a Cluster', () => {
  it('is its kubeconfig and its CNI', () => {
    expect(compileLink(linkedCluster('east', { cni: 'Cilium' }))).to.deep.include({
      ...{ name: 'east', root: false, cni: 'cilium', leaving: false },
    });
    expect(compileLink(linkedCluster('east')).cni).to.equal('calico');
    expect(compileLink(withMetadata(GOING)).leaving).to.equal(true);
  });

  it('is no kubeconfig for the host itself', () => {
    const { spec } = linkedCluster('host');
    const root = { metadata: { name: 'host', ...ROOT }, spec: { ...spec, kubeconfig: undefined } };
    expect(compileLink(root)).to.deep.include({ root: true, kubeconfig: undefined });
    expect(() => compileLink({ ...root, metadata: { name: 'host' } })).to.throw(/neither kubeconfig/);
  });
});

describe('LinkConnections', () => {
  const source = new LinkConnections({
    readKubeconfig: () => Promise.resolve('the kubeconfig'),
    connect: (config, kubeconfig) => ({ config, kubeconfig }) as unknown as LinkConnection,
  });

  it('are wanted for clusters that are linked, or not cleaned up yet', () => {
    const off = linkedCluster('east', { enable: false });
    expect(source.isWanted(linkedCluster('east'))).to.equal(true);
    expect(source.isWanted(off)).to.equal(false);
    expect(source.isWanted(withMetadata({ finalizers: ['kosmos.io/clusterlink'] }, off))).to.equal(true);
  });

  it('are made anew when what they are made of changes, and only then', async () => {
    const { signal } = new AbortController();
    const one = await source.prepare(linkedCluster('east'), signal);
    const same = await source.prepare(linkedCluster('east', { networkType: 'gateway' }), signal);
    const other = await source.prepare(linkedCluster('east', { cni: 'flannel' }), signal);
    expect(one.fingerprint).to.equal(same.fingerprint).and.not.equal(other.fingerprint);
    expect(one.connect()).to.deep.include({ kubeconfig: 'the kubeconfig' });
  });

  it('lead to the host itself without a kubeconfig', async () => {
    const { spec } = linkedCluster('host');
    const root = { metadata: { name: 'host', ...ROOT }, spec: { ...spec, kubeconfig: undefined } };
    const prepared = await source.prepare(root, new AbortController().signal);
    expect(prepared.connect()).to.deep.include({ kubeconfig: undefined });
  });
});

describe('LinkConnection', () => {
  let harness: LinkHarness;

  beforeEach(() => {
    harness = new LinkHarness();
  });

  afterEach(() => harness.end());

  it('is synced when nodes and NodeConfigs are known, and says what keeps it from that', async () => {
    harness.client.fail({ verb: 'list', type: nodes, error: apiError(403, 'Forbidden', 'not you') });
    const connection = harness.connect();
    await harness.calm(0);
    expect([connection.synced, connection.problem]).to.deep.equal([false, 'not you']);
    await harness.calm(60_000);
    expect([connection.synced, connection.problem]).to.deep.equal([true, undefined]);
  });

  it('tells of each change, until nobody listens', async () => {
    const connection = harness.connect();
    await harness.calm();
    let told = 0;
    connection.onChange(() => (told += 1));
    const stop = connection.onUpdate(() => (told += 10));
    harness.seedNode('n1', '10.1.0.0/24');
    await harness.calm();
    expect(told).to.equal(11);
    stop();
    harness.seedNode('n2', '10.2.0.0/24');
    await harness.calm();
    expect(told).to.equal(12);
  });

  it('lets features write while it leads, and logs one that fails', async () => {
    const log: string[] = [];
    const connection = harness.connect({}, [
      {
        name: 'good',
        open: () => ({
          lead: (signal) =>
            new Promise((resolve) => {
              log.push('began');
              signal.addEventListener('abort', () => {
                log.push('ended');
                resolve();
              });
            }),
        }),
      },
      { name: 'bad', open: () => ({ lead: () => Promise.reject(new Error('no')) }) },
    ]);
    const term = new AbortController();
    const leading = connection.lead(term.signal);
    await harness.calm();
    expect(log).to.deep.equal(['began']);
    term.abort();
    await leading;
    expect(log).to.deep.equal(['began', 'ended']);
    expect(harness.logs.map(({ message }) => message)).to.include('part of a linked cluster ended');
  });
});

describe('NetworkSources', () => {
  let harness: LinkHarness;

  beforeEach(() => {
    harness = new LinkHarness();
  });

  afterEach(() => harness.end());

  function sources(cni: string, calicoInEtcd = false): NetworkSources {
    const { client, createInformer } = harness;
    const made = new NetworkSources({
      cluster: LINK_CONFIG.name,
      client,
      createInformer,
      config: { cni, calicoInEtcd },
    });
    harness.track(made.run(harness.signal));
    return made;
  }

  const watched = (): unknown =>
    [...new Set(harness.client.callsOf({ verb: 'list' }).map(({ resource }) => resource))].sort();

  const table: readonly (readonly [string, readonly string[]])[] = [
    ['calico', ['blockaffinities', 'configmaps', 'ippools', 'pods', 'servicecidrs']],
    ['flannel', ['configmaps', 'pods', 'servicecidrs']],
    ['cilium', ['ciliumnodes', 'configmaps', 'pods', 'servicecidrs']],
    ['generic', ['pods', 'servicecidrs']],
  ];
  for (const [cni, kinds] of table) {
    it(`look at what a cluster with ${cni} has`, async () => {
      sources(cni);
      await harness.calm();
      expect(watched()).to.deep.equal(kinds);
    });
  }

  it('give what they find, and tell of changes', async () => {
    const metadata = { name: 'x' };
    harness.client.seed(serviceCidrs, { metadata, spec: { cidrs: ['10.96.0.0/16'] } });
    harness.client.seed(ipPools, { metadata, spec: { cidr: '10.10.0.0/16' } });
    harness.client.seed(blockAffinities, { metadata, spec: {} });
    harness.client.seed(pods, {
      metadata: { ...metadata, namespace: 'kube-system', labels: { component: 'kube-apiserver' } },
      spec: { containers: [] },
    });
    const made = sources('calico');
    let told = 0;
    made.onChange(() => (told += 1));
    await harness.calm();
    const { facts } = made;
    const counts = [facts.serviceCidrs, facts.ipPools, facts.blockAffinities, facts.controlPlane].map(
      ({ state, objects }) => `${state} ${objects.length}`,
    );
    expect(counts).to.deep.equal(Array(4).fill('known 1'));
    expect([facts.flannel.state, facts.cilium.state, facts.ciliumNodes.state]).to.deep.equal(Array(3).fill('absent'));
    expect(told).to.equal(4);
  });

  describe('for Calico on etcd', () => {
    const config = (data: Readonly<Record<string, string>>, namespace = 'kube-system'): void =>
      void harness.client.seed(configMaps, { metadata: { namespace, name: 'calico-config' }, data });

    it('know it by the ConfigMap of its manifests, also when that comes later', async () => {
      config({ etcd_endpoints: 'http://192.0.2.9:2379' }, 'default');
      const made = sources('calico');
      expect(made.facts.calicoInEtcd).to.equal(undefined);
      await harness.calm();
      expect(made.facts.calicoInEtcd).to.equal(false);
      config({ etcd_endpoints: 'http://192.0.2.9:2379' });
      await harness.calm();
      expect(made.facts.calicoInEtcd).to.equal(true);
      harness.client.edit(
        configMaps,
        { namespace: 'kube-system', name: 'calico-config' },
        { data: { etcd_endpoints: '' } },
      );
      await harness.calm();
      expect(made.facts.calicoInEtcd).to.equal(false);
    });

    it('believe the Cluster, if its CNI is Calico, and nothing of other CNIs', async () => {
      config({ etcd_endpoints: 'http://192.0.2.9:2379' });
      const [stated, flannel] = [sources('calico', true), sources('flannel', true)];
      expect([stated.facts.calicoInEtcd, flannel.facts.calicoInEtcd]).to.deep.equal([true, false]);
      await harness.calm();
      expect([stated.facts.calicoInEtcd, flannel.facts.calicoInEtcd]).to.deep.equal([true, false]);
    });

    it('take it for one with CRDs where that ConfigMap may not be read', async () => {
      const error = apiError(403, 'Forbidden', 'not you');
      harness.client.fail({ verb: 'list', type: configMaps, error, times: 100 });
      const made = sources('calico');
      await harness.calm();
      expect(made.facts.calicoInEtcd).to.equal(false);
    });
  });

  it('read the one ConfigMap of flannel or Cilium', async () => {
    for (const name of ['kube-flannel-cfg', 'other']) {
      harness.client.seed(configMaps, { metadata: { namespace: 'kube-flannel', name } });
    }
    harness.client.seed(configMaps, { metadata: { namespace: 'kube-system', name: 'cilium-config' } });
    harness.client.seed(ciliumNodes, { metadata: { name: 'n1' } });
    const [flannel, cilium] = [sources('flannel'), sources('cilium')];
    await harness.calm();
    expect(flannel.facts.flannel.objects).to.have.length(1);
    expect([cilium.facts.cilium.objects, cilium.facts.ciliumNodes.objects].map(({ length }) => length)).to.deep.equal([
      1, 1,
    ]);
  });
});

describe('allDone', () => {
  it('waits for all, also when one fails, and fails then', async () => {
    const done: string[] = [];
    const slow = async (): Promise<void> => {
      await Promise.resolve();
      done.push('slow');
    };
    await allDone([slow]);
    const failed = await allDone([() => Promise.reject(new Error('no')), slow]).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    expect(done).to.deep.equal(['slow', 'slow']);
  });
});
