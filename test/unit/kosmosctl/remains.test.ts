import { expect } from 'chai';
import type { KubeObject } from '../../../src/apis/core.js';
import { EXCLUSION_POLICY } from '../../../src/clustertree/daemonset/exclusion.js';
import { ApiError } from '../../../src/kube/api-error.js';
import {
  certificateSigningRequests,
  leases,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  namespaces,
  nodes,
  pods,
  secrets,
  services,
  volumes,
  type ResourceType,
} from '../../../src/kube/resource.js';
import {
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  deployments,
  podMonitors,
  roleBindings,
} from '../../../src/kosmosctl/objects.js';
import { hostRemains, installedObjects, memberRemains, remnantNames } from '../../../src/kosmosctl/remains.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const signal = new AbortController().signal;
const NAMESPACE = 'kosmos-system';
const PART_OF = { 'app.kubernetes.io/part-of': 'kosmos' };

describe('what an installation leaves in the host', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
  });

  const seed = (type: unknown, name: string, labels: Record<string, string> = {}, namespace?: string): void => {
    const metadata = { name, labels, ...(namespace !== undefined && { namespace }) };
    client.seed(type as ResourceType<KubeObject>, { metadata });
  };
  const installed = async (): Promise<readonly string[]> =>
    remnantNames(await installedObjects(client, NAMESPACE, signal));
  const remains = async (): Promise<readonly string[]> =>
    remnantNames(await hostRemains(client, NAMESPACE, ['clusters.kosmos.io'], signal));

  it('is nothing in a cluster that never had one', async () => {
    seed(namespaces, 'default');
    seed(nodes, 'node-1');
    seed(customResourceDefinitions, 'widgets.example');
    expect(await remains()).to.deep.equal([]);
  });

  it('is removed with what runs before what it may do, and who it is last', async () => {
    seed(clusterRoles, 'kosmos-manager', PART_OF);
    seed(clusterRoleBindings, 'kosmos-manager', PART_OF);
    seed(roleBindings, 'kosmos-manager', PART_OF, 'kube-system');
    seed(secrets, 'serving', { 'kosmos.io/kubelet-serving': 'true' }, NAMESPACE);
    seed(services, 'kosmos-manager', PART_OF, NAMESPACE);
    seed(deployments, 'kosmos-manager', PART_OF, NAMESPACE);
    expect(await installed()).to.deep.equal([
      'Deployment kosmos-system/kosmos-manager',
      'Service kosmos-system/kosmos-manager',
      'Secret kosmos-system/serving',
      'RoleBinding kube-system/kosmos-manager',
      'ClusterRoleBinding kosmos-manager',
      'ClusterRole kosmos-manager',
    ]);
  });

  it('takes the binding of a policy before the policy', async () => {
    for (const name of [EXCLUSION_POLICY, 'of-others']) {
      seed(mutatingAdmissionPolicies, name);
      seed(mutatingAdmissionPolicyBindings, name);
    }
    expect(await installed()).to.deep.equal([
      `MutatingAdmissionPolicyBinding ${EXCLUSION_POLICY}`,
      `MutatingAdmissionPolicy ${EXCLUSION_POLICY}`,
    ]);
  });

  it('has Secrets of members and certificates of its own namespace alone', async () => {
    for (const namespace of [NAMESPACE, 'elsewhere']) {
      seed(secrets, 'member', { 'kosmos.io/member-credential': 'true' }, namespace);
      seed(secrets, 'serving', { 'kosmos.io/kubelet-serving': 'true' }, namespace);
      seed(leases, 'kosmos-manager', {}, namespace);
    }
    seed(certificateSigningRequests, 'csr-1', { 'kosmos.io/kubelet-serving': 'true' });
    expect(await installed()).to.deep.equal([
      'Secret kosmos-system/serving',
      'Secret kosmos-system/member',
      'CertificateSigningRequest csr-1',
      'Lease kosmos-system/kosmos-manager',
    ]);
  });

  it('also has virtual nodes, CRDs and the namespace when all of it is looked for', async () => {
    seed(nodes, 'kosmos-m', { 'kosmos.io/node': 'true' });
    seed(nodes, 'node-1');
    seed(namespaces, NAMESPACE, PART_OF);
    seed(customResourceDefinitions, 'clusters.kosmos.io');
    seed(customResourceDefinitions, 'clusters.other.example');
    expect(await remains()).to.deep.equal([
      'Node kosmos-m',
      'Namespace kosmos-system',
      'CustomResourceDefinition clusters.kosmos.io',
    ]);
  });

  it('can be looked for where some kinds are not served', async () => {
    seed(deployments, 'kosmos-manager', PART_OF, NAMESPACE);
    for (const type of [podMonitors, mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings]) {
      const error = new ApiError({ message: '404 page not found' }, { statusCode: 404 });
      client.fail({ verb: 'list', type, error, times: 9 });
    }
    expect(await remains()).to.deep.equal(['Deployment kosmos-system/kosmos-manager']);
  });

  it('is never said to be nothing when it could not be looked at', async () => {
    const error = new ApiError({ code: 403, reason: 'Forbidden' });
    client.fail({ verb: 'list', type: clusterRoles, error });
    const thrown = await remains().catch((caught: unknown) => caught);
    expect(thrown).to.equal(error);
  });
});

