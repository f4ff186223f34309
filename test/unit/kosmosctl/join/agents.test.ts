import { expect } from 'chai';
import { memberAgents, memberCrd } from '../../../../src/kosmosctl/join/agents.js';
import { identityName } from '../../../../src/kosmosctl/join/identity.js';
import { splitImage } from '../../../../src/kosmosctl/manifests/image-name.js';

const identity = { cluster: 'member1', hostUid: 'host-uid', namespace: 'kosmos-member' };
const settings = {
  ...{ image: splitImage('r.example:5000/kosmos:2'), stateDir: '/var/lib/x', version: '1.2.3' },
  pullSecrets: ['registry', 'mirror'],
};
const OWNER = { kind: 'ClusterRole', name: identityName(identity), uid: 'role-uid' };
const LABELS = { 'kosmos.io/joined-host': 'host-uid', 'kosmos.io/joined-cluster': 'member1' };

interface DaemonSet {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly containers: readonly { readonly image: string; readonly env: readonly object[] }[];
        readonly imagePullSecrets?: readonly object[];
      };
    };
  };
}

describe('the agents of a member', () => {
  const all = memberAgents(identity, 'role-uid', settings);
  const daemonSet = all.at(-1) as unknown as DaemonSet;

  it('go with the identity, and can be found by its labels', () => {
    expect(all.map(({ kind }) => kind)).to.deep.equal([
      ...['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'DaemonSet'],
    ]);
    for (const { metadata } of all) {
      expect(metadata?.ownerReferences?.[0]).to.include(OWNER);
      expect(metadata?.labels).to.include(LABELS);
    }
    expect(daemonSet.spec.template.metadata.labels).to.include(LABELS);
  });

  it('run the image that is named, for the Cluster that the member is', () => {
    const [agent] = daemonSet.spec.template.spec.containers;
    expect(agent?.image).to.equal('r.example:5000/kosmos:2');
    expect(agent?.env[0]).to.deep.equal({ name: 'CLUSTER_NAME', value: 'member1' });
    expect(daemonSet.metadata.namespace).to.equal('kosmos-member');
    expect(JSON.stringify(daemonSet)).to.contain('"path":"/var/lib/x"');
  });

  it('pull it with the Secrets that are named, and with none otherwise', () => {
    const { imagePullSecrets } = daemonSet.spec.template.spec;
    expect(imagePullSecrets).to.deep.equal([{ name: 'registry' }, { name: 'mirror' }]);
    const without = memberAgents(identity, 'role-uid', { ...settings, pullSecrets: [] }).at(-1) as unknown as DaemonSet;
    expect(without.spec.template.spec).not.to.have.property('imagePullSecrets');
  });
});

describe('splitImage', () => {
  for (const [name, repository, tag] of [
    ['kosmos', 'kosmos', ''],
    ['a/b:1', 'a/b', '1'],
    ['localhost:5000/kosmos', 'localhost:5000/kosmos', ''],
    ['localhost:5000/kosmos:x', 'localhost:5000/kosmos', 'x'],
  ] as const) {
    it(`takes ${name} apart`, () => {
      expect(splitImage(name)).to.deep.equal({ repository, tag });
    });
  }
});

describe('the CRD of a member', () => {
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'x' } };
  const owner = { identity, roleUid: 'role-uid' };

  it('goes with the identity that made it', () => {
    expect(memberCrd(crd, undefined, owner).metadata?.ownerReferences?.[0]).to.include(OWNER);
    const labels = { 'app.kubernetes.io/managed-by': 'kosmosctl' };
    expect(memberCrd(crd, { metadata: { name: 'x', labels } }, owner).metadata?.labels).to.deep.equal(labels);
  });

  it('stays where somebody else had it before', () => {
    expect(memberCrd(crd, { metadata: { name: 'x' } }, owner)).to.equal(crd);
  });
});
