import { expect } from 'chai';
import { accessManifests } from '../../../../src/kosmosctl/manifests/access.js';
import { resolve } from '../../../../src/kosmosctl/manifests/template.js';
import { DEFAULT_VALUES, type InstallValues } from '../../../../src/kosmosctl/manifests/values.js';
import { renderRights } from '../../../../src/kosmosctl/output/rights.js';
import { HOST_NAMESPACE_RIGHTS, HOST_RIGHTS } from '../../../../src/kosmosctl/rights/host-rights.js';
import { AGENT_NAMESPACE_RIGHTS, AGENT_RIGHTS } from '../../../../src/kosmosctl/rights/agent-rights.js';
import { CNIS, cniRights } from '../../../../src/kosmosctl/rights/link-rights.js';
import { memberRights, renewalRights, type MemberFeatures } from '../../../../src/kosmosctl/rights/member-rights.js';
import { ruleOf, type PathRight, type Right } from '../../../../src/kosmosctl/rights/right.js';

const FEATURES: readonly MemberFeatures[] = [false, true].flatMap((kubeletStats) =>
  [false, true].map((removeNamespaces) => ({ tree: true, link: undefined, kubeletStats, removeNamespaces })),
);
const ALL: readonly (Right | PathRight)[] = [
  ...HOST_RIGHTS,
  ...HOST_NAMESPACE_RIGHTS.flatMap(({ rights }) => rights),
  ...FEATURES.flatMap(memberRights),
  ...CNIS.flatMap((cni) => memberRights({ ...FEATURES[0]!, link: { cni } })),
  ...AGENT_RIGHTS,
  ...AGENT_NAMESPACE_RIGHTS,
  ...renewalRights('account'),
];
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'approve'];

/** `verb resource.group` of all rights. */
function grants(rights: readonly (Right | PathRight)[]): readonly string[] {
  return rights.flatMap((right) =>
    'nonResourceURLs' in right
      ? []
      : right.resources.flatMap((resource) =>
          right.verbs.map((verb) => `${verb} ${resource}.${right.apiGroups.join()}`),
        ),
  );
}

describe('the rights of the manager', () => {
  it('each have a reason, in words for whoever grants them', () => {
    for (const right of ALL) expect(right.why, JSON.stringify(right)).to.match(/\w+ \w+/);
  });

  it('have verbs that Kubernetes knows, each once', () => {
    for (const { verbs } of ALL) {
      expect(verbs).not.to.be.empty;
      expect(new Set(verbs).size, verbs.join()).to.equal(verbs.length);
      for (const verb of verbs) expect(VERBS).to.include(verb);
    }
  });

  it('are of one API group each, so that no resource of another group is meant by chance', () => {
    for (const right of ALL) if ('apiGroups' in right) expect(right.apiGroups).to.have.lengthOf(1);
  });

  it('name objects only with verbs for which that means something', () => {
    for (const right of ALL) {
      if (!('resourceNames' in right)) continue;
      // A create without subresource has no name that could be compared; a list or watch has one in its field selector.
      expect(right.verbs).not.to.include('deletecollection');
      if (right.verbs.includes('list')) expect(right.resources, right.why).to.deep.equal(['configmaps']);
      if (right.verbs.includes('create'))
        for (const resource of right.resources) expect(resource, right.why).to.contain('/');
    }
  });

  it('never give rights to rights, except that a member can be left', () => {
    for (const grant of grants(ALL)) expect(grant).not.to.match(/(role|rolebinding)s?\.rbac/);
  });

  it('grant nothing twice in one place', () => {
    const places = [HOST_RIGHTS, ...HOST_NAMESPACE_RIGHTS.map(({ rights }) => rights), ...FEATURES.map(memberRights)];
    for (const rights of places) {
      const unnamed = rights.filter((right) => !('resourceNames' in right));
      const all = grants(unnamed);
      expect(all.filter((grant, index) => all.indexOf(grant) !== index)).to.deep.equal([]);
    }
  });

  it('become rules without the words', () => {
    for (const right of ALL) {
      const rule = ruleOf(right);
      expect(Object.keys(rule)).not.to.include.oneOf(['why', 'when']);
      expect(rule['verbs']).to.equal(right.verbs);
    }
    expect(ruleOf({ nonResourceURLs: ['/x'], verbs: ['get'], why: 'w' })).to.deep.equal({
      nonResourceURLs: ['/x'],
      verbs: ['get'],
    });
  });
});

describe('the rights in a member', () => {
  it('grow with what is wished for, and with nothing else', () => {
    const [least = []] = FEATURES.map((features) => grants(memberRights(features)));
    for (const features of FEATURES) {
      const more = grants(memberRights(features)).filter((grant) => !least.includes(grant));
      expect(more).to.deep.equal([
        ...(features.kubeletStats ? ['get nodes/proxy.'] : []),
        ...(features.removeNamespaces ? ['list *.*'] : []),
      ]);
    }
  });

  it('never change its nodes, classes or rights', () => {
    for (const grant of grants(
      memberRights({ tree: true, link: { cni: 'calico' }, kubeletStats: true, removeNamespaces: true }),
    ))
      if (!/^(get|list|watch) /.test(grant)) expect(grant).not.to.match(/nodes\.|classes|roles|webhook|policies/);
  });

  it('renew but the token of one account', () => {
    expect(renewalRights('kosmos-m-1').map(ruleOf)).to.deep.equal([
      { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['kosmos-m-1'], verbs: ['create'] },
    ]);
  });
});

