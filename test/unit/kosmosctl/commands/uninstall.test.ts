import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { csiDrivers, leases, namespaces, nodes, pods, secrets, services } from '../../../../src/kube/resource.js';
import {
  clusterRoles,
  customResourceDefinitions,
  deployments,
  podMonitors,
  roleBindings,
} from '../../../../src/kosmosctl/objects.js';
import { CliFederation, clusterOf, NAMESPACE, virtualNode } from '../../../support/cli-federation.js';

const PART_OF = { 'app.kubernetes.io/part-of': 'kosmos' };
const MANAGED = { 'app.kubernetes.io/managed-by': 'kosmosctl', ...PART_OF };
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'clusters.kosmos.io' },
};
const CRDS = { crds: [CRD] };

describe('kosmosctl uninstall', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  function seedInstallation(labels: Record<string, string> = MANAGED): void {
    const { host } = federation;
    const metadata = { namespace: NAMESPACE, name: 'kosmos-manager', labels: PART_OF };
    host.seed(namespaces, { metadata: { name: NAMESPACE, labels } });
    host.seed(customResourceDefinitions, CRD);
    for (const type of [deployments, services as typeof deployments, podMonitors]) host.seed(type, { metadata });
    host.seed(roleBindings, { metadata: { ...metadata, namespace: 'kube-system' } });
    host.seed(clusterRoles, { metadata: { name: 'kosmos-manager', labels: PART_OF } });
    host.seed(csiDrivers, { metadata: { name: 'member.kosmos.io' }, spec: {} });
    federation.elect();
    const serving = { 'kosmos.io/kubelet-serving': 'true' };
    host.seed(secrets, { metadata: { namespace: NAMESPACE, name: 'serving', labels: serving } });
  }

  const namesOf = (type: typeof deployments): readonly (string | undefined)[] =>
    federation.host.peekAll(type).map(({ metadata }) => metadata?.name);

  it('removes all that there is of it', async () => {
    seedInstallation();
    const { code, out, err } = await federation.run('uninstall --verify', CRDS);
    expect([code, out]).to.deep.equal([0, '']);
    expect(err).to.contain('ok   Verify that nothing is left: nothing').and.contain('\nKosmos is uninstalled.\n');
    for (const type of [deployments, podMonitors, roleBindings, clusterRoles, customResourceDefinitions])
      expect(namesOf(type), type.kind).to.deep.equal([]);
    for (const type of [services, secrets, leases, csiDrivers]) expect(namesOf(type)).to.deep.equal([]);
    expect(federation.host.peek(namespaces, { name: NAMESPACE })).to.equal(undefined);
  });

  it('leaves alone what is of others, also in its namespace', async () => {
    seedInstallation({});
    federation.host.seed(secrets, { metadata: { namespace: NAMESPACE, name: 'theirs' } });
    federation.host.seed(clusterRoles, { metadata: { name: 'view' } });
    federation.host.seed(csiDrivers, { metadata: { name: 'csi.example' }, spec: {} });
    federation.host.seed(leases, { metadata: { namespace: NAMESPACE, name: 'other' } });
    federation.host.seed(leases, { metadata: { namespace: 'elsewhere', name: 'kosmos-manager' } });
    const { code, err } = await federation.run('uninstall', CRDS);
    expect(code).to.equal(0);
    expect(err).to.contain('Remove the namespace kosmos-system: stays, since it was there before');
    expect(namesOf(secrets)).to.deep.equal(['theirs']);
    expect(namesOf(clusterRoles)).to.deep.equal(['view']);
    expect(namesOf(csiDrivers)).to.deep.equal(['csi.example']);
    expect(namesOf(leases)).to.have.members(['other', 'kosmos-manager']);
  });

  it('can be run again, and where nothing was installed', async () => {
    const { code, err } = await federation.run('uninstall --verify', CRDS);
    expect(code).to.equal(0);
    expect(err).to.contain('Remove the namespace kosmos-system: was done before').and.contain(': 0 objects');
  });

  it('needs no kinds that the host does not serve', async () => {
    seedInstallation();
    const error = new ApiError({ code: 404, reason: 'NotFound', message: '404 page not found' });
    for (const type of [clusters, podMonitors]) federation.host.fail({ verb: 'list', type, error, times: 9 });
    expect((await federation.run('uninstall', CRDS)).code).to.equal(0);
  });

  it('stops the managers before it takes their rights', async () => {
    seedInstallation();
    const labels = { 'app.kubernetes.io/name': 'kosmos', 'app.kubernetes.io/component': 'manager' };
    federation.host.seed(pods, { metadata: { namespace: NAMESPACE, name: 'manager-0', labels } });
    const before: (readonly unknown[])[] = [];
    federation.clock.meanwhile = () => {
      before.push(namesOf(clusterRoles));
      if (before.length === 2) federation.host.erase(pods, { namespace: NAMESPACE, name: 'manager-0' });
    };
    const { code, err } = await federation.run('uninstall', CRDS);
    expect(code).to.equal(0);
    expect(before).to.deep.equal([['kosmos-manager'], ['kosmos-manager']]);
    expect(err).to.contain('...  Stop managers and agents: 1 still run\n');
  });

  it('says what does not go in time', async () => {
    seedInstallation();
    const finalizers = ['customresourcecleanup.apiextensions.k8s.io'];
    federation.host.edit(customResourceDefinitions, { name: CRD.metadata.name }, { metadata: { finalizers } });
    const { code, err } = await federation.run('uninstall --wait-time 2', CRDS);
    expect(code).to.equal(4);
    expect(err).to.contain('error: Remove CRDs: clusters.kosmos.io: not within 2 s; it is still there\n');
  });

  it('proves what is left', async () => {
    seedInstallation();
    federation.host.seed(nodes, virtualNode('kosmos-m', 'm'));
    const { code, err } = await federation.run('uninstall --verify', CRDS);
    expect(code).to.equal(3);
    expect(err).to.contain('still there: Node kosmos-m\nRun the command again');
  });

  describe('with members', () => {
    beforeEach(() => {
      seedInstallation();
      for (const name of ['b', 'a']) federation.host.seed(clusters, clusterOf(name));
      const annotations = { 'kosmos.io/cluster-role': 'root' };
      federation.host.seed(clusters, clusterOf('host', undefined, { metadata: { name: 'host', annotations } }));
    });

    it('refuses, and names them but not the host itself', async () => {
      const { code, err } = await federation.run('uninstall', CRDS);
      expect(code).to.equal(1);
      expect(err).to.contain('error: these members are still joined: a, b\n').and.contain('all of them with --all');
      expect(federation.host.callsOf({ verb: 'delete' })).to.deep.equal([]);
    });

    it('takes all of them out first when that is wanted', async () => {
      const { code, err } = await federation.run('uninstall --all', CRDS);
      expect(code).to.equal(0);
      expect(err.match(/^Member \w+$/gm)).to.deep.equal(['Member a', 'Member b']);
      const deleted = federation.host.callsOf({ verb: 'delete' }).map(({ resource, ref }) => `${resource}/${ref.name}`);
      expect(deleted.indexOf('clusters/b')).to.be.lessThan(deleted.indexOf('deployments/kosmos-manager'));
      expect(deleted.indexOf('clusters/host')).to.be.greaterThan(deleted.indexOf('clusters/b'));
      expect(deleted.indexOf('clusters/host')).to.be.lessThan(deleted.indexOf('daemonsets/kosmos-agent'));
    });

    it('gives the host up with force when no manager takes it out of the network', async () => {
      for (const name of ['a', 'b']) federation.host.erase(clusters, { name });
      federation.host.edit(clusters, { name: 'host' }, { metadata: { finalizers: ['kosmos.io/clusterlink'] } });
      const patient = await federation.run('uninstall --wait-time 1', CRDS);
      expect(patient.code).to.equal(4);
      expect(patient.err).to.contain('no manager has begun to take it out').and.contain('--force');
      expect(namesOf(deployments)).to.deep.equal(['kosmos-manager']);
      expect((await federation.run('uninstall --force', CRDS)).code).to.equal(0);
    });

    it('stops where a member does not leave, with Kosmos still there', async () => {
      federation.host.edit(clusters, { name: 'a' }, { metadata: { finalizers: ['kosmos.io/cluster-manager'] } });
      const { code } = await federation.run('uninstall --all --wait-time 1', CRDS);
      expect(code).to.equal(4);
      expect(namesOf(deployments)).to.deep.equal(['kosmos-manager']);
    });

    it('says what forced members keep', async () => {
      federation.host.edit(clusters, { name: 'a' }, { metadata: { finalizers: ['kosmos.io/cluster-manager'] } });
      const { code, err } = await federation.run('uninstall --all --force', CRDS);
      expect(code).to.equal(3);
      expect(err).to.contain('left in a member: a: pods, and what they refer to');
    });
  });
});
