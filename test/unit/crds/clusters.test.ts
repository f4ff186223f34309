import { expect } from 'chai';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { compileCluster } from '../../../src/clustertree/cluster/options.js';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_CONDITION_TYPES } from '../../../src/clustertree/cluster/conditions.js';
import { repositoryManifests, repositoryYaml } from '../../support/yaml-files.js';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly [extension: `x-kubernetes-${string}`]: unknown;
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly subresources: unknown;
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly priority?: number }[];
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const crd = repositoryYaml('crds/kosmos.io_clusters.yaml') as Crd;
const version = crd.spec.versions[0]!;
const root = version.schema.openAPIV3Schema;

function* walk(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* walk(child, `${path}.${name}`);
  if (schema.items) yield* walk(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* walk(schema.additionalProperties, `${path}{}`);
}

const at = (...path: readonly string[]): Schema =>
  path.reduce<Schema>((schema, name) => (schema.properties ?? schema.items?.properties ?? {})[name] ?? {}, root);
const fields = (schema: Schema): readonly string[] =>
  Object.keys(schema.properties ?? schema.items?.properties ?? {}).sort();

describe('crds/kosmos.io_clusters.yaml', () => {
  it('describes the resource that the client uses', () => {
    expect(crd.metadata.name).to.equal(`${clusters.plural}.${crd.spec.group}`);
    expect(`${crd.spec.group}/${version.name}`).to.equal(clusters.apiVersion);
    expect(crd.spec.names).to.include({ kind: clusters.kind, plural: clusters.plural });
    expect(crd.spec.scope).to.equal(clusters.namespaced ? 'Namespaced' : 'Cluster');
    expect(crd.spec.versions).to.have.lengthOf(1);
  });

  it('is structural: every part has a type, and requires only what it has', () => {
    for (const [path, schema] of walk(root, '')) {
      expect(schema.type, path).to.be.a('string');
      for (const name of schema.required ?? []) expect(schema.properties, path).to.have.property(name);
      if (schema.type === 'array') expect(schema.items, path).to.be.an('object');
      expect(schema, path).not.to.have.property('x-kubernetes-preserve-unknown-fields');
    }
  });

  it('bounds every list that a rule walks', () => {
    const walked = [...walk(root, '')].filter(([, s]) => s.type === 'array' && s['x-kubernetes-validations']);
    expect(walked.map(([path]) => path)).to.deep.equal(['.spec.clusterTreeOptions.leafModels']);
    expect(walked.every(([, schema]) => schema.maxItems !== undefined)).to.be.true;
  });

  it('has a status of its own, and prints it', () => {
    expect(version.subresources).to.deep.equal({ status: {} });
    const names = version.additionalPrinterColumns.filter(({ priority = 0 }) => priority === 0).map(({ name }) => name);
    expect(names).to.deep.equal(['READY', 'VERSION', 'NODES', 'MODE', 'AGE']);
  });

  // What Kosmos' own schema has; dropping one of these would refuse its manifests.
  for (const [path, names] of [
    [['spec'], ['clusterLinkOptions', 'clusterTreeOptions', 'imageRepository', 'kubeconfig', 'namespace']],
    [
      ['spec', 'clusterLinkOptions'],
      [
        'autodetectionMethod',
        'bridgeCIDRs',
        'cni',
        'defaultNICName',
        'enable',
        'globalCIDRsMap',
        'ipFamily',
        'localCIDRs',
        'networkType',
        'nicNodeNames',
        'useIPPool',
      ],
    ],
    [
      ['spec', 'clusterTreeOptions'],
      ['enable', 'leafModels'],
    ],
    [
      ['spec', 'clusterTreeOptions', 'leafModels'],
      ['labels', 'leafNodeName', 'nodeSelector', 'taints'],
    ],
    [
      ['spec', 'clusterTreeOptions', 'leafModels', 'nodeSelector'],
      ['labelSelector', 'nodeName'],
    ],
    [
      ['spec', 'clusterTreeOptions', 'leafModels', 'taints'],
      ['effect', 'key', 'timeAdded', 'value'],
    ],
    [['status'], ['clusterLinkStatus', 'clusterTreeStatus']],
    [
      ['status', 'clusterLinkStatus'],
      ['podCIDRs', 'serviceCIDRs'],
    ],
    [['status', 'clusterTreeStatus', 'leafNodeItems'], ['leafNodeName']],
  ] as const) {
    it(`knows all that Kosmos knows of ${path.join('.')}`, () => {
      expect(fields(at(...path))).to.include.members([...names]);
    });
  }

  it('lets conditions of others live beside ours', () => {
    const conditions = at('status', 'conditions');
    expect(conditions['x-kubernetes-list-type']).to.equal('map');
    expect(conditions['x-kubernetes-list-map-keys']).to.deep.equal(['type']);
    expect(CLUSTER_CONDITION_TYPES).to.deep.equal(['Ready', 'Reachable', 'Synced']);
  });

  for (const { path, object } of repositoryManifests('examples/01-join')) {
    it(`agrees with ${path}, which compiles`, () => {
      const cluster = object as Cluster;
      expect(cluster).to.include({ apiVersion: clusters.apiVersion, kind: clusters.kind });
      expect(compileCluster(cluster).virtualNodes).not.to.be.empty;
    });
  }
});
