import { expect } from 'chai';
import type { ResourceType } from '../../../src/kube/resource.js';
import { clusterNodes, nodeConfigs } from '../../../src/kube/kosmos-resources.js';
import { repositoryYaml } from '../../support/yaml-files.js';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
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
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

function* walk(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* walk(child, `${path}.${name}`);
  if (schema.items) yield* walk(schema.items, `${path}[]`);
}

const at = (crd: Crd, ...path: readonly string[]): Schema =>
  path.reduce<Schema>(
    (schema, name) => (schema.properties ?? schema.items?.properties ?? {})[name] ?? {},
    crd.spec.versions[0]!.schema.openAPIV3Schema,
  );

const nodes = repositoryYaml('crds/kosmos.io_clusternodes.yaml') as Crd;
const configs = repositoryYaml('crds/kosmos.io_nodeconfigs.yaml') as Crd;

for (const [crd, resource] of [
  [nodes, clusterNodes],
  [configs, nodeConfigs],
] as const satisfies readonly (readonly [Crd, Pick<ResourceType<never>, 'plural'>])[]) {
  describe(`the CRD of ${resource.plural}`, () => {
    it('describes the resource that the client uses', () => {
      expect(crd.metadata.name).to.equal(`${resource.plural}.${crd.spec.group}`);
      expect(crd.spec.names).to.include({ kind: resource.kind, plural: resource.plural });
      expect(crd.spec.scope).to.equal(resource.namespaced ? 'Namespaced' : 'Cluster');
      expect(crd.spec.versions.map(({ name }) => `${crd.spec.group}/${name}`)).to.deep.equal([resource.apiVersion]);
    });

    it('has a status of its own', () => {
      expect(crd.spec.versions[0]!.subresources).to.deep.equal({ status: {} });
    });

    it('is structural: every part has a type, and requires only what it has', () => {
      for (const [path, schema] of walk(at(crd), '')) {
        expect(schema.type, path).to.be.a('string');
        for (const name of schema.required ?? []) expect(schema.properties, path).to.have.property(name);
        if (schema.type === 'array') expect(schema.items, path).to.be.an('object');
      }
    });
  });
}

describe('the CRDs of ClusterLink', () => {
  // What Kosmos' own schemas have; its agents and its tools read these.
  for (const [crd, path, names] of [
    [nodes, ['spec'], ['clusterName', 'interfaceName', 'ip', 'ip6', 'nodeName', 'podCIDRs', 'roles']],
    [configs, ['spec'], ['arps', 'devices', 'fdbs', 'iptables', 'routes']],
    [configs, ['spec', 'devices'], ['addr', 'bindDev', 'id', 'mac', 'name', 'port', 'type']],
    [configs, ['spec', 'routes'], ['cidr', 'dev', 'gw']],
    [configs, ['spec', 'iptables'], ['chain', 'rule', 'table']],
    [configs, ['spec', 'fdbs'], ['dev', 'ip', 'mac']],
    [configs, ['spec', 'arps'], ['dev', 'ip', 'mac']],
    [configs, ['status'], ['lastChangeTime', 'lastSyncTime']],
  ] as const) {
    it(`know all that Kosmos knows of ${path.join('.')} of ${crd.spec.names.plural}`, () => {
      const schema = at(crd, ...path);
      expect(Object.keys(schema.properties ?? schema.items?.properties ?? {})).to.include.members([...names]);
    });
  }
});
