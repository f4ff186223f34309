import { expect } from 'chai';
import type { KubeObject, Pod } from '../../src/apis/core.js';
import { FORMER_REPLICAS_ANNOTATION, HOST_UID_ANNOTATION, MEMBER_UID_ANNOTATION } from '../../src/apis/names.js';
import { credentialName, memberOf } from '../../src/kosmosctl/join/host-objects.js';
import { customResourceDefinitions, daemonSets, deployments as workloads } from '../../src/kosmosctl/objects.js';
import { readServiceAccountToken } from '../../src/kube/service-account-token.js';
import { tokenOf } from '../../src/kube/token-kubeconfig.js';
import { clusters } from '../../src/kube/kosmos-resources.js';
import {
  claims,
  configMaps,
  namespaces,
  nodes,
  objectKey,
  pods,
  secrets,
  volumes,
  type ResourceType,
} from '../../src/kube/resource.js';
import { Deletions } from './deletions.js';
import { eventually } from './eventually.js';
import type { Federation } from './federation.js';
import { FormerKosmos } from './former-kosmos.js';
import type { Kosmosctl } from './kosmosctl.js';
import { deployments } from './resources.js';
import { boundPod, deployment } from './workloads.js';

interface Parts {
  readonly federation: Federation;
  readonly ctl: Kosmosctl;
}

const MEMBER = 'member1';
const NAMESPACE = 'shop';
const SYSTEM = 'kosmos-system';
const VOLUME = 'pvc-former';
const CNI = { 'cni.projectcalico.org/podIP': '10.9.9.9/32' };
const TRACKED = 'batch.kubernetes.io/job-tracking';
/** All that is adopted, and what else there is of these kinds. */
const KINDS: readonly ResourceType<KubeObject>[] = [pods, configMaps, secrets, claims, volumes, namespaces, clusters];

