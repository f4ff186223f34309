import { expect } from 'chai';
import { parse } from 'yaml';
import type { Cluster, ClusterSpec } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { judgeCluster, judgeUsable } from '../../../../src/kosmosctl/adopt/clusters.js';
import { prunedFields, type Schema } from '../../../../src/kosmosctl/adopt/schema.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { repositoryFile } from '../../../support/yaml-files.js';

const CRD = parse(repositoryFile('crds/kosmos.io_clusters.yaml')) as {
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
};
const SCHEMA = CRD.spec.versions[0]!.schema.openAPIV3Schema;
const KUBECONFIG = Buffer.from('kind: Config').toString('base64');
const OURS = 'kosmos.io/cluster-manager';

/** As `kosmosctl join` of Kosmos in Go leaves it. */
function cluster(
  more: { readonly metadata?: Cluster['metadata']; readonly spec?: Partial<ClusterSpec> } = {},
): Cluster {
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'member1', uid: 'cluster-uid', resourceVersion: '3', finalizers: [OURS], ...more.metadata },
    spec: {
      kubeconfig: KUBECONFIG,
      namespace: 'kosmos-system',
      imageRepository: 'ghcr.io/kosmos-io',
      clusterLinkOptions: {
        ...{
          enable: true,
          cni: 'calico',
          networkType: 'gateway',
          ipFamily: 'ipv4',
          useIPPool: false,
          defaultNICName: '*',
        },
        bridgeCIDRs: { ip: '220.0.0.0/8', ip6: '9480::0/16' },
        localCIDRs: { ip: '210.0.0.0/8', ip6: '9470::0/16' },
        nicNodeNames: [{ interfaceName: 'eth1', nodeName: ['n7'] }],
        globalCIDRsMap: { '10.10.0.0/16': '242.10.0.0/16' },
        autodetectionMethod: 'can-reach=8.8.8.8',
      },
      clusterTreeOptions: {
        enable: true,
        leafModels: [
          { leafNodeName: 'a', labels: { a: 'b' }, nodeSelector: { labelSelector: { matchLabels: { a: 'b' } } } },
        ],
      },
      ...more.spec,
    },
    status: {
      clusterLinkStatus: { podCIDRs: ['10.10.0.0/16'], serviceCIDRs: ['10.11.0.0/16'] },
      clusterTreeStatus: { leafNodeItems: [{ leafNodeName: 'kosmos-a-0' }] },
    },
  };
}

describe('judgeCluster', () => {
  it('compiles what Kosmos in Go has left', () => {
    const { config, obstacle } = judgeCluster(cluster());
    expect(obstacle).to.equal(undefined);
    expect(config?.virtualNodes.map(({ nodeName }) => nodeName)).to.deep.equal(['kosmos-a-0']);
  });

  it("looks for nothing behind the host's own entry, and where no pods may run", () => {
    const root = { name: 'c', annotations: { 'kosmos.io/cluster-role': 'root' } };
    expect(judgeCluster(cluster({ metadata: root }))).to.deep.equal({});
    expect(judgeCluster(cluster({ spec: { clusterTreeOptions: { enable: false } } }))).to.deep.equal({});
  });

  it("says why a Cluster can't be used", () => {
    const leaving = judgeCluster(cluster({ metadata: { name: 'm', deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    expect(leaving.obstacle)
      .to.have.property('why')
      .that.matches(/^is being deleted/);
    const empty = judgeCluster(cluster({ spec: { kubeconfig: '' } }));
    expect(empty.config).to.equal(undefined);
    expect(empty.obstacle)
      .to.have.property('why')
      .that.matches(/can't be used: .*kubeconfig.*; correct it/);
  });
});

describe('judgeUsable', () => {
  it('has nothing to do where only our finalizer stands', () => {
    expect(judgeUsable(cluster(), SCHEMA, undefined)).to.deep.equal({ kind: 'adopted' });
  });

  it('takes off the finalizers of components that are stopped, and no others', () => {
    const former = [
      'kosmos.io/operator-controller',
      'kosmos.io/cluster-start-finalizer',
      'kosmos.io/distribute-controller-finalizer',
    ];
    const metadata = {
      name: 'member1',
      uid: 'u',
      resourceVersion: '4',
      finalizers: [...former, OURS, 'clusterlink.io/coredns'],
    };
    const judgement = judgeUsable(cluster({ metadata }), SCHEMA, undefined);
    expect(judgement)
      .to.have.nested.property('changes[0]')
      .that.deep.equals({
        ...{ where: 'host', type: clusters, ref: { name: 'member1' }, how: 'merge' },
        body: { metadata: { uid: 'u', resourceVersion: '4', finalizers: [OURS, 'clusterlink.io/coredns'] } },
      });
  });

  it('moves the kubeconfig when that is asked for, once', () => {
    const judgement = judgeUsable(cluster(), SCHEMA, 'federation');
    const kubeconfigSecretRef = { name: 'kosmos-member-member1', namespace: 'federation' };
    expect(judgement)
      .to.have.nested.property('changes[0].body.spec')
      .that.deep.equals({ kubeconfig: null, kubeconfigSecretRef });
    const moved = cluster({ spec: { kubeconfig: undefined, kubeconfigSecretRef } });
    expect(judgeUsable(moved, SCHEMA, 'federation')).to.deep.equal({ kind: 'adopted' });
  });

  it("drops the kubeconfig of the host's own entry, which nobody needs", () => {
    const metadata = { name: 'c', finalizers: [], annotations: { 'kosmos.io/cluster-role': 'root' } };
    const judgement = judgeUsable(cluster({ metadata }), SCHEMA, 'federation');
    expect(judgement).to.have.nested.property('changes[0].body.spec').that.deep.equals({ kubeconfig: null });
  });

  it('names fields that would be lost, and that alone changes nothing', () => {
    const clusterLinkOptions = { enable: true, oldSwitch: true } as ClusterSpec['clusterLinkOptions'];
    expect(judgeUsable(cluster({ spec: { clusterLinkOptions } }), SCHEMA, undefined)).to.deep.equal({
      ...{ kind: 'adopt', changes: [] },
      note: 'fields that have no meaning any more are dropped: spec.clusterLinkOptions.oldSwitch',
    });
  });
});

describe('prunedFields', () => {
  const schema: Schema = {
    properties: {
      spec: {
        properties: {
          list: { items: { properties: { known: {} } } },
          map: { additionalProperties: { properties: { known: {} } } },
          any: { 'x-kubernetes-preserve-unknown-fields': true },
          open: { additionalProperties: true },
          closed: { additionalProperties: false },
        },
      },
    },
  };

  it('finds none in what Kosmos in Go writes', () => {
    expect(prunedFields(cluster(), SCHEMA)).to.deep.equal([]);
  });

  it('looks into lists and maps, and names each field once', () => {
    const spec = {
      list: [{ known: 1, gone: 2 }, { gone: 3 }],
      map: { a: { known: 1, lost: 2 } },
      ...{ any: { thing: 1 }, open: { thing: 1 }, closed: { thing: 1 }, away: { deep: 1 } },
    };
    expect(prunedFields({ kind: 'X', metadata: { whatever: 1 }, spec }, schema)).to.deep.equal([
      ...['spec.list[].gone', 'spec.map.a.lost', 'spec.closed.thing', 'spec.away'],
    ]);
  });
});
