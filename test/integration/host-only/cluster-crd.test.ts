import { expect } from 'chai';
import type { LabCluster } from '../../../hack/lab/cluster.js';
import type { Lab } from '../../../hack/lab/lab.js';
import type { KubeObject } from '../../../src/apis/core.js';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import { compileCluster } from '../../../src/clustertree/cluster/options.js';
import { clusterStatusPatch } from '../../../src/clustertree/cluster/status.js';
import { sharedHost } from '../../support/shared-lab.js';
import { repositoryFile, repositoryManifests } from '../../support/yaml-files.js';

const PATH = '/apis/kosmos.io/v1alpha1/clusters';
const KUBECONFIG = Buffer.from('apiVersion: v1\nkind: Config\n').toString('base64');

type Spec = Readonly<Record<string, unknown>>;

/** What Kosmos' own sample of a member says, with all fields that its schema knows. */
const KOSMOS_MEMBER: Spec = {
  clusterLinkOptions: {
    bridgeCIDRs: { ip: '220.0.0.0/8', ip6: '9480::0/16' },
    cni: 'calico',
    defaultNICName: 'eth0',
    enable: true,
    ipFamily: 'all',
    localCIDRs: { ip: '210.0.0.0/8', ip6: '9470::0/16' },
    networkType: 'p2p',
    nicNodeNames: [{ interfaceName: 'eth1', nodeName: ['nodeName1', 'nodeName2'] }],
    useIPPool: false,
    globalCIDRsMap: { '10.10.0.0/16': '242.10.0.0/16' },
    autodetectionMethod: 'can-reach=8.8.8.8',
  },
  clusterTreeOptions: { enable: true },
  imageRepository: 'ghcr.io/kosmos',
  kubeconfig: KUBECONFIG,
  namespace: 'kosmos-system',
};
const models = (...leafModels: readonly Spec[]): Spec => ({
  kubeconfig: KUBECONFIG,
  clusterTreeOptions: { leafModels },
});
const party = (leafNodeName: string, labelSelector: Spec): Spec => ({ leafNodeName, nodeSelector: { labelSelector } });
const node = (nodeName: string): Spec => ({ nodeSelector: { nodeName } });

