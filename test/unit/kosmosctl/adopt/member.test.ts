import { expect } from 'chai';
import type { KubeObject, Node, Pod } from '../../../../src/apis/core.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { POD_LABEL } from '../../../../src/apis/names.js';
import { compileCluster } from '../../../../src/clustertree/cluster/options.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { judgeMember, podsOn, usableNodes } from '../../../../src/kosmosctl/adopt/member.js';
import type { HostView, MemberView } from '../../../../src/kosmosctl/adopt/views.js';
import { objectKey } from '../../../../src/kube/resource.js';

const OWNERSHIP = ownershipOf('host-uid', 'member1');
const GLOBAL = { 'kosmos.io/global': 'true' };
const SPEC = { containers: [{ name: 'app', image: 'app:1' }] };

function cluster(name: string, labels: Record<string, string> = {}): Cluster {
  return { metadata: { name, labels }, spec: { kubeconfig: Buffer.from('kind: Config').toString('base64') } };
}

function node(name: string, owner?: string, labels: Record<string, string> = { 'kosmos.io/node': 'true' }): Node {
  const annotations = owner === undefined ? {} : { 'kosmos-io/owned-by-cluster': owner };
  return { metadata: { name, labels, annotations } };
}

function pod(name: string, nodeName?: string, volumes: object[] = []): Pod {
  return {
    metadata: { namespace: 'shop', name, uid: `uid-of-${name}` },
    spec: { ...SPEC, nodeName, volumes } as Pod['spec'],
  };
}

function copyOf(name: string): Pod {
  return { metadata: { namespace: 'shop', name, uid: `copy-of-${name}`, labels: { [POD_LABEL]: 'true' } }, spec: SPEC };
}

function byKey<T extends KubeObject>(...objects: T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [objectKey(object), object]));
}

function host(parts: Partial<HostView> = {}): HostView {
  return {
    ...{ uid: 'host-uid', clusters: [cluster('member1')], nodes: [node('kosmos-member1', 'member1')] },
    ...{ clusterNodes: [], nodeConfigs: [], pods: new Map(), configMaps: new Map(), secrets: new Map() },
    ...{ claims: new Map(), volumes: new Map(), ...parts },
  };
}

function member(parts: Partial<MemberView> = {}): MemberView {
  return {
    ...{ uid: 'member-uid', namespaces: new Map(), imports: 0, pods: new Map(), configMaps: new Map() },
    ...{ secrets: new Map(), claims: new Map(), volumes: new Map(), ...parts },
  };
}

function judge(hostView: HostView, memberView: MemberView, of = hostView.clusters[0]!): readonly string[] {
  const findings = judgeMember(hostView, memberView, compileCluster(of), OWNERSHIP);
  return findings.map(({ kind, name, judgement }) => `${kind} ${name} ${judgement.kind}`);
}

