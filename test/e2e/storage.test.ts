import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import type { Claim } from '../../src/apis/core.js';
import { CLUSTER_LABEL, MEMBER_PROVISIONER } from '../../src/apis/names.js';
import {
  claims,
  configMaps,
  pods,
  secrets,
  serviceAccounts,
  services,
  storageClasses,
  volumes,
  type ObjectRef,
} from '../../src/kube/resource.js';
import { eventually } from '../support/eventually.js';
import { Federation } from '../support/federation.js';
import { inClusterPodSpec } from '../support/in-cluster-client.js';
import { databaseDefinition, databases, operatorProgram, operatorRules } from '../support/operator.js';
import { pathClass, PathProvisioner, volumesOf } from '../support/path-provisioner.js';
import { deployments, roleBindings, roles, statefulSets } from '../support/resources.js';
import { deployment, statefulSet } from '../support/workloads.js';

const NAMESPACE = 'e2e';
const OPERATORS = 'operators';
const MERGE = { type: 'merge' } as const;
const SLOW = { timeoutMs: 90_000 };

describe('workloads with data of their own, in real containers of two members', () => {
  let federation: Federation;
  let folder: string;
  const provisioners: PathProvisioner[] = [];

  before(async function () {
    this.timeout(600_000);
    federation = await Federation.start({ instance: 'e2e-storage', members: 2, full: true });
    folder = mkdtempSync(join(tmpdir(), 'kosmos-e2e-'));
    for (const { name } of federation.lab.members) {
      await federation.client(name).create(storageClasses, pathClass('paths'));
      const provisioner = new PathProvisioner(federation.client(name), join(folder, name));
      provisioners.push(provisioner);
      provisioner.start();
    }
    await federation.host.create(storageClasses, pathClass('paths', { provisioner: MEMBER_PROVISIONER }));
    await federation.namespace(NAMESPACE);
  });

  after(async () => {
    await Promise.all(provisioners.map((provisioner) => provisioner.stop()));
    rmSync(folder, { recursive: true, force: true });
    await federation.down();
  });

  const ref = (name: string): ObjectRef => ({ namespace: NAMESPACE, name });

  /** Of a command in a pod, by way of the host. */
  async function output(pod: string, script: string): Promise<string> {
    const args = ['-n', NAMESPACE, 'exec', pod, '--', 'sh', '-c', script];
    return (await federation.lab.host.kubectl(args)).stdout.trim();
  }

  async function memberOf(pod: string): Promise<string> {
    return (await federation.host.get(pods, ref(pod))).spec!.nodeName!.replace('kosmos-', '');
  }

  /** Waits for another pod of that name than the one with this UID. */
  function runningAgain(name: string, uid: string): Promise<void> {
    return eventually(async () => {
      const { metadata } = await federation.runningPod('host', ref(name));
      expect(metadata!.uid).to.not.equal(uid);
    }, SLOW);
  }

  /** Folders with data in a member. */
  const foldersOf = (member: string): readonly string[] => readdirSync(join(folder, member));

  /** Claims, volumes and folders of the namespace, host and members together. */
  async function storageLeft(): Promise<readonly string[]> {
    const lists = federation.lab.clusters.map(async ({ name }) => {
      const client = federation.client(name);
      const found = (await client.list(claims, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata!.name!);
      return [...found, ...(await volumesOf(client, NAMESPACE))].map((one) => `${name}: ${one}`);
    });
    return [...(await Promise.all(lists)).flat(), ...federation.lab.members.flatMap(({ name }) => foldersOf(name))];
  }

  describe('a StatefulSet', () => {
    const main = {
      name: 'main',
      image: LAB_IMAGES.busybox,
      command: ['sleep', '3600'],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    };
    const claimSpec: NonNullable<Claim['spec']> = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'paths',
      resources: { requests: { storage: '1Gi' } },
    };

    before(async () => {
      const spread = {
        maxSkew: 1,
        topologyKey: CLUSTER_LABEL,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'db' } },
      };
      const podSpec = { containers: [main], topologySpreadConstraints: [spread] };
      const set = statefulSet({ namespace: NAMESPACE, name: 'db', replicas: 3, spec: podSpec });
      const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: claimSpec }];
      const retention = { whenDeleted: 'Delete', whenScaled: 'Delete' };
      const spec = { ...set.spec!, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: retention };
      await federation.host.create(statefulSets, { ...set, spec });
      await eventually(() => federation.runningPods('host', NAMESPACE, 3), SLOW);
    });

    it('runs in both, each of its pods with a volume of that member', async () => {
      const members = await Promise.all(['db-0', 'db-1', 'db-2'].map(memberOf));
      expect([...new Set(members)].sort()).to.deep.equal(['member1', 'member2']);
      for (const { name } of federation.lab.members) {
        expect(foldersOf(name)).to.have.length(members.filter((member) => member === name).length);
      }
    });

    it('finds its data again after a pod was deleted, and after another was killed', async () => {
      for (const pod of ['db-0', 'db-1', 'db-2']) await output(pod, `echo data of ${pod} > /data/who`);
      for (const [pod, gracePeriodSeconds] of [
        ['db-1', undefined],
        ['db-2', 0],
      ] as const) {
        const member = await memberOf(pod);
        const { metadata } = await federation.host.get(pods, ref(pod));
        await federation.host.delete(pods, ref(pod), { gracePeriodSeconds });
        await runningAgain(pod, metadata!.uid!);
        expect(await memberOf(pod)).to.equal(member);
        expect(await output(pod, 'cat /data/who')).to.equal(`data of ${pod}`);
      }
    });

    it('grows with its claims', async () => {
      const patch = { spec: { resources: { requests: { storage: '2Gi' } } } };
      await federation.host.patch(claims, ref('data-db-0'), patch, MERGE);
      await eventually(async () => {
        const claim = await federation.host.get(claims, ref('data-db-0'));
        expect(claim.status!.capacity).to.deep.equal({ storage: '2Gi' });
        const volume = await federation.host.get(volumes, { name: claim.spec!.volumeName! });
        expect(volume.spec!.capacity).to.deep.equal({ storage: '2Gi' });
        const copy = await federation.client(await memberOf('db-0')).get(claims, ref('data-db-0'));
        expect(copy.status!.capacity).to.deep.equal({ storage: '2Gi' });
      });
      expect(await output('db-0', 'cat /data/who')).to.equal('data of db-0');
    });

    it('gives back what it does not need when it is scaled down', async () => {
      await federation.host.patch(statefulSets, ref('db'), { spec: { replicas: 1 } }, MERGE);
      await eventually(async () => {
        const folders = federation.lab.members.flatMap(({ name }) => foldersOf(name));
        expect(folders).to.have.length(1);
        expect(await volumesOf(federation.host, NAMESPACE)).to.have.length(1);
      }, SLOW);
      expect(await output('db-0', 'cat /data/who')).to.equal('data of db-0');
    });

    it('leaves no claim, no volume and no folder behind', async () => {
      await federation.host.delete(statefulSets, ref('db'), { propagationPolicy: 'Foreground' });
      await eventually(async () => expect(await storageLeft()).to.deep.equal([]), SLOW);
    });
  });

  describe('an operator in the host', () => {
    before(async () => {
      const { host, lab } = federation;
      await lab.host.kubectl(['apply', '-f', '-'], { input: JSON.stringify(databaseDefinition) });
      await federation.namespace(OPERATORS);
      const account = { namespace: OPERATORS, name: 'operator' };
      await host.create(serviceAccounts, { metadata: account });
      await host.create(roles, { metadata: ref('operator'), rules: [...operatorRules] });
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'operator' };
      const subjects = [{ kind: 'ServiceAccount', ...account }];
      await host.create(roleBindings, { metadata: ref('operator'), roleRef, subjects });
      const program = { metadata: account, data: { 'main.mjs': operatorProgram(NAMESPACE) } };
      await host.create(configMaps, program);
      const nowhereElse = { nodeSelector: undefined, tolerations: undefined };
      const spec = inClusterPodSpec('operator', {
        ...nowhereElse,
        restartPolicy: 'Always',
        serviceAccountName: 'operator',
      });
      await host.create(deployments, deployment({ ...account, spec }));
      await eventually(() => federation.runningPods('host', OPERATORS, 1), SLOW);
    });

    it('runs what it makes in the members that its users name', async () => {
      const { apiVersion, kind } = databases;
      const spec = {
        ...{ replicas: 2, clusters: ['member1', 'member2'], greeting: 'good day' },
        ...{ image: LAB_IMAGES.busybox, storageClassName: 'paths' },
      };
      await federation.host.create(databases, { apiVersion, kind, metadata: ref('mysql'), spec });
      await eventually(async () => {
        const { status } = await federation.host.get(databases, ref('mysql'));
        expect(status?.ready).to.equal(2);
      }, SLOW);
      expect([await memberOf('mysql-0'), await memberOf('mysql-1')].sort()).to.deep.equal(['member1', 'member2']);
      const { metadata } = await federation.host.get(databases, ref('mysql'));
      for (const pod of ['mysql-0', 'mysql-1']) {
        expect(await output(pod, 'cat /data/greeting')).to.equal('good day');
        expect(await output(pod, 'echo $PASSWORD')).to.equal(`of-${metadata!.uid!}`);
      }
    });

    it('changes what it made', async () => {
      await federation.host.patch(databases, ref('mysql'), { spec: { greeting: 'good evening' } }, MERGE);
      await eventually(async () => {
        for (const { name } of federation.lab.members) {
          const copy = await federation.client(name).get(configMaps, ref('mysql'));
          expect(copy.data).to.deep.equal({ greeting: 'good evening' });
        }
      });
      const { metadata } = await federation.host.get(pods, ref('mysql-1'));
      await federation.host.delete(pods, ref('mysql-1'));
      await runningAgain('mysql-1', metadata!.uid!);
      expect(await output('mysql-1', 'cat /data/greeting')).to.equal('good evening');
    });

    it('leaves nothing behind when its users delete what they wrote', async () => {
      await federation.host.delete(databases, ref('mysql'), { propagationPolicy: 'Background' });
      await eventually(async () => {
        expect(await storageLeft()).to.deep.equal([]);
        for (const { name } of federation.lab.members) {
          const client = federation.client(name);
          const selector = { namespace: NAMESPACE, labelSelector: `${CLUSTER_LABEL}=${name}` };
          for (const type of [pods, configMaps, secrets, serviceAccounts]) {
            const { items } = await client.list(type, selector);
            expect(items.map(({ metadata }) => metadata!.name)).to.deep.equal([]);
          }
        }
        expect(await federation.find('host', services, ref('mysql'))).to.equal(undefined);
      }, SLOW);
    });
  });
});