/** A federation that Kosmos in Go has made is taken over while its pods run. Neither CRDs nor a manager are there. */
export function describeAdoption(parts: () => Parts): void {
  describe('kosmosctl adopt', () => {
    let former: FormerKosmos;
    let running: readonly Pod[];

    before(async () => {
      const { federation } = parts();
      former = new FormerKosmos(federation, MEMBER, NAMESPACE);
      for (const cluster of ['host', MEMBER]) await federation.namespace(NAMESPACE, cluster);
      await former.install();
      await makeObjects(federation, former);
      running = await runPods(federation, former);
    });

    it('shows what is there and what would be done, and changes nothing', async () => {
      const { federation, ctl } = parts();
      const before = await versions(federation);
      const { code, stdout, stderr } = await ctl.run(['adopt', '--dry-run', '--move-kubeconfigs']);
      expect(code, stderr).to.equal(0);
      expect(stdout)
        .to.match(/^host +Cluster +2 +0 +0 +0$/m)
        .and.to.match(/^member1 +Pod +3 +0 +1 +0$/m)
        .and.to.match(/^member1 +PersistentVolumeClaim +1 +0 +0 +0$/m)
        .and.to.match(/^member1 +ConfigMap +2 +0 +1 +0$/m)
        .and.to.match(/^member1 +Secret +1 +0 +1 +0$/m)
        .and.to.match(/^host +Deployment kosmos-system\/clustertree-cluster-manager$/m)
        .and.to.match(/^member1 +DaemonSet kosmos-system\/clusterlink-agent$/m)
        .and.to.match(/^member1 +Pod +shop\/orphan +the host has no such pod; delete it in the member/m)
        .and.to.match(/^host +Cluster +member1 +fields .* are dropped: spec\.clusterLinkOptions\.former$/m);
      expect(await versions(federation)).to.deep.equal(before);
    });

    it('stops what would undo it and marks all of it, also when it was killed before', async () => {
      const { federation, ctl } = parts();
      const args = ['adopt', '--yes', '--move-kubeconfigs'];
      await ctl.runAndSignal(args, 'SIGKILL', 2_500);
      const { code, stderr } = await ctl.run(args);
      expect(code, stderr).to.equal(0);
      expect(stderr).to.contain('kosmosctl install').and.to.contain('kosmosctl join cluster --name member1');
      await expectStopped(federation);
      const cluster = await federation.host.get(clusters, { name: MEMBER });
      expect(cluster.metadata?.finalizers).to.deep.equal(['kosmos.io/cluster-manager']);
      expect(cluster.spec).to.deep.include({
        kubeconfigSecretRef: { name: credentialName(MEMBER), namespace: SYSTEM },
      });
      expect(cluster.spec).not.to.have.property('kubeconfig');
      const secret = await federation.host.get(secrets, { namespace: SYSTEM, name: credentialName(MEMBER) });
      expect(memberOf(secret).kubeconfig).to.contain('certificate-authority-data');
      const root = await federation.host.get(clusters, { name: 'kosmos-control-cluster' });
      expect(root.spec).not.to.have.any.keys('kubeconfig', 'kubeconfigSecretRef');
      const crd = await federation.host.get(customResourceDefinitions, { name: 'clusters.kosmos.io' });
      expect(JSON.stringify(crd)).to.contain('"subresources":{"status":{}}');
      await expectSame(federation, running);
    });

    it('has nothing to do the second time', async () => {
      const { federation, ctl } = parts();
      const before = await versions(federation);
      const { code, stdout, stderr } = await ctl.run(['adopt', '--yes', '--move-kubeconfigs', '-o', 'json']);
      expect(code, stderr).to.equal(0);
      expect(stderr).to.contain('There is nothing to do.');
      const { findings } = JSON.parse(stdout) as {
        findings: readonly { kind: string; name: string; outcome: string }[];
      };
      const adopted = findings.filter(({ outcome }) => outcome === 'adopted');
      expect(adopted.map(({ kind, name }) => `${kind} ${name}`)).to.include.members([
        ...running.map(({ metadata }) => `Pod ${NAMESPACE}/${metadata!.name!}`),
        ...[`ConfigMap ${NAMESPACE}/settings`, `ConfigMap ${NAMESPACE}/master-root-ca.crt`, 'Node kosmos-member1'],
        ...[`Secret ${NAMESPACE}/login`, `PersistentVolumeClaim ${NAMESPACE}/data`],
      ]);
      expect(findings.filter(({ outcome }) => outcome === 'adopt')).to.deep.equal([]);
      expect(await versions(federation)).to.deep.equal(before);
    });

    describe('then the manager', () => {
      const deletions = new Deletions();

      before(async () => {
        const { federation } = parts();
        for (const cluster of ['host', MEMBER]) await deletions.watch(cluster, federation.client(cluster), DELETABLE);
        await federation.restartManager();
        await federation.waitForMembers([MEMBER]);
      });

      after(() => deletions.stop());

      it('goes on with all of it, and deletes and restarts nothing', async () => {
        const { federation } = parts();
        await eventually(async () => {
          for (const pod of await federation.runningPods('host', NAMESPACE, 3)) {
            const copy = await federation.pod(MEMBER, { namespace: NAMESPACE, name: pod.metadata!.name! });
            expect(pod.metadata!.annotations).to.include({ [MEMBER_UID_ANNOTATION]: copy!.metadata!.uid! });
            expect(copy!.metadata!.annotations).to.include({ [HOST_UID_ANNOTATION]: pod.metadata!.uid! });
            expect(pod.status!.podIP).to.equal(copy!.status!.podIP);
          }
          const claim = await federation.client(MEMBER).get(claims, { namespace: NAMESPACE, name: 'data' });
          expect(claim.metadata!.annotations).to.include({ 'kosmos.io/reclaim-policy': 'Retain' });
        });
        await expectSame(federation, running);
        expect(deletions.seen).to.deep.equal([]);
      });

      it('does not carry back what a CNI once wrote in the member', async () => {
        const { federation } = parts();
        const name = running[0]!.metadata!.name!;
        const next = { 'cni.projectcalico.org/podIP': '10.9.9.10/32' };
        await former.annotatePod(name, next);
        const hostPod = await federation.host.get(pods, { namespace: NAMESPACE, name });
        expect(hostPod.metadata!.labels).not.to.have.any.keys('kosmos-io/pod');
        expect(hostPod.metadata!.annotations).not.to.have.any.keys(...Object.keys(CNI), 'kosmos-io/tripped');
        const ref = { namespace: NAMESPACE, name };
        await federation.host.patch(pods, ref, { metadata: { labels: { tier: 'front' } } }, { type: 'merge' });
        await eventually(async () => {
          const copy = await federation.pod(MEMBER, ref);
          expect(copy!.metadata!.labels).to.include({ tier: 'front' });
          expect(copy!.metadata!.annotations).to.include(next);
        });
      });

      it('keeps adopted copies in step', async () => {
        const { federation } = parts();
        const ref = { namespace: NAMESPACE, name: 'settings' };
        await federation.host.patch(configMaps, ref, { data: { color: 'green' } }, { type: 'merge' });
        await eventually(async () => {
          expect((await federation.client(MEMBER).get(configMaps, ref)).data).to.deep.equal({ color: 'green' });
        });
      });

      it('makes new pods with what was adopted, and deletes an adopted one with its host pod', async () => {
        const { federation } = parts();
        await federation.host.patch(deployments, WEB, { spec: { replicas: 3 } }, { type: 'merge' });
        await federation.runningPods('host', NAMESPACE, 4);
        const [first] = running.filter(({ metadata }) => metadata!.name!.startsWith('web-'));
        await federation.host.delete(pods, { namespace: NAMESPACE, name: first!.metadata!.name! });
        await federation.podGone(MEMBER, { namespace: NAMESPACE, name: first!.metadata!.name! });
        await federation.runningPods('host', NAMESPACE, 4);
        const solo = { namespace: NAMESPACE, name: 'solo' };
        await federation.host.delete(pods, solo);
        await federation.podGone(MEMBER, solo);
        await federation.podGone('host', solo);
        const left = await federation.pod(MEMBER, { namespace: NAMESPACE, name: 'orphan' });
        expect(left?.metadata?.deletionTimestamp).to.equal(undefined);
        expect(left?.status?.phase).to.equal('Running');
      });

      it('gets an identity of its own in place of the kubeconfig, and no pod notices', async () => {
        const { federation, ctl } = parts();
        const before = await federation.runningPods(MEMBER, NAMESPACE, 4);
        const kubeconfig = federation.lab.cluster(MEMBER).kubeconfigPath;
        const { code, stderr } = await ctl.run([
          ...['join', 'cluster', '--name', MEMBER, '--kubeconfig', kubeconfig, '--enable-tree', '--yes'],
        ]);
        expect(code, stderr).to.equal(0);
        const secret = await federation.host.get(secrets, { namespace: SYSTEM, name: credentialName(MEMBER) });
        expect(readServiceAccountToken(tokenOf(memberOf(secret).kubeconfig) ?? '')).to.include({
          namespace: 'kosmos-member',
        });
        await federation.runningPods('host', NAMESPACE, 3);
        await expectSame(federation, before);
      });
    });
  });
}