describe('the Cluster CRD on a real API server', () => {
  let lab: Lab;
  let host: LabCluster;

  const manifest = (name: string, spec: Spec, metadata: Spec = {}): string =>
    JSON.stringify({ apiVersion: 'kosmos.io/v1alpha1', kind: 'Cluster', metadata: { name, ...metadata }, spec });
  const apply = async (input: string): Promise<{ readonly code: number; readonly stderr: string }> => {
    const { code, stderr } = await host.kubectl(['apply', '-f', '-'], { input, allowFailure: true });
    return { code, stderr };
  };
  const read = async (name: string): Promise<Cluster> => (await host.api.json('GET', `${PATH}/${name}`)) as Cluster;

  before(async () => {
    lab = await sharedHost();
    host = lab.host;
    await host.kubectl(['apply', '-f', '-'], { input: repositoryFile('crds/kosmos.io_clusters.yaml') });
    await host.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/clusters.kosmos.io']);
  });

  it('is accepted as it is, without a warning and with a structural schema', async () => {
    const crd = JSON.stringify(
      await host.api.json('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusters.kosmos.io'),
    );
    expect(crd).not.to.contain('NonStructuralSchema');
    const again = await host.kubectl(['apply', '-f', '-'], { input: repositoryFile('crds/kosmos.io_clusters.yaml') });
    expect(again.stderr).to.equal('');
  });

  describe('accepts', () => {
    const accepted: readonly (readonly [string, Spec, Spec?])[] = [
      ["Kosmos' sample of a member", KOSMOS_MEMBER, { labels: { 'kosmos.io/actual-cluster-name': 'member-cluster' } }],
      ["Kosmos' sample of the host", KOSMOS_MEMBER, { annotations: { 'kosmos.io/cluster-role': 'root' } }],
      ['a Cluster that says nothing', {}],
      ['a disabled tree', { clusterTreeOptions: { enable: false } }],
      ['an empty list of leafModels', models()],
      ['one model without selector', models({ leafNodeName: 'x', labels: { a: 'b' }, taints: [] })],
      ['nodes by name', models(node('n1'), { ...node('n2'), leafNodeName: 'n2' })],
      ['parties', models(party('a', { matchLabels: { a: 'b' } }), party('a', {}))],
      [
        'parties that name a node too',
        models(
          { ...party('a', {}), nodeSelector: { nodeName: 'n', labelSelector: { matchLabels: { a: 'b' } } } },
          party('b', { matchExpressions: [{ key: 'a', operator: 'Exists' }] }),
        ),
      ],
      [
        'taints',
        models({ taints: [{ key: 'a', value: 'b', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }] }),
      ],
      ['a reference to a Secret', { kubeconfigSecretRef: { name: 'east', namespace: 'vault' } }],
      ['figures from kubelets', { clusterTreeOptions: { statsSource: 'Kubelets' } }],
      ['a namespace selector', { clusterTreeOptions: { namespaceSelector: { matchLabels: { a: 'b' } } } }],
    ];
    accepted.forEach(([name, spec, metadata], index) => {
      it(name, async () => {
        const { code, stderr } = await apply(manifest(`accepted-${index}`, spec, metadata));
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      });
    });

    for (const { path, object } of repositoryManifests('examples/01-join')) {
      it(path, async () => {
        const { code, stderr } = await apply(JSON.stringify(object));
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
        const { metadata } = object as Cluster;
        expect(compileCluster(await read(metadata?.name ?? '')).treeEnabled).to.be.true;
      });
    }

    for (const folder of ['02-spread', '04-statefulset', '05-job', '06-topology', '07-operator']) {
      for (const { path, object } of repositoryManifests(`examples/${folder}`)) {
        const { kind = '', metadata } = object as KubeObject;
        it(`${path}: ${kind} ${metadata?.name ?? ''}`, async () => {
          const args = ['apply', '--dry-run=server', '--validate=strict', '-f', '-'];
          const { code, stderr } = await host.kubectl(args, { input: JSON.stringify(object), allowFailure: true });
          expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
        });
      }
    }

    it('a list of models as long as a large cluster', async () => {
      const many = Array.from({ length: 5000 }, (_, i) => node(`node-${i}`));
      const created = await host.api.json('POST', PATH, {
        body: JSON.parse(manifest('many', models(...many))) as unknown,
      });
      expect((created as Cluster).spec.clusterTreeOptions?.leafModels).to.have.lengthOf(5000);
    });

    it('a name of 56 characters', async () => {
      expect((await apply(manifest('n'.repeat(56), {}))).code).to.equal(0);
    });
  });

  describe('refuses', () => {
    for (const [name, spec, message] of [
      [
        'two sources of the kubeconfig',
        { kubeconfig: KUBECONFIG, kubeconfigSecretRef: { name: 'x' } },
        'exclude each other',
      ],
      ['an unnamed Secret', { kubeconfigSecretRef: { name: '' } }, 'kubeconfigSecretRef.name'],
      ['mixed modes', models(node('n1'), party('a', { matchLabels: { a: 'b' } })), 'with several entries'],
      ['several models without selector', models({}, {}), 'with several entries'],
      ['an unknown network type', { clusterLinkOptions: { networkType: 'mesh' } }, 'networkType'],
      ['a kubeconfig that is no base64', { kubeconfig: '_kubeconfig_' }, 'kubeconfig'],
      ['an unknown source of figures', { clusterTreeOptions: { statsSource: 'kubelets' } }, 'statsSource'],
      ['a taint without effect', models({ taints: [{ key: 'a' }] }), 'effect'],
      ['a misspelt field', { kubeConfig: KUBECONFIG }, 'unknown field'],
    ] as const) {
      it(name, async () => {
        const { code, stderr } = await apply(manifest('refused', spec));
        expect(code).not.to.equal(0);
        expect(stderr).to.contain(message);
      });
    }

    it('a name of 57 characters', async () => {
      const { code, stderr } = await apply(manifest('n'.repeat(57), {}));
      expect(code).not.to.equal(0);
      expect(stderr).to.contain('at most 56 characters');
    });
  });

  it('fills in the defaults that Kosmos fills in', async () => {
    await apply(manifest('defaults', { kubeconfig: KUBECONFIG, clusterLinkOptions: {}, clusterTreeOptions: {} }));
    const { spec } = await read('defaults');
    expect(spec).to.deep.equal({
      kubeconfig: KUBECONFIG,
      namespace: 'kosmos-system',
      clusterLinkOptions: {
        enable: true,
        cni: 'calico',
        networkType: 'p2p',
        ipFamily: 'all',
        useIPPool: false,
        localCIDRs: { ip: '210.0.0.0/8', ip6: '9480::/16' },
        bridgeCIDRs: { ip: '220.0.0.0/8', ip6: '9470::/16' },
        defaultNICName: '*',
      },
      clusterTreeOptions: { enable: true },
    });
  });

  it('keeps the status apart, and prints it', async () => {
    await apply(manifest('printed', { kubeconfig: KUBECONFIG }));
    const cluster = await read('printed');
    const patch = clusterStatusPatch(
      cluster,
      {
        state: { kind: 'connected', synced: true, conflicts: [] },
        kubernetesVersion: 'v1.36.3',
        mode: 'all',
        nodes: { ready: 2, total: 3 },
        virtualNodes: ['kosmos-printed'],
      },
      '2026-01-01T00:00:00Z',
    );
    const contentType = 'application/merge-patch+json';
    await host.api.json('PATCH', `${PATH}/printed/status`, { body: patch, contentType });
    await apply(manifest('printed', { kubeconfig: KUBECONFIG, imageRepository: 'edited' }));
    const after = await read('printed');
    expect(after.status?.clusterTreeStatus?.leafNodeItems).to.deep.equal([{ leafNodeName: 'kosmos-printed' }]);
    const { stdout } = await host.kubectl(['get', 'clusters.kosmos.io', 'printed']);
    const [header = '', row = ''] = stdout.trim().split('\n');
    expect(header.split(/\s+/)).to.deep.equal(['NAME', 'READY', 'VERSION', 'NODES', 'MODE', 'AGE']);
    expect(row.split(/\s+/).slice(0, 5)).to.deep.equal(['printed', 'True', 'v1.36.3', '2/3', 'all']);
  });

  it('lets a status patch fail that was computed from an older Cluster', async () => {
    await apply(manifest('stale', {}));
    const stale = await read('stale');
    const patch = clusterStatusPatch(
      stale,
      {
        state: { kind: 'disabled' },
        kubernetesVersion: undefined,
        mode: undefined,
        nodes: undefined,
        virtualNodes: [],
      },
      '2026-01-01T00:00:00Z',
    );
    await apply(manifest('stale', { imageRepository: 'edited' }));
    const contentType = 'application/merge-patch+json';
    const failure = await host.api
      .json('PATCH', `${PATH}/stale/status`, { body: patch, contentType })
      .catch((error: unknown) => error);
    expect(failure).to.include({ status: 409 });
  });
});
