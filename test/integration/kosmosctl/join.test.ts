import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { namespaces, nodes, pods, secrets, serviceAccounts, services } from '../../../src/kube/resource.js';
import { clusterRoles } from '../../../src/kosmosctl/objects.js';
import { credentialName, memberOf } from '../../../src/kosmosctl/join/host-objects.js';
import { readServiceAccountToken } from '../../../src/kube/service-account-token.js';
import { tokenOf } from '../../../src/kube/token-kubeconfig.js';
import { eventually } from '../../support/eventually.js';
import { Federation } from '../../support/federation.js';
import { Interrupter } from '../../support/interrupter.js';
import { describeAdoption } from '../../support/adoption-suite.js';
import { describeJoinMistakes } from '../../support/join-mistakes.js';
import { Kosmosctl } from '../../support/kosmosctl.js';
import { expectMistake } from '../../support/mistakes.js';
import { seededRandom } from '../../support/seeded-random.js';
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
    const ended = await join('member1');
    expectMistake('nobody-agrees', ended);
    expect(ended.stderr).to.contain('RESOURCES').and.to.contain('runs pods of the host');
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

  it('asks on a terminal, and shows the steps there', async () => {
    const words = ['join', 'cluster', 'member1', '--kubeconfig', memberKubeconfig('member1')];
    const { stdout } = await ctl.onTerminal(words, 'y\n');
    expect(stdout).to.contain('Grant them? [y/N]').and.to.contain('Wait until member1 is ready: kosmos-member1');
    expect(stdout).to.contain('The member member1 has joined.');
    const refused = await ctl.onTerminal(words, 'n\n');
    expect(refused.stdout).to.contain('the rights were not granted; nothing was changed');
  });

  it('goes on with a new token on the connections that it has', async () => {
    await eventually(() => expect(logLines('member credential replaced')).not.to.be.empty);
    expect(logLines('member connection opened')).to.have.lengthOf(1);
    await federation.host.create(deployments, deployment({ namespace: NAMESPACE, name: 'web', replicas: 2 }));
    await federation.runningPods('member1', NAMESPACE, 2);
    await federation.host.delete(deployments, { namespace: NAMESPACE, name: 'web' });
    await federation.runningPods('member1', NAMESPACE, 0);
  });

  function logLines(message: string): readonly string[] {
    const lines = readFileSync(federation.manager.logFile, 'utf8').split('\n');
    return lines.filter((line) => line.includes(message));
  }

  it('refuses the name of another member, and what has nothing to do with this host', async () => {
    const other = ['join', 'cluster', 'member1', '--kubeconfig', memberKubeconfig('member2'), '-y'];
    expectMistake('name-taken', await ctl.run(other));
    const itself = ['join', 'cluster', 'x', '--kubeconfig', federation.lab.host.kubeconfigPath, '-y'];
    expectMistake('host-joins-itself', await ctl.run(itself));
  });

  it('takes back what it has done when the member does not become ready', async () => {
    const inner = await federation.lab.cluster('member2').addUser({ name: 'inner', server: NOWHERE });
    const ended = await join('member2', '--yes', '--inner-kubeconfig', inner, '--wait-time', '8');
    expectMistake('unreachable-member', ended);
    expect(ended.stderr).to.contain('--inner-kubeconfig');
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

  it('comes to the same end when it was killed at any time and is run again', async () => {
    const random = seededRandom(7);
    const args = ['cluster', 'member1', '--kubeconfig', memberKubeconfig('member1')];
    for (let round = 0; round < 3; round += 1) {
      await ctl.runAndSignal(['join', ...args, '--yes'], 'SIGKILL', 300 + random() * 2_000);
      const joined = await join('member1', '--yes');
      expect(joined.code, joined.stderr).to.equal(0);
      expect(await ctl.output(['get', 'nodes', '-o', 'name'])).to.equal('node/kosmos-member1\n');
      await ctl.runAndSignal(['unjoin', ...args], 'SIGKILL', 300 + random() * 2_000);
      const left = await ctl.run(['unjoin', ...args, '--verify']);
      expect(left.code, left.stderr).to.equal(0);
      const secret = { namespace: 'kosmos-system', name: credentialName('member1') };
      expect(await federation.find('host', secrets, secret)).to.equal(undefined);
    }
  });

  it('takes back what it has done when it is interrupted', async () => {
    const inner = await federation.lab.cluster('member2').addUser({ name: 'away', server: NOWHERE });
    const kubeconfig = memberKubeconfig('member2');
    const args = ['join', 'cluster', 'member2', '--kubeconfig', kubeconfig, '--inner-kubeconfig', inner, '-y'];
    const { code, stderr } = await ctl.runAndSignal(args, 'SIGINT', 6_000);
    expect(code, stderr).to.equal(130);
    expect(stderr).to.contain('interrupted');
    expect((await federation.host.list(clusters)).items).to.deep.equal([]);
    await eventually(async () => expect(await identityOf('member2')).to.deep.equal([]));
  });

  describe('interrupted at every step, one after the other', () => {
    let interrupter: Interrupter;

    before(async () => {
      interrupter = await Interrupter.start(federation, ctl, ['member1']);
    });

    after(() => interrupter.close());

    const interruptAt = async (point: string, args: readonly string[]): Promise<void> => {
      expectMistake('interrupted', await interrupter.run(args, point));
    };

    it('a join takes back what it has done, and goes through in the end', async () => {
      const args = ['join', 'cluster', 'member1', '--kubeconfig', interrupter.kubeconfig('member1'), '--yes'];
      const inner = ['--inner-kubeconfig', memberKubeconfig('member1')];
      const steps = [
        'member GET /version',
        'member PATCH clusterroles',
        'member POST serviceaccounts/token',
        'host PATCH secrets',
        'host PATCH clusters',
        'host LIST nodes',
      ];
      for (const step of steps) {
        await interruptAt(step, [...args, ...inner]);
        expect((await federation.host.list(clusters)).items, step).to.deep.equal([]);
        const secret = { namespace: 'kosmos-system', name: credentialName('member1') };
        expect(await federation.find('host', secrets, secret), step).to.equal(undefined);
        await eventually(async () => expect(await identityOf('member1'), step).to.deep.equal([]));
      }
      const { code, stderr } = await join('member1', '--yes');
      expect(code, stderr).to.equal(0);
    });

    it('an unjoin goes on where it was', async () => {
      const args = ['unjoin', 'cluster', 'member1', '--kubeconfig', interrupter.kubeconfig('member1'), '--verify'];
      await interruptAt('host DELETE clusters', args);
      await interruptAt('member DELETE clusterroles', args);
      await interruptAt('host DELETE secrets', args);
      await interruptAt('member LIST namespaces', args);
      const { code, stderr } = await ctl.run(args);
      expect(code, stderr).to.equal(0);
    });
  });

  describeJoinMistakes(() => ({ federation, ctl }));

  describe('with all members gone', () => {
    let interrupter: Interrupter;

    before(async () => {
      interrupter = await Interrupter.start(federation, ctl, []);
    });

    after(() => interrupter.close());

    it('an install that is interrupted at every step goes through in the end', async () => {
      for (const point of ['GET /version', 'PATCH customresourcedefinitions', 'PATCH deployments', 'GET deployments']) {
        expectMistake('interrupted', await interrupter.run(['install', '-m', 'clustertree'], `host ${point}`));
      }
      // The host of this lab has no nodes that managers could run on.
      const { code, stderr } = await ctl.run(['install', '-m', 'clustertree', '--wait-time', '0']);
      expect(code, stderr).to.equal(0);
    });

    it('an upgrade finds nothing to do, or shows what there is and does it', async () => {
      const same = await ctl.run(['upgrade', '-m', 'clustertree']);
      expect([same.code, same.stdout, same.stderr]).to.deep.equal([
        ...[0, '', 'everything is as Kosmos 0.1.0 has it; nothing to do\n'],
      ]);
      const args = ['upgrade', '-m', 'clustertree', '--image', 'kosmos.local/kosmos:other', '--wait-time', '0'];
      const shown = await ctl.run([...args, '--dry-run']);
      expect(shown.stdout).to.match(
        /^OBJECT +FIELD +FROM +TO\nDeployment \S+ +\S+manager\.image +\S+:0\.1\.0 +\S+:other\n$/,
      );
      expectMistake('nobody-agrees-to-changes', await ctl.run(args));
      const { code, stderr } = await ctl.run([...args, '--yes']);
      expect(code, stderr).to.equal(0);
      expect((await ctl.run(args)).stderr).to.contain('nothing to do');
    });

    it('says of Services that nobody there knows multi-cluster ones', async () => {
      await federation.host.create(services, { metadata: SERVICE, spec: { ports: [{ port: 80 }] } });
      expectMistake('crd-missing', await ctl.run(['export', 'service', SERVICE.name]));
      await federation.host.delete(services, SERVICE);
    });

    it('so does an uninstall, and nothing is left', async () => {
      await federation.killManager();
      const args = ['uninstall', '--verify'];
      const points = ['LIST clusters', 'DELETE deployments', 'DELETE clusterroles', 'DELETE customresourcedefinitions'];
      for (const point of points) {
        expectMistake('interrupted', await interrupter.run(args, `host ${point}`));
      }
      const { code, stderr } = await ctl.run(args);
      expect(code, stderr).to.equal(0);
      expect(stderr).to.contain('Verify that nothing is left: nothing');
    });
  });

  // Neither CRDs nor a manager are left, as where there is a Kosmos in Go.
  describeAdoption(() => ({ federation, ctl }));
});

const SERVICE = { namespace: 'default', name: 'web' };
/** An address of the lab's range that no machine has. */
const NOWHERE = 'https://198.18.255.250:6443';