const DELETABLE = [pods, configMaps, secrets, claims, volumes, nodes, namespaces];
const WEB = { namespace: NAMESPACE, name: 'web' };

async function makeObjects(federation: Federation, former: FormerKosmos): Promise<void> {
  const { host } = federation;
  const at = (name: string) => ({ namespace: NAMESPACE, name });
  await host.create(configMaps, { metadata: at('settings'), data: { color: 'blue' } });
  await host.create(configMaps, { metadata: at('unused'), data: { color: 'grey' } });
  await host.create(secrets, { metadata: at('login'), data: { password: 'c2VjcmV0' } });
  await former.copyConfig('configmap', 'settings');
  await former.copyConfig('configmap', 'unused');
  await former.copyConfig('secret', 'login');
  await eventually(() => former.copyConfig('configmap', 'kube-root-ca.crt', 'master-root-ca.crt'));
  await former.copyToken();
  await former.makeClaim('data', VOLUME);
}

/** Two pods of a Deployment that need everything, one of nobody with a Job's finalizer, and an orphan. */
async function runPods(federation: Federation, former: FormerKosmos): Promise<readonly Pod[]> {
  const { host } = federation;
  const spec = {
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'login', secret: { secretName: 'login' } },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ],
  };
  await host.create(deployments, deployment({ ...WEB, replicas: 2, spec }));
  const solo = boundPod(former.node, { namespace: NAMESPACE, name: 'solo' });
  await host.create(pods, { ...solo, metadata: { ...solo.metadata, finalizers: [TRACKED] } });
  await host.patch(pods, { namespace: NAMESPACE, name: 'solo' }, { metadata: { finalizers: null } }, { type: 'merge' });
  const bound = await eventually(async () => {
    const found = await federation.pods('host', NAMESPACE);
    expect(found.filter(({ spec: { nodeName } = {} }) => nodeName === former.node)).to.have.length(3);
    return found;
  });
  for (const pod of bound) await former.copyPod(pod);
  const orphan = boundPod(former.node, { namespace: NAMESPACE, name: 'orphan' });
  await former.copyPod(orphan);
  await federation.runningPods(MEMBER, NAMESPACE, 4);
  for (const { metadata } of bound) {
    await former.annotatePod(metadata!.name!, CNI);
    await former.reportStatus(metadata!.name!);
  }
  const copies = await federation.pods(MEMBER, NAMESPACE);
  return copies.filter(({ metadata }) => metadata!.name !== 'orphan');
}