describe('the rights in the host', () => {
  function manifests(changes: Partial<InstallValues> = {}): readonly Record<string, unknown>[] {
    const settings = { ...DEFAULT_VALUES, ...changes, namespace: 'kosmos-system', version: '1' };
    return accessManifests().map((manifest) => resolve(manifest, settings) as Record<string, unknown>);
  }

  it('bind the one account of the manager, wherever they are', () => {
    for (const { kind, subjects, roleRef } of manifests()) {
      if (!String(kind).endsWith('Binding')) continue;
      expect(subjects).to.deep.equal([{ kind: 'ServiceAccount', name: 'kosmos-manager', namespace: 'kosmos-system' }]);
      expect(roleRef).to.include({ apiGroup: 'rbac.authorization.k8s.io' });
    }
  });

  it('bind only roles that are made with them, or that Kubernetes itself has', () => {
    const all = manifests();
    const place = (manifest: Record<string, unknown>): string =>
      (manifest['metadata'] as { namespace?: string }).namespace ?? '';
    for (const manifest of all) {
      const reference = manifest['roleRef'] as { kind: string; name: string } | undefined;
      if (reference === undefined || reference.name === 'extension-apiserver-authentication-reader') continue;
      const found = all.some(
        (other) =>
          other['kind'] === reference.kind &&
          (other['metadata'] as { name: string }).name === reference.name &&
          place(other) === place(manifest),
      );
      expect(found, `${reference.kind} ${reference.name} in ${place(manifest)}`).to.equal(true);
    }
  });

  it('are in three namespaces besides those for all', () => {
    const namespaces = manifests()
      .filter(({ kind }) => kind === 'RoleBinding')
      .map(({ metadata }) => (metadata as { namespace: string }).namespace);
    expect([...new Set(namespaces)]).to.have.members(['kosmos-system', 'kube-node-lease', 'kube-system']);
  });

  const rulesOf = (changes: Partial<InstallValues>): string =>
    JSON.stringify(manifests(changes).map((manifest) => manifest['rules'] ?? []));
  const link = (enabled: boolean, cni = 'calico'): Partial<InstallValues> => ({
    clusterLink: { ...DEFAULT_VALUES.clusterLink, enabled, options: { cni } },
  });

  it('follow the parts that run', () => {
    expect(rulesOf(link(true)))
      .to.contain('clusternodes')
      .and.contain('nodeconfigs')
      .and.contain('tokenreviews');
    expect(rulesOf(link(false))).not.to.match(/clusternodes|nodeconfigs|servicecidrs|ippools/);
    const linkAlone = rulesOf({ ...link(true), clusterTree: { enabled: false } });
    expect(linkAlone)
      .to.contain('nodeconfigs')
      .and.not.match(/tokenreviews|persistentvolumes|serviceaccounts|daemonsets/);
  });

  it('ask the CNI that there is, and no other', () => {
    expect(rulesOf(link(true, 'calico')))
      .to.contain('ippools')
      .and.contain('calico-config')
      .and.not.match(/ciliumnodes|kube-flannel-cfg/);
    expect(rulesOf(link(true, 'flannel')))
      .to.contain('kube-flannel-cfg')
      .and.not.match(/ciliumnodes|ippools/);
    expect(rulesOf(link(true, 'cilium')))
      .to.contain('ciliumnodes')
      .and.not.match(/kube-flannel-cfg|ippools/);
    expect(rulesOf(link(true, 'generic'))).not.to.match(/ciliumnodes|kube-flannel-cfg|ippools|calico-config/);
    expect(cniRights('Calico')).to.deep.equal(cniRights('calico'));
  });

  it('write Secrets in the namespace of the installation alone', () => {
    const writes = (rights: readonly (Right | PathRight)[]): readonly string[] =>
      grants(rights).filter((grant) => grant.includes(' secrets.') && !/^(get|list|watch) /.test(grant));
    expect(writes(HOST_RIGHTS)).to.deep.equal([]);
    for (const { namespace, rights } of HOST_NAMESPACE_RIGHTS)
      expect(writes(rights)).to.deep.equal(namespace === undefined ? ['create secrets.', 'update secrets.'] : []);
  });
});

describe('renderRights', () => {
  it('shows resources with their group, as kubectl auth can-i takes them', () => {
    const rights: readonly Right[] = [
      { apiGroups: ['apps'], resources: ['deployments', 'daemonsets'], verbs: ['get', 'list'], why: 'runs things' },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'], why: 'reads logs' },
      { apiGroups: ['*'], resources: ['*'], verbs: ['list'], why: 'looks at all' },
    ];
    const [, ...rows] = renderRights(rights).trimEnd().split('\n');
    expect(rows.map((row) => row.split(/ {3,}/))).to.deep.equal([
      ['deployments.apps daemonsets.apps', 'get list', 'runs things'],
      ['pods/log', 'get', 'reads logs'],
      ['*.*', 'list', 'looks at all'],
    ]);
  });
});
