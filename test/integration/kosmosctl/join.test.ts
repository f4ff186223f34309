import { expect } from 'chai';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { namespaces, nodes, pods, secrets, serviceAccounts } from '../../../src/kube/resource.js';
import { clusterRoles } from '../../../src/kosmosctl/objects.js';
import { credentialName, memberOf } from '../../../src/kosmosctl/join/host-objects.js';
import { readServiceAccountToken } from '../../../src/kube/service-account-token.js';
import { tokenOf } from '../../../src/kube/token-kubeconfig.js';
import { eventually } from '../../support/eventually.js';
import { Federation } from '../../support/federation.js';
import { Kosmosctl } from '../../support/kosmosctl.js';
import { deployments } from '../../support/resources.js';
import { deployment } from '../../support/workloads.js';

const NAMESPACE = 'work';

describe('kosmosctl join and unjoin', () => {
  let federation: Federation;
  let ctl: Kosmosctl;

  before(async function () {
    this.timeout(300_000);
    federation = await Federation.start({ instance: 'ctl-join', members: 2, join: false });
    ctl = new Kosmosctl(federation.lab.host);
    await federation.namespace(NAMESPACE);
  });

  after(async () => {
    await federation.down();
  });

  const memberKubeconfig = (name: string): string => federation.lab.cluster(name).kubeconfigPath;
  const join = (name: string, ...more: string[]) =>
    ctl.run(['join', 'cluster', '--name', name, '--kubeconfig', memberKubeconfig(name), ...more]);

  it('shows the rights and changes nothing when nobody agrees to them', async () => {
    const { code, stderr } = await join('member1');
    expect(code, stderr).to.equal(2);
    expect(stderr).to.contain('RESOURCES').and.to.contain('runs pods of the host').and.to.contain('Add --yes.');
    expect((await federation.host.list(clusters)).items).to.deep.equal([]);
    expect(await federation.find('member1', namespaces, { name: 'kosmos-member' })).to.equal(undefined);
  });

  it('joins a member with an identity of its own, and waits until pods can run', async () => {
    const { code, stderr } = await join('member1', '--yes');
    expect(code, stderr).to.equal(0);
    expect(stderr).to.match(/ok {3}Wait until member1 is ready: kosmos-member1 \(/);
    const cluster: Cluster = await federation.host.get(clusters, { name: 'member1' });
    expect(cluster.spec.kubeconfig).to.equal(undefined);
    const secret = await federation.host.get(secrets, { namespace: 'kosmos-system', name: credentialName('member1') });
    const token = readServiceAccountToken(tokenOf(memberOf(secret).kubeconfig) ?? '');
    expect(token).to.include({ namespace: 'kosmos-member' });
    expect((token?.expiresAtMs ?? 0) - (token?.issuedAtMs ?? 0)).to.equal(7 * 24 * 3_600_000);
  });

  it('does the same again without changing anything', async () => {
    const before = await federation.host.get(clusters, { name: 'member1' });
    const { code, stderr } = await join('member1', '--yes');
    expect(code, stderr).to.equal(0);
    const after = await federation.host.get(clusters, { name: 'member1' });
    expect(after.metadata?.generation).to.equal(before.metadata?.generation);
    expect(after.metadata?.uid).to.equal(before.metadata?.uid);
  });

  it('goes on with a new token on the connections that it has', async () => {
    const opened = async (): Promise<number> => (await logLines('member connection opened')).length;
    await eventually(async () => expect(await logLines('member credential replaced')).to.have.lengthOf(1));
    expect(await opened()).to.equal(1);
    await federation.host.create(deployments, deployment({ namespace: NAMESPACE, name: 'web', replicas: 2 }));
    await federation.runningPods('member1', NAMESPACE, 2);
    await federation.host.delete(deployments, { namespace: NAMESPACE, name: 'web' });
    await federation.runningPods('member1', NAMESPACE, 0);
  });

  async function logLines(message: string): Promise<readonly string[]> {
    const { readFile } = await import('node:fs/promises');
    const lines = (await readFile(federation.manager.logFile, 'utf8')).split('\n');
    return lines.filter((line) => line.includes(message));
  }

  it('refuses the name of another member, and what has nothing to do with this host', async () => {
    const other = await ctl.run(['join', 'cluster', 'member1', '--kubeconfig', memberKubeconfig('member2'), '-y']);
    expect(other.stderr).to.contain('the name member1 belongs to another member');
    const itself = await ctl.run(['join', 'cluster', 'x', '--kubeconfig', federation.lab.host.kubeconfigPath, '-y']);
    expect([itself.code, itself.stderr]).to.deep.equal([
      2,
      'error: host and member are the same cluster\nName the member with --kubeconfig and --context, and the host with --host-kubeconfig and --host-context.\n',
    ]);
  });

  it('takes back what it has done when the member does not become ready', async () => {
    const inner = await federation.lab
      .cluster('member2')
      .addUser({ name: 'inner', server: 'https://198.18.255.250:6443' });
    const { code, stderr } = await join('member2', '--yes', '--inner-kubeconfig', inner, '--wait-time', '8');
    expect(code, stderr).to.equal(4);
    expect(stderr).to.contain('Wait until member2 is ready').and.to.contain('--inner-kubeconfig');
    expect(await federation.find('host', clusters, { name: 'member2' })).to.equal(undefined);
    const secret = { namespace: 'kosmos-system', name: credentialName('member2') };
    expect(await federation.find('host', secrets, secret)).to.equal(undefined);
    await eventually(async () => {
      expect(await federation.find('member2', namespaces, { name: 'kosmos-member' })).to.equal(undefined);
    });
    expect((await identityOf('member2')).length).to.equal(0);
  });

  async function identityOf(member: string): Promise<readonly string[]> {
    const labelSelector = 'kosmos.io/joined-host';
    const lists = [clusterRoles, serviceAccounts].map((type) =>
      federation.client(member).list(type, { labelSelector }),
    );
    return (await Promise.all(lists)).flatMap(({ items }) => items.map(({ metadata }) => metadata?.name ?? ''));
  }

  it('lists members and virtual nodes in the usual forms', async () => {
    expect(await ctl.output(['get', 'clusters'])).to.match(
      /^NAME +READY +VERSION +NODES +MODE +AGE\nmember1 +True +v1\.\S+ +3\/3 +all +\d+[sm]\n$/,
    );
    expect(await ctl.output(['get', 'nodes', '-o', 'name'])).to.equal('node/kosmos-member1\n');
    const json = JSON.parse(await ctl.output(['get', 'clusters', 'member1', '-o', 'json'])) as Cluster;
    expect(json.metadata?.name).to.equal('member1');
    expect(JSON.stringify(json)).not.to.contain('managedFields');
    expect((await ctl.run(['get', 'clusters', 'nobody'])).stderr).to.contain('there is no Cluster "nobody"');
  });

  it('takes a member out with the identity that it has, twice', async () => {
    const { code, stderr } = await ctl.run(['unjoin', 'cluster', '--name', 'member1']);
    expect(code, stderr).to.equal(0);
    expect((await federation.host.list(nodes, { labelSelector: 'kosmos.io/node=true' })).items).to.deep.equal([]);
    await eventually(async () => expect(await identityOf('member1')).to.deep.equal([]));
    await eventually(async () => {
      expect(await federation.find('member1', namespaces, { name: 'kosmos-member' })).to.equal(undefined);
      expect(await federation.find('member1', namespaces, { name: NAMESPACE })).to.equal(undefined);
    });
    const again = await ctl.run(['unjoin', 'cluster', 'member1']);
    expect([again.code, again.stderr]).to.deep.equal([
      0,
      'there is no member member1; nothing to do\n\nThe member member1 has left.\n',
    ]);
    expect((await federation.client('member1').list(pods, { namespace: NAMESPACE })).items).to.deep.equal([]);
  });

  it('proves that nothing is left in the member', async () => {
    const kubeconfig = memberKubeconfig('member1');
    await join('member1', '--yes', '--leaf-model', 'one-to-one');
    expect((await ctl.output(['get', 'nodes', '-o', 'name'])).trim().split('\n')).to.have.lengthOf(3);
    const { code, stderr } = await ctl.run(['unjoin', 'cluster', 'member1', '--kubeconfig', kubeconfig, '--verify']);
    expect(code, stderr).to.equal(0);
    expect(stderr).to.match(/ok {3}Verify that nothing is left in the member: nothing/);
  });
});