/**
 * Resource versions of all that an adoption could change, but of nodes, which report themselves all the time, and of
 * pods without a node, of which the scheduler does.
 */
async function versions(federation: Federation): Promise<readonly string[]> {
  const lists = ['host', MEMBER].flatMap((cluster) =>
    KINDS.filter((type) => cluster === 'host' || type !== clusters).map(async (type) => {
      const { items } = await federation.client(cluster).list<KubeObject>(type);
      const own = items.filter((item) => type.kind !== 'Pod' || (item as Pod).spec?.nodeName !== undefined);
      return own.map((item) => `${cluster} ${type.kind} ${objectKey(item)} ${item.metadata!.resourceVersion!}`);
    }),
  );
  return (await Promise.all(lists)).flat();
}

async function expectStopped(federation: Federation): Promise<void> {
  const member = federation.client(MEMBER);
  const manager = await federation.host.get(workloads, { namespace: SYSTEM, name: 'clustertree-cluster-manager' });
  expect(manager.metadata!.annotations).to.include({ [FORMER_REPLICAS_ANNOTATION]: '1' });
  for (const [client, type, name] of [
    [federation.host, workloads, 'clustertree-cluster-manager'],
    [member, workloads, 'clusterlink-controller-manager'],
    [member, daemonSets, 'clusterlink-agent'],
  ] as const) {
    expect(await client.get(type, { namespace: SYSTEM, name }), name).not.to.equal(undefined);
    const left = await client.list(pods, { namespace: SYSTEM, labelSelector: `app=${name}` });
    expect(left.items, name).to.deep.equal([]);
  }
}

/** The member pods are still those that ran before, and none of their containers was restarted. */
async function expectSame(federation: Federation, before: readonly Pod[]): Promise<void> {
  const now = await federation.pods(MEMBER, NAMESPACE);
  const facts = ({ metadata, status }: Pod) => ({
    ...{ uid: metadata!.uid, started: status!.startTime, gone: metadata!.deletionTimestamp },
    containers: status!.containerStatuses!.map(({ containerID, restartCount }) => [containerID, restartCount]),
  });
  for (const pod of before) {
    const same = now.find(({ metadata }) => metadata!.name === pod.metadata!.name);
    expect(same && facts(same), pod.metadata!.name).to.deep.equal(facts(pod));
  }
}
