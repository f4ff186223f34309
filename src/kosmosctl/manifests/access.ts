import { HOST_NAMESPACE_RIGHTS, HOST_RIGHTS } from '../rights/host-rights.js';
import { ruleOf, type PathRight, type Right } from '../rights/right.js';
import { MANAGER, MANAGER_LABELS, namespaced } from './labels.js';
import { value, when, type Template, type TemplateMap } from './template.js';

const RBAC = 'rbac.authorization.k8s.io';
const SUBJECTS: Template = [{ kind: 'ServiceAccount', name: MANAGER, namespace: value('namespace') }];

function rulesOf(rights: readonly (Right | PathRight)[]): readonly Template[] {
  return rights.map((right) => (right.when === undefined ? ruleOf(right) : when(right.when, ruleOf(right))));
}

/** The manager's identity in the host, and what it may do there. */
export function accessManifests(): readonly TemplateMap[] {
  const name = MANAGER;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: namespaced(name) };
  const clusterRole = {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: MANAGER_LABELS },
    rules: rulesOf(HOST_RIGHTS),
  };
  const clusterBinding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: MANAGER_LABELS },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: SUBJECTS,
  };
  const roles = HOST_NAMESPACE_RIGHTS.flatMap(({ namespace, rights }) => {
    // What is read there by another right is bound under the manager's own name.
    const role = namespace === 'kube-system' ? `${name}-link` : name;
    const metadata = { ...namespaced(role), namespace: namespace ?? value('namespace') };
    return [
      { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules: rulesOf(rights) },
      binding(metadata, { kind: 'Role', name: role }),
    ];
  });
  // Whose certificates of clients are good is in a ConfigMap that Kubernetes has a Role for.
  const reader = binding(
    { ...namespaced(name), namespace: 'kube-system' },
    { kind: 'Role', name: 'extension-apiserver-authentication-reader' },
  );
  return [account, clusterRole, clusterBinding, ...roles, reader];
}

function binding(metadata: TemplateMap, role: { readonly kind: string; readonly name: string }): TemplateMap {
  const roleRef = { apiGroup: RBAC, ...role };
  return { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects: SUBJECTS };
}