describe('what a host leaves in a member', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
    client.paths.set(
      '/apis',
      JSON.stringify({ groups: [{ name: 'x.example', preferredVersion: { groupVersion: 'x.example/v1' } }] }),
    );
    const resource = (name: string, kind: string, more: object = {}): object => ({
      ...{ name, kind, namespaced: true, verbs: ['list', 'get'] },
      ...more,
    });
    client.paths.set(
      '/api/v1',
      JSON.stringify({
        groupVersion: 'v1',
        resources: [
          resource('pods', 'Pod'),
          resource('pods/log', 'Pod'),
          resource('secrets', 'Secret'),
          resource('bindings', 'Binding', { verbs: ['create'] }),
          resource('nodes', 'Node', { namespaced: false }),
        ],
      }),
    );
    client.paths.set(
      '/apis/x.example/v1',
      JSON.stringify({ groupVersion: 'x.example/v1', resources: [resource('widgets', 'Widget')] }),
    );
  });

  const copied = (host = 'host', cluster = 'm'): Record<string, string> => ({
    'kosmos.io/host-cluster': host,
    'kosmos.io/cluster': cluster,
  });
  const joined = (host = 'host', cluster = 'm'): Record<string, string> => ({
    'kosmos.io/joined-host': host,
    'kosmos.io/joined-cluster': cluster,
  });
  const seed = (type: unknown, metadata: KubeObject['metadata']): void => {
    client.seed(type as ResourceType<KubeObject>, { metadata });
  };
  const names = async (): Promise<readonly string[]> => remnantNames(await memberRemains(client, 'host', 'm', signal));

  it('is looked for among all kinds that the member serves', async () => {
    const widgets = { apiVersion: 'x.example/v1', kind: 'Widget', plural: 'widgets', namespaced: true };
    seed(widgets, { namespace: 'a', name: 'w', labels: copied() });
    seed(pods, { namespace: 'a', name: 'p', labels: copied() });
    seed(namespaces, { name: 'a', labels: copied() });
    seed(volumes, { name: 'v', labels: copied() });
    seed(clusterRoles, { name: 'r', labels: joined() });
    expect(await names()).to.deep.equal([
      'Namespace a',
      'PersistentVolume v',
      'ClusterRole r',
      'Pod a/p',
      'Widget a/w',
    ]);
  });

  it('is not what other hosts or other Clusters have there, nor what has but one of the labels', async () => {
    for (const [name, labels] of [
      ['a', copied('another')],
      ['b', copied('host', 'm2')],
      ['c', joined('another')],
      ['d', joined('host', 'm2')],
      ['e', { 'kosmos.io/cluster': 'm' }],
      ['f', { 'kosmos.io/host-cluster': 'host' }],
      ['g', {}],
    ] as const)
      seed(secrets, { namespace: 'x', name, labels });
    expect(await names()).to.deep.equal([]);
  });

  it('asks for nothing that can not be listed', async () => {
    await names();
    const asked = client.callsOf({ verb: 'list' }).map(({ resource }) => resource);
    expect(new Set(asked)).to.deep.equal(
      new Set([
        ...['namespaces', 'persistentvolumes', 'clusterroles', 'clusterrolebindings', 'pods', 'secrets', 'widgets'],
        ...['nodeconfigs', 'customresourcedefinitions'],
      ]),
    );
  });

  it('is not known when a group of the member can not be discovered', async () => {
    client.paths.delete('/apis/x.example/v1');
    const thrown = await names().catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(ApiError);
  });
});
