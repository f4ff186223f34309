import { inspect } from 'node:util';
import { expect } from 'chai';
import type { Cluster, ClusterSpec, LeafModel } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { ClusterInvalidError, compileCluster } from '../../../../src/clustertree/cluster/options.js';
import { FederationError } from '../../../../src/lib/errors.js';

const KUBECONFIG = Buffer.from('apiVersion: v1\nkind: Config\n').toString('base64');

function cluster(spec: Partial<ClusterSpec> = {}, metadata: Cluster['metadata'] = {}): Cluster {
  return { metadata: { name: 'east', ...metadata }, spec: { kubeconfig: KUBECONFIG, ...spec } };
}

const withModels = (leafModels: readonly LeafModel[]): Cluster => cluster({ clusterTreeOptions: { leafModels } });

function problemsOf(value: Cluster): readonly string[] {
  try {
    compileCluster(value);
  } catch (error) {
    if (error instanceof ClusterInvalidError) return error.problems;
    throw error;
  }
  return [];
}

describe('compileCluster', () => {
  it('applies all defaults to a Cluster that only has a kubeconfig', () => {
    const { kubeconfig, ...rest } = compileCluster(cluster());
    expect(kubeconfig?.kind).to.equal('inline');
    expect(rest).to.deep.equal({
      name: 'east',
      root: false,
      treeEnabled: true,
      actualName: 'east',
      ipFamily: 'all',
      mode: 'all',
      virtualNodes: [
        {
          mode: 'all',
          nodeName: 'kosmos-east',
          labels: {},
          taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }],
        },
      ],
      namespaceSelector: {},
      storageClassMap: {},
      statsSource: 'MetricsAPI',
      disconnectionPolicy: { kind: 'Evict' },
      hostApi: undefined,
      cleanupTimeoutMs: 300_000,
    });
  });

  it('freezes the result all the way down and leaves the Cluster alone', () => {
    const given = withModels([{ leafNodeName: 'a', labels: { tier: 'gold' }, nodeSelector: { nodeName: 'n1' } }]);
    const copy = structuredClone(given);
    const config = compileCluster(given);
    expect(config).to.be.frozen;
    expect(config.virtualNodes).to.be.frozen;
    expect(config.virtualNodes[0]?.labels).to.be.frozen;
    expect(config.virtualNodes[0]?.taints[0]).to.be.frozen;
    expect(given).to.deep.equal(copy);
    expect(given.spec.clusterTreeOptions?.leafModels?.[0]?.labels).not.to.be.frozen;
  });

  it('gives an inline kubeconfig only to who asks for it', () => {
    const config = compileCluster(cluster());
    const source = config.kubeconfig;
    expect(source?.kind === 'inline' && source.kubeconfig.reveal()).to.equal('apiVersion: v1\nkind: Config\n');
    expect(JSON.stringify(config)).not.to.contain('Config');
    expect(inspect(config, { depth: 10 })).not.to.contain('Config');
  });

  it('refers to a Secret, by default in kosmos-system', () => {
    const at = (namespace?: string): unknown => {
      const kubeconfigSecretRef = namespace === undefined ? { name: 'east' } : { name: 'east', namespace };
      return compileCluster({ metadata: { name: 'east' }, spec: { kubeconfigSecretRef } }).kubeconfig;
    };
    expect(at()).to.deep.equal({ kind: 'secret', namespace: 'kosmos-system', name: 'east' });
    expect(at('vault')).to.deep.equal({ kind: 'secret', namespace: 'vault', name: 'east' });
  });

  it('reads the shared name, the IP family and the namespace selector', () => {
    const config = compileCluster(
      cluster(
        {
          clusterLinkOptions: { ipFamily: 'ipv6' },
          clusterTreeOptions: { namespaceSelector: { matchLabels: { federated: 'yes' } } },
        },
        { labels: { 'kosmos.io/actual-cluster-name': 'physical' } },
      ),
    );
    expect(config.actualName).to.equal('physical');
    expect(config.ipFamily).to.equal('ipv6');
    expect(config.namespaceSelector).to.deep.equal({ matchLabels: { federated: 'yes' } });
  });

  it('reads where figures come from, the metrics API unless kubelets are asked for', () => {
    const source = (statsSource: string): string =>
      compileCluster(cluster({ clusterTreeOptions: { statsSource } })).statsSource;
    expect([source('MetricsAPI'), source('Kubelets')]).to.deep.equal(['MetricsAPI', 'Kubelets']);
    expect(problemsOf(cluster({ clusterTreeOptions: { statsSource: 'kubelets' } }))).to.deep.equal([
      'spec.clusterTreeOptions.statsSource: "kubelets" is neither MetricsAPI nor Kubelets',
    ]);
    const disabled = compileCluster(cluster({ clusterTreeOptions: { enable: false, statsSource: 'kubelets' } }));
    expect(disabled.statsSource).to.equal('MetricsAPI');
  });

  it('takes an unknown IP family for all, as the schema has always let it pass', () => {
    expect(compileCluster(cluster({ clusterLinkOptions: { ipFamily: 'both' } })).ipFamily).to.equal('all');
    expect(compileCluster(cluster({ clusterLinkOptions: { ipFamily: 'ipv4' } })).ipFamily).to.equal('ipv4');
  });

  it('reads the annotations', () => {
    const config = compileCluster(
      cluster(
        {},
        {
          annotations: {
            'kosmos.io/cleanup-timeout': '90s',
            'kosmos.io/disconnection-policy': 'EvictAfter=10m',
          },
        },
      ),
    );
    expect(config.cleanupTimeoutMs).to.equal(90_000);
    expect(config.disconnectionPolicy).to.deep.equal({ kind: 'EvictAfter', afterMs: 600_000 });
  });

  describe('without a tree', () => {
    const broken = { leafModels: [], namespaceSelector: { matchLabels: { '-': '-' } } };

    it('wants no virtual nodes of a disabled Cluster, and does not care what they would be', () => {
      const config = compileCluster(cluster({ clusterTreeOptions: { enable: false, ...broken } }));
      expect(config.treeEnabled).to.be.false;
      expect(config.virtualNodes).to.deep.equal([]);
      expect(config.kubeconfig?.kind).to.equal('inline');
    });

    it('never joins the host itself, and needs no kubeconfig of it', () => {
      const metadata = { name: 'host', annotations: { 'kosmos.io/cluster-role': 'root' } };
      const config = compileCluster({ metadata, spec: { clusterTreeOptions: { enable: true } } });
      expect(config.root).to.be.true;
      expect(config.treeEnabled).to.be.false;
      expect(config.virtualNodes).to.deep.equal([]);
      expect(config.kubeconfig).to.be.undefined;
    });

    it('needs no kubeconfig of a disabled Cluster', () => {
      expect(problemsOf({ metadata: { name: 'east' }, spec: { clusterTreeOptions: { enable: false } } })).to.be.empty;
    });
  });

  describe('errors', () => {
    it('lists all problems in one error that is not retried', () => {
      const given = cluster(
        {
          kubeconfigSecretRef: { name: 'Not A Name', namespace: 'a.b' },
          clusterTreeOptions: {
            namespaceSelector: { matchExpressions: [{ key: 'x', operator: 'Like' }] },
            leafModels: [{ taints: [{ key: 'a b', effect: 'Never' }] }],
          },
        },
        {
          name: 'n'.repeat(57),
          annotations: { 'kosmos.io/cleanup-timeout': 'soon', 'kosmos.io/disconnection-policy': 'Panic' },
        },
      );
      expect(problemsOf(given)).to.deep.equal([
        'metadata.name: is longer than 56 characters',
        'spec: kubeconfig and kubeconfigSecretRef exclude each other',
        'spec.kubeconfigSecretRef.name: "Not A Name" is not the name of a Secret',
        'spec.kubeconfigSecretRef.namespace: "a.b" is not the name of a namespace',
        'spec.clusterTreeOptions.namespaceSelector.matchExpressions[0].operator: "Like" is none of In, NotIn, Exists, ' +
          'DoesNotExist',
        'spec.clusterTreeOptions.leafModels[0].taints[0].key: "a b" is not the key of a taint',
        'spec.clusterTreeOptions.leafModels[0].taints[0].effect: "Never" is none of NoSchedule, PreferNoSchedule, ' +
          'NoExecute',
        'metadata.annotations[kosmos.io/disconnection-policy]: "Panic" is none of Evict, EvictAfter=<duration>, Keep',
        'metadata.annotations[kosmos.io/cleanup-timeout]: "soon" is not a duration',
      ]);
      expect(() => compileCluster(given))
        .to.throw(FederationError, 'metadata.name: is longer than 56 characters; spec: kubeconfig')
        .that.includes({ code: 'CLUSTER_INVALID', retry: 'never' });
    });

    for (const [name, spec, problem] of [
      ['no kubeconfig', {}, 'spec: neither kubeconfig nor kubeconfigSecretRef is set'],
      ['an empty kubeconfig', { kubeconfig: '' }, 'spec: neither kubeconfig nor kubeconfigSecretRef is set'],
      ['a blank kubeconfig', { kubeconfig: 'ICAK' }, 'spec.kubeconfig: is not the base64 form of a kubeconfig'],
      [
        'a kubeconfig that is no base64',
        { kubeconfig: '?' },
        'spec.kubeconfig: is not the base64 form of a kubeconfig',
      ],
    ] as const) {
      it(`reports ${name}`, () => {
        expect(problemsOf({ metadata: { name: 'east' }, spec })).to.deep.equal([problem]);
      });
    }

    it('never shows the kubeconfig', () => {
      const given = cluster({ clusterTreeOptions: { leafModels: [] } });
      expect(() => compileCluster(given))
        .to.throw()
        .that.satisfies((error: Error) => {
          return !inspect(error).includes(KUBECONFIG) && !inspect(error).includes('kind: Config');
        });
    });

    it('reports a Cluster without metadata instead of failing otherwise', () => {
      expect(problemsOf({ spec: {} })).to.deep.equal(['spec: neither kubeconfig nor kubeconfigSecretRef is set']);
    });
  });
});