describe('judgeMember', () => {
  it('compares pods on virtual nodes of the Cluster with those in the member', () => {
    const pods = byKey(pod('a', 'kosmos-member1'), pod('b', 'worker-1'), pod('c', 'kosmos-member1'), pod('d'));
    const copies = byKey(copyOf('a'), copyOf('b'), copyOf('e'));
    expect(judge(host({ pods }), member({ pods: copies }))).to.deep.equal([
      ...['Pod shop/a adopt', 'Pod shop/b stays', 'Pod shop/e stays'],
    ]);
  });

  it('says nothing about pods of another Cluster that is the same member', () => {
    const shared = { 'kosmos.io/actual-cluster-name': 'physical' };
    const clusters = [cluster('member1', shared), cluster('second', shared), cluster('third')];
    const nodes = [node('kosmos-member1', 'member1'), node('kosmos-second', 'second'), node('kosmos-third', 'third')];
    const pods = byKey(pod('a', 'kosmos-member1'), pod('b', 'kosmos-second'), pod('c', 'kosmos-third'));
    const copies = byKey(copyOf('a'), copyOf('b'), copyOf('c'));
    expect(judge(host({ clusters, nodes, pods }), member({ pods: copies }))).to.deep.equal([
      ...['Pod shop/a adopt', 'Pod shop/c stays'],
    ]);
  });

  it('takes copies for needed only when pods on these nodes refer to them, and by the names that they have there', () => {
    const settings = { name: 'settings', configMap: { name: 'settings' } };
    const ca = { name: 'ca', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } };
    const login = { name: 'login', secret: { secretName: 'login' } };
    const pods = byKey(pod('a', 'kosmos-member1', [settings, ca]), pod('b', 'worker-1', [login]));
    const named = (name: string, annotations = {}) => ({
      metadata: { namespace: 'shop', name, uid: name, annotations },
    });
    const hostView = host({
      pods,
      configMaps: byKey(named('settings'), named('kube-root-ca.crt')),
      secrets: byKey(named('login')),
    });
    const memberView = member({
      pods: byKey(copyOf('a')),
      configMaps: byKey(
        named('settings', GLOBAL),
        named('master-root-ca.crt', GLOBAL),
        named('kube-root-ca.crt'),
        named('own'),
      ),
      secrets: byKey(named('login', GLOBAL)),
    });
    expect(judge(hostView, memberView)).to.deep.equal([
      'ConfigMap shop/settings adopt',
      'ConfigMap shop/master-root-ca.crt adopt',
      'Secret shop/login stays',
      'Pod shop/a adopt',
    ]);
  });

  it("leaves the host's root certificates alone where another Cluster has made the namespace", () => {
    const ca = { name: 'ca', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } };
    const labels = ownershipLabels(ownershipOf('host-uid', 'other'));
    const named = (name: string, annotations = {}) => ({
      metadata: { namespace: 'shop', name, uid: name, annotations },
    });
    const hostView = host({
      pods: byKey(pod('a', 'kosmos-member1', [ca])),
      configMaps: byKey(named('kube-root-ca.crt')),
    });
    const memberView = member({
      namespaces: byKey({ metadata: { name: 'shop', labels } }),
      configMaps: byKey(named('master-root-ca.crt', GLOBAL)),
    });
    expect(judge(hostView, memberView)).to.deep.equal([]);
  });

  it('judges volumes and copies before the pods that need them', () => {
    const claim = { metadata: { namespace: 'shop', name: 'data', uid: 'c', annotations: GLOBAL }, spec: {} };
    const view = member({ claims: byKey(claim), pods: byKey(copyOf('a')), imports: 2 });
    expect(judge(host({ pods: byKey(pod('a', 'kosmos-member1')) }), view)).to.deep.equal([
      'PersistentVolumeClaim shop/data stays',
      'Pod shop/a adopt',
      'Service 2 Services problem',
    ]);
  });
});

describe('usableNodes', () => {
  const config = compileCluster(cluster('member1'));
  const ROWS: readonly (readonly [what: string, one: Node, expected: readonly string[]])[] = [
    ['one that names the Cluster', node('kosmos-member1', 'member1'), ['kosmos-member1']],
    ['one that names none, and will', node('kosmos-member1'), ['kosmos-member1']],
    ["another Cluster's", node('kosmos-member1', 'other'), []],
    ["the host's own of that name", node('kosmos-member1', undefined, {}), []],
    ['one that the Cluster does not ask for', node('kosmos-old', 'member1'), []],
  ];
  for (const [what, one, expected] of ROWS) {
    it(`are ${expected.length === 0 ? 'not ' : ''}${what}`, () => {
      expect([...usableNodes(config, [one])]).to.deep.equal(expected);
    });
  }

  it('say whose pods are', () => {
    const pods = byKey(pod('a', 'kosmos-member1'), pod('b', 'worker-1'), pod('c'));
    expect(podsOn(new Set(['kosmos-member1']), { pods }).map(objectKey)).to.deep.equal(['shop/a']);
  });
});
