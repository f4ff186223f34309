import { expect } from 'chai';
import {
  identityManifests,
  identityName,
  identityNamespace,
  identityRights,
  identityRole,
} from '../../../../src/kosmosctl/join/identity.js';
import type { MemberFeatures } from '../../../../src/kosmosctl/rights/member-rights.js';
import { renderRights } from '../../../../src/kosmosctl/output/rights.js';

const IDENTITY = { cluster: 'member1', hostUid: 'host-uid', namespace: 'kosmos-member' };
const FEATURES: MemberFeatures = { tree: true, link: undefined, kubeletStats: false, removeNamespaces: true };
const LINK_ALONE: MemberFeatures = { ...FEATURES, tree: false, link: { cni: 'calico' } };

describe('the identity of a host in a member', () => {
  it('has a name of its own for each host and each Cluster', () => {
    const names = ['a', 'b'].flatMap((cluster) => ['1', '2'].map((hostUid) => identityName({ cluster, hostUid })));
    expect(new Set(names).size).to.equal(4);
  });

  it('has a name that fits, however long that of the Cluster is', () => {
    const name = identityName({ cluster: 'c'.repeat(56), hostUid: 'u' });
    expect(name)
      .to.have.lengthOf(63)
      .and.match(/^[a-z0-9-]+$/);
  });

  it('belongs to its ClusterRole, so that it goes with it', () => {
    const name = identityName(IDENTITY);
    const owner = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name, uid: 'role-uid' };
    for (const manifest of [
      identityNamespace(IDENTITY, 'role-uid'),
      ...identityManifests(IDENTITY, LINK_ALONE, 'role-uid'),
    ]) {
      expect(manifest.metadata?.ownerReferences, manifest.kind).to.deep.equal([owner]);
    }
    expect(identityRole(IDENTITY, FEATURES).metadata?.ownerReferences).to.equal(undefined);
  });

  it('is not labelled as the copies of host objects are, which are swept', () => {
    for (const { metadata } of [identityRole(IDENTITY, FEATURES), ...identityManifests(IDENTITY, LINK_ALONE, 'u')]) {
      expect(Object.keys(metadata?.labels ?? {})).to.have.members([
        'kosmos.io/joined-host',
        'kosmos.io/joined-cluster',
        'app.kubernetes.io/managed-by',
      ]);
    }
  });

  it('may renew its own token and remove its own role, and those of nobody else', () => {
    const named = identityRights(IDENTITY, FEATURES).filter(({ resourceNames }) => resourceNames !== undefined);
    expect(named.map(({ resources, verbs, resourceNames }) => [resources, verbs, resourceNames])).to.deep.equal([
      [['clusterroles'], ['delete'], [identityName(IDENTITY)]],
      [['serviceaccounts/token'], ['create'], [identityName(IDENTITY)]],
    ]);
  });

  it('may look at everything, or ask kubelets, only where that is wanted', () => {
    const resources = (features: Partial<MemberFeatures>): readonly string[] =>
      identityRights(IDENTITY, { ...FEATURES, ...features }).flatMap((right) => right.resources);
    expect(resources({ kubeletStats: false, removeNamespaces: false }))
      .to.include('pods')
      .and.not.include.members(['*']);
    expect(resources(FEATURES)).to.include('*').and.not.include('nodes/proxy');
    expect(resources({ kubeletStats: true, removeNamespaces: false }))
      .to.include('nodes/proxy')
      .and.not.include('*');
  });

  it('never may more than list where it may do something with everything', () => {
    for (const { resources, verbs } of identityRights(IDENTITY, { ...FEATURES, kubeletStats: true })) {
      if (resources.includes('*')) expect(verbs).to.deep.equal(['list']);
      expect(verbs).not.to.include.oneOf(['*', 'escalate', 'bind', 'impersonate', 'deletecollection']);
    }
  });

  it('reads the control plane in its own namespace alone where nothing else is wanted', () => {
    const roles = (features: MemberFeatures): readonly (string | undefined)[] =>
      identityManifests(IDENTITY, features, 'u')
        .filter(({ kind }) => kind === 'Role')
        .map(({ metadata }) => metadata?.namespace);
    expect(roles(FEATURES)).to.deep.equal(['kosmos-member']);
    expect(roles({ ...FEATURES, link: { cni: 'calico' } })).to.deep.equal(['kosmos-member']);
    expect(roles(LINK_ALONE)).to.deep.equal(['kosmos-member', 'kube-system']);
  });

  it('touches no pod of a member whose network alone is linked', () => {
    const rights = identityRights(IDENTITY, LINK_ALONE);
    const written = rights.filter(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)));
    expect(written.flatMap(({ resources }) => resources)).to.have.members([
      ...['nodeconfigs', 'ippools', 'clusterroles', 'serviceaccounts/token'],
    ]);
    const wide = rights.filter(({ resourceNames }) => resourceNames === undefined);
    expect(wide.flatMap(({ resources }) => resources)).not.to.include.oneOf(['secrets', 'configmaps', '*']);
    expect(rights.flatMap(({ resourceNames = [] }) => resourceNames)).to.include('calico-config');
  });

  it('is shown with a reason for each right', () => {
    const shown = renderRights(identityRights(IDENTITY, FEATURES));
    expect(shown.split('\n')[0]).to.match(/^RESOURCES +VERBS +WHAT FOR$/);
    expect(shown).to.match(/storageclasses\.storage\.k8s\.io +list watch +knows which volumes can be made\n/);
    for (const line of shown.trim().split('\n')) expect(line.split(/ {3,}/)).to.have.lengthOf(3);
  });
});
