import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandResult } from '../../hack/lab/run.js';
import type { KubeClient } from '../../src/kube/client.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import { configMaps, namespaces, type ResourceType } from '../../src/kube/resource.js';
import type { KubeObject } from '../../src/apis/core.js';
import { ApiProxy } from './api-proxy.js';
import { createAuthority } from './certificates.js';
import { eventually } from './eventually.js';
import type { Federation } from './federation.js';
import type { Kosmosctl } from './kosmosctl.js';
import { expectMistake } from './mistakes.js';

const resourceQuotas: ResourceType<KubeObject> = {
  ...{ apiVersion: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true },
};
const OLD = { major: '1', minor: '29', gitVersion: 'v1.29.4' };

interface Parts {
  readonly federation: Federation;
  readonly ctl: Kosmosctl;
}

/** Mistakes that real API servers are needed for; `member2` has not joined, and goes away in the end. */
export function describeJoinMistakes(parts: () => Parts): void {
  const kubeconfigOf = (name: string): string => parts().federation.lab.cluster(name).kubeconfigPath;
  const joinMember2 = (...more: string[]): Promise<CommandResult> =>
    parts().ctl.run(['join', 'cluster', 'member2', '--kubeconfig', kubeconfigOf('member2'), '-y', ...more]);

  describe('mistakes', () => {
    describeAccessMistakes(parts);
    describeClusterMistakes(parts, joinMember2);

    it('a Cluster of that name that somebody else made, and members that are left', async () => {
      const { federation, ctl } = parts();
      await federation.join('member2');
      expectMistake('foreign-cluster', await joinMember2());
      expectMistake('members-left', await ctl.run(['uninstall']));
      expect((await ctl.run(['unjoin', 'cluster', 'member2'])).code).to.equal(0);
    });

    it('a member that is away when it is to leave', async () => {
      const { federation, ctl } = parts();
      expect((await joinMember2()).code).to.equal(0);
      await federation.lab.cluster('member2').stopApiServer();
      const patient = await ctl.run(['unjoin', 'cluster', 'member2', '--wait-time', '3']);
      expectMistake('dead-member', patient);
      const forced = await ctl.run(['unjoin', 'cluster', 'member2', '--force']);
      expect(forced.stderr)
        .to.contain('this stayed behind in it')
        .and.to.match(/delete clusterrole kosmos-member2-/);
      expect(forced.code).to.equal(3);
      const left = (await federation.host.list(clusters)).items.map(({ metadata }) => metadata?.name);
      expect(left).to.not.include('member2');
    });
  });
}

function describeAccessMistakes(parts: () => Parts): void {
  const user = (name: string, more: object = {}): Promise<string> =>
    parts()
      .federation.lab.cluster('member2')
      .addUser({ name, ...more });
  const joinWith = (kubeconfig: string): Promise<CommandResult> =>
    parts().ctl.run(['join', 'cluster', 'x', '--kubeconfig', kubeconfig, '-y']);

  it('a kubeconfig that is a folder', async () => {
    expectMistake('kubeconfig-folder', await parts().ctl.run(['get', 'clusters', '--kubeconfig', tmpdir()]));
  });

  it('a credential that has expired', async () => {
    const late = await user('late', { notAfter: new Date(Date.now() - 60_000) });
    expectMistake('expired-credential', await joinWith(late));
  });

  it('a user without rights', async () => {
    expectMistake('no-rights', await joinWith(await user('weak')));
  });

  it('a user who may look at everything and change nothing', async () => {
    const viewer = await user('viewer', { clusterRole: 'system:kube-controller-manager' });
    expectMistake('viewer-joins', await joinWith(viewer));
  });

  it('an authority that has not signed the certificate of the server', async () => {
    const { lab } = parts().federation;
    const authority = /(certificate-authority-data"?: ?"?)([^\s",]+)/;
    const other = authority.exec(readFileSync(lab.cluster('member1').kubeconfigPath, 'utf8'))?.[2] ?? '';
    const own = readFileSync(lab.cluster('member2').kubeconfigPath, 'utf8');
    expectMistake('other-authority', await withFile(own.replace(authority, `$1${other}`), joinWith));
  });
}

function describeClusterMistakes(parts: () => Parts, joinMember2: (...more: string[]) => Promise<CommandResult>): void {
  it('a host without Kosmos', async () => {
    const host = parts().federation.lab.cluster('member1').kubeconfigPath;
    expectMistake('not-installed', await joinMember2('--host-kubeconfig', host));
  });

  it('another namespace than that of the installation', async () => {
    expectMistake('other-namespace', await joinMember2('--namespace', 'elsewhere'));
  });

  it('versions of Kubernetes that are not supported', async () => {
    const { federation, ctl } = parts();
    const authority = createAuthority();
    for (const [name, mistake] of [
      ['host', 'old-host'],
      ['member2', 'old-member'],
    ] as const) {
      const proxy = await ApiProxy.start({
        ...{ cluster: federation.lab.cluster(name), authority, address: '127.0.0.1', hook: () => 'pass' as const },
        answers: { '/version': OLD },
      });
      const args = name === 'host' ? ['install'] : ['join', 'cluster', 'member2', '-y'];
      expectMistake(mistake, await withFile(proxy.kubeconfig, (file) => ctl.run([...args, '--kubeconfig', file])));
      await proxy.close();
    }
  });

  it('a namespace that is being deleted', async () => {
    const { federation, ctl } = parts();
    const namespace = await federation.namespace('doomed');
    const metadata = { namespace, name: 'anchor', finalizers: ['example.com/anchor'] };
    await federation.host.create(configMaps, { metadata });
    await federation.host.delete(namespaces, { name: namespace });
    expectMistake('namespace-going', await ctl.run(['install', '--namespace', namespace]));
    const off = { metadata: { finalizers: null } };
    await federation.host.patch(configMaps, { namespace, name: 'anchor' }, off, { type: 'merge' });
  });

  it('a quota that is used up in the member', async () => {
    const { federation } = parts();
    const namespace = await federation.namespace('kosmos-member', 'member2');
    await quota(federation.client('member2'), namespace, { 'count/serviceaccounts': '1' });
    expectMistake('quota-used-up', await joinMember2());
    expect((await federation.host.list(clusters)).items).to.deep.equal([]);
    await federation.deleteNamespace(namespace, 'member2');
  });

  it('a quota that leaves no room for managers', async () => {
    const { federation, ctl } = parts();
    const namespace = await federation.namespace('tight');
    await quota(federation.host, namespace, { pods: '0' });
    expectMistake('no-pods-allowed', await ctl.run(['install', '--namespace', namespace, '--wait-time', '4']));
    await federation.deleteNamespace(namespace);
  });
}

async function quota(client: KubeClient, namespace: string, hard: Readonly<Record<string, string>>): Promise<void> {
  const tight: KubeObject & { spec: object } = { metadata: { namespace, name: 'tight' }, spec: { hard } };
  await client.create(resourceQuotas, tight);
  // Until it is counted, it holds nobody back.
  await eventually(async () => {
    const found: KubeObject & { status?: { hard?: object } } = await client.get(resourceQuotas, {
      ...{ namespace, name: 'tight' },
    });
    expect(found.status?.hard).to.deep.equal(hard);
  });
}

async function withFile<T>(text: string, action: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'kosmos-mistake-'));
  try {
    const file = path.join(folder, 'kubeconfig');
    writeFileSync(file, text);
    return await action(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
