import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Claim, PersistentVolume, Pod, StorageClass } from '../../../src/apis/core.js';
import {
  CLUSTER_LABEL,
  CLUSTER_OWNERS_ANNOTATION,
  HOST_UID_ANNOTATION,
  MEMBER_CSI_DRIVER,
  MEMBER_PROVISIONER,
  MEMBER_VOLUME_ANNOTATION,
  ONE_WAY_ANNOTATION,
  SELECTED_NODE_ANNOTATION,
} from '../../../src/apis/names.js';
import { nodeOf } from '../../../src/clustertree/storage/host-volume.js';
import { claims, csiDrivers, pods, storageClasses, volumes, type ObjectRef } from '../../../src/kube/resource.js';
import { eventually } from '../../support/eventually.js';
import { Federation } from '../../support/federation.js';
import { FAIL_ANNOTATION, pathClass, PathProvisioner, volumesOf } from '../../support/path-provisioner.js';
import { statefulSets } from '../../support/resources.js';
import { boundPod, statefulSet, virtualPod } from '../../support/workloads.js';

const NODE_1 = 'kosmos-member1';
const NODE_2 = 'kosmos-member2';
const MERGE = { type: 'merge' } as const;

/** A StorageClass of the host. */
function hostClass(name: string, more: Partial<StorageClass> = {}): StorageClass {
  return pathClass(name, { provisioner: MEMBER_PROVISIONER, ...more });
}

function claimSpec(storageClassName: string): NonNullable<Claim['spec']> {
  return { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } };
}

function claim(ref: ObjectRef, storageClassName: string, more: { annotations?: object; spec?: object } = {}): Claim {
  const annotations = { ...more.annotations };
  const spec = { ...claimSpec(storageClassName), ...more.spec };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { ...ref, annotations }, spec };
}

/** Mounts claims of the same name as the volumes. */
function podWith(namespace: string, name: string, ...names: string[]): Pod {
  const list = names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  return virtualPod({ namespace, name, spec: { volumes: list } });
}

describe('claims and volumes of the host in members', () => {
  let federation: Federation;
  let namespace: string;
  let folder: string;
  let count = 0;
  const provisioners: PathProvisioner[] = [];

  before(async () => {
    federation = await Federation.start({
      instance: 'it-storage',
      members: 2,
      nodes: 1,
      join: { clusterTreeOptions: { storageClassMap: { fast: 'paths', vendor: 'paths' } } },
    });
    folder = mkdtempSync(join(tmpdir(), 'kosmos-storage-'));
    for (const { name } of federation.lab.members) {
      await federation.client(name).create(storageClasses, pathClass('paths'));
      await federation.client(name).create(storageClasses, pathClass('eager', { volumeBindingMode: 'Immediate' }));
      provisioners.push(new PathProvisioner(federation.client(name), join(folder, name)));
    }
    await federation.client('member2').create(storageClasses, pathClass('second'));
    for (const provisioner of provisioners) provisioner.start();
    const classes = [
      ...['paths', 'fast', 'eager', 'nowhere'].map((name) => hostClass(name)),
      hostClass('second', {
        allowedTopologies: [{ matchLabelExpressions: [{ key: CLUSTER_LABEL, values: ['member2'] }] }],
      }),
      hostClass('vendor', { provisioner: 'example.com/nobody' }),
      hostClass('kept', { reclaimPolicy: 'Retain' }),
      hostClass('reachable', {
        provisioner: 'kubernetes.io/no-provisioner',
        metadata: { name: 'reachable', annotations: { [ONE_WAY_ANNOTATION]: 'true' } },
      }),
      hostClass('local', { provisioner: 'kubernetes.io/no-provisioner' }),
    ];
    for (const one of classes) await federation.host.create(storageClasses, one);
  });

  after(async () => {
    await Promise.all(provisioners.map((provisioner) => provisioner.stop()));
    rmSync(folder, { recursive: true, force: true });
    await federation.down();
  });

  beforeEach(async () => {
    count += 1;
    namespace = await federation.namespace(`storage-${count}`);
  });

  afterEach(() => federation.deleteNamespace(namespace));

  const ref = (name: string): { namespace: string; name: string } => ({ namespace, name });

  async function volumeOf(cluster: string, name: string): Promise<PersistentVolume> {
    const { spec } = await federation.client(cluster).get(claims, ref(name));
    return federation.client(cluster).get(volumes, { name: spec!.volumeName! });
  }

  async function memberOf(name: string): Promise<string> {
    const pod = await federation.host.get(pods, ref(name));
    return pod.spec!.nodeName!.replace('kosmos-', '');
  }

  /** Nothing of the namespace's claims is left anywhere. */
  async function cleaned(): Promise<void> {
    await eventually(async () => {
      for (const { name } of federation.lab.clusters) {
        const { items } = await federation.client(name).list(claims, { namespace });
        expect(
          items.map(({ metadata }) => metadata!.name),
          `claims in ${name}`,
        ).to.deep.equal([]);
        expect(await volumesOf(federation.client(name), namespace), `volumes in ${name}`).to.deep.equal([]);
      }
    });
  }

  function atCapacity(cluster: string, name: string, capacity: string): Promise<void> {
    return eventually(async () => {
      const found = await federation.client(cluster).get(claims, ref(name));
      expect(found.status?.capacity?.['storage'], `capacity in ${cluster}`).to.equal(capacity);
    });
  }

  describe('made by the member', () => {
    it('serve a StatefulSet over two members; its pods come back to their volumes', async () => {
      const template = { metadata: { name: 'data' }, spec: claimSpec('paths') };
      const spread = {
        maxSkew: 1,
        topologyKey: 'kosmos.io/cluster',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'db' } },
      };
      const set = statefulSet({ ...ref('db'), replicas: 3, spec: { topologySpreadConstraints: [spread] } });
      const retention = { whenDeleted: 'Delete', whenScaled: 'Delete' };
      const spec = { ...set.spec!, volumeClaimTemplates: [template], persistentVolumeClaimRetentionPolicy: retention };
      await federation.host.create(statefulSets, { ...set, spec });
      await federation.runningPods('host', namespace, 3);
      const members = await Promise.all(['db-0', 'db-1', 'db-2'].map(memberOf));
      expect(new Set(members)).to.have.property('size', 2);
      for (const [index, member] of members.entries()) {
        const name = `data-db-${index}`;
        const hostClaim = await federation.host.get(claims, ref(name));
        const copy = await federation.client(member).get(claims, ref(name));
        expect(copy.metadata!.annotations![HOST_UID_ANNOTATION]).to.equal(hostClaim.metadata!.uid);
        expect(copy.status!.phase).to.equal('Bound');
        await eventually(async () => {
          const volume = await volumeOf('host', name);
          expect(nodeOf(volume)).to.equal(`kosmos-${member}`);
          expect(volume.spec!.csi!.driver).to.equal(MEMBER_CSI_DRIVER);
          expect(volume.metadata!.annotations).to.include({ [MEMBER_VOLUME_ANNOTATION]: copy.spec!.volumeName! });
        });
      }
      const before = await volumeOf(members[1]!, 'data-db-1');
      const { metadata } = await federation.host.get(pods, ref('db-1'));
      await federation.host.delete(pods, ref('db-1'));
      await eventually(async () => {
        const again = await federation.runningPod('host', ref('db-1'));
        expect(again.metadata!.uid).to.not.equal(metadata!.uid);
      });
      expect(await memberOf('db-1')).to.equal(members[1]);
      expect((await volumeOf(members[1]!, 'data-db-1')).metadata!.uid).to.equal(before.metadata!.uid);

      await federation.host.patch(statefulSets, ref('db'), { spec: { replicas: 1 } }, MERGE);
      await federation.runningPods('host', namespace, 1);
      await eventually(async () => expect(await volumesOf(federation.host, namespace)).to.have.length(1));
      await federation.host.delete(statefulSets, ref('db'), { propagationPolicy: 'Foreground' });
      await cleaned();
    });

    it('grow when the host claim does', async () => {
      await federation.host.create(claims, claim(ref('data'), 'fast'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
      const member = await memberOf('web');
      expect((await federation.client(member).get(claims, ref('data'))).spec!.storageClassName).to.equal('paths');
      const patch = { spec: { resources: { requests: { storage: '2Gi' } } } };
      await federation.host.patch(claims, ref('data'), patch, MERGE);
      await atCapacity(member, 'data', '2Gi');
      await atCapacity('host', 'data', '2Gi');
      await eventually(async () => expect((await volumeOf('host', 'data')).spec!.capacity!['storage']).to.equal('2Gi'));
      expect((await federation.host.list(csiDrivers)).items.map(({ metadata }) => metadata!.name)).to.deep.equal([
        MEMBER_CSI_DRIVER,
      ]);
    });

    it('are provisioned first where the member does not wait for a pod', async () => {
      await federation.host.create(claims, claim(ref('data'), 'eager'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
      const copy = await volumeOf(await memberOf('web'), 'data');
      const volume = await volumeOf('host', 'data');
      expect(volume.metadata!.annotations).to.include({ [MEMBER_VOLUME_ANNOTATION]: copy.metadata!.name! });
    });

    it('serve a class that the Cluster maps and nobody in the host serves', async () => {
      await federation.host.create(claims, claim(ref('data'), 'vendor'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
    });

    it('go to the member that the class allows', async () => {
      await federation.host.create(claims, claim(ref('data'), 'second'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
      expect(await memberOf('web')).to.equal('member2');
    });

    it('say that the member has no such class, and leave the choice of a node to the scheduler', async () => {
      await federation.host.create(claims, claim(ref('data'), 'nowhere'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      expect((await federation.event('ProvisioningFailed', ref('data'))).message).to.include('no StorageClass nowhere');
      await eventually(async () => {
        const { metadata } = await federation.host.get(claims, ref('data'));
        expect(metadata!.annotations ?? {}).not.to.have.property(SELECTED_NODE_ANNOTATION);
      });
    });

    it('say why the member can not make one, on the claim and on its pod', async () => {
      const annotations = { [FAIL_ANNOTATION]: 'no disks left' };
      await federation.host.create(claims, claim(ref('data'), 'paths', { annotations }));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      for (const name of ['data', 'web']) {
        const event = await federation.event('ProvisioningFailed', ref(name));
        expect(event.message).to.match(/In member cluster member\d: no disks left/);
      }
    });

    it('serve generic ephemeral volumes, and go with their pod', async () => {
      const volumeClaimTemplate = { spec: claimSpec('paths') };
      const spec = { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }] };
      await federation.host.create(pods, virtualPod({ ...ref('web'), spec }));
      await federation.runningPod('host', ref('web'));
      const copy = await federation.client(await memberOf('web')).get(claims, ref('web-scratch'));
      expect(copy.status!.phase).to.equal('Bound');
      await federation.host.delete(pods, ref('web'));
      await cleaned();
    });

    it('are kept with policy Retain, bound again, and go once the policy is Delete', async () => {
      await federation.host.create(claims, claim(ref('data'), 'paths'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
      const member = await memberOf('web');
      const hostVolume = await volumeOf('host', 'data');
      const memberVolume = await volumeOf(member, 'data');
      const setPolicy = async (policy: string): Promise<unknown> =>
        federation.host.patch(
          volumes,
          { name: hostVolume.metadata!.name! },
          { spec: { persistentVolumeReclaimPolicy: policy } },
          MERGE,
        );
      await setPolicy('Retain');
      await federation.host.delete(pods, ref('web'));
      await federation.host.delete(claims, ref('data'));
      await eventually(async () => {
        expect(await federation.find(member, claims, ref('data'))).to.equal(undefined);
        const kept = await federation.client(member).get(volumes, { name: memberVolume.metadata!.name! });
        expect(kept.status!.phase).to.equal('Released');
      });
      // As an administrator hands a volume to another claim.
      const claimRef = { uid: null, resourceVersion: null };
      await federation.host.patch(volumes, { name: hostVolume.metadata!.name! }, { spec: { claimRef } }, MERGE);
      const spec = { volumeName: hostVolume.metadata!.name };
      await federation.host.create(claims, claim(ref('data'), 'paths', { spec }));
      await federation.host.create(pods, podWith(namespace, 'again', 'data'));
      await federation.runningPod('host', ref('again'));
      expect(await memberOf('again')).to.equal(member);
      expect((await volumeOf(member, 'data')).metadata!.uid).to.equal(memberVolume.metadata!.uid);

      await federation.host.delete(pods, ref('again'));
      await federation.host.delete(claims, ref('data'));
      await eventually(async () => expect(await federation.find(member, claims, ref('data'))).to.equal(undefined));
      await setPolicy('Delete');
      await cleaned();
    });

    it('are removed after the manager was away', async () => {
      await federation.host.create(claims, claim(ref('data'), 'paths'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
      await federation.killManager();
      await federation.host.delete(pods, ref('web'), { gracePeriodSeconds: 0 });
      await federation.host.delete(claims, ref('data'));
      await eventually(async () => expect(await federation.find('host', claims, ref('data'))).to.equal(undefined));
      await federation.restartManager();
      await cleaned();
    });

    it('are never replaced by an empty one when the member lost theirs', async () => {
      await federation.host.create(claims, claim(ref('data'), 'paths'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.runningPod('host', ref('web'));
      const member = await memberOf('web');
      await federation.host.delete(pods, ref('web'));
      await federation.podGone(member, ref('web'));
      await federation.client(member).delete(claims, ref('data'));
      await eventually(async () => expect(await volumesOf(federation.client(member), namespace)).to.deep.equal([]));
      await federation.host.create(pods, podWith(namespace, 'again', 'data'));
      await federation.event('VolumeLost', ref('again'));
      expect(await federation.find(member, claims, ref('data'))).to.equal(undefined);
    });
  });

  describe('that can not be had', () => {
    it("leave somebody else's claim alone", async () => {
      await federation.namespace(namespace, 'member1');
      await federation.client('member1').create(claims, claim(ref('data'), 'paths'));
      await federation.host.create(claims, claim(ref('data'), 'paths'));
      const pod = podWith(namespace, 'web', 'data');
      const nodeSelector = { 'kubernetes.io/hostname': NODE_1 };
      await federation.host.create(pods, { ...pod, spec: { ...pod.spec!, nodeSelector } });
      await federation.event('ForeignClaim', ref('web'));
      expect((await federation.client('member1').get(claims, ref('data'))).metadata!.labels).to.equal(undefined);
      await federation.client('member1').delete(claims, ref('data'));
      // Foreign objects are not watched; a change of the claim has them looked at again at once.
      await federation.host.patch(claims, ref('data'), { metadata: { labels: { nudge: 'now' } } }, MERGE);
      await federation.runningPod('host', ref('web'));
    });

    it('refuse what only the host can make, and say so', async () => {
      const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'monday' };
      await federation.host.create(claims, claim(ref('data'), 'paths', { spec: { dataSource } }));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      const event = await federation.event('ProvisioningFailed', ref('data'));
      expect(event.message).to.include('VolumeSnapshot monday');
    });

    it('say that a volume of the host is not there, and never lose a claim', async () => {
      await federation.host.create(volumes, hostPathVolume(`local-${namespace}`, 'local'));
      await federation.host.create(claims, claim(ref('data'), 'local'));
      await federation.host.create(pods, podWith(namespace, 'web', 'data'));
      await federation.event('VolumeNotReachable', ref('web'));
      for (const { name } of federation.lab.members) {
        expect(await federation.find(name, claims, ref('data'))).to.equal(undefined);
      }
      await federation.host.delete(pods, ref('web'));
    });
  });

  describe('in the host, which members can reach', () => {
    it('are copied to one member at a time, while pods there use them', async () => {
      const name = `shared-${namespace}`;
      const accessModes = ['ReadWriteMany'];
      await federation.host.create(volumes, hostPathVolume(name, 'reachable', accessModes));
      await federation.host.create(
        claims,
        claim(ref('data'), 'reachable', { spec: { accessModes, volumeName: name } }),
      );
      await eventually(async () => {
        expect((await federation.host.get(claims, ref('data'))).status!.phase).to.equal('Bound');
      });
      const spec = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };
      await federation.host.create(pods, boundPod(NODE_1, { ...ref('first'), spec }));
      await federation.runningPod('host', ref('first'));
      const copy = await volumeOf('member1', 'data');
      expect(copy.spec).to.deep.include({ persistentVolumeReclaimPolicy: 'Retain', accessModes });
      expect(copy.spec!.hostPath).to.include({ path: '/srv/data' });
      await federation.host.create(pods, boundPod(NODE_2, { ...ref('second'), spec }));
      await federation.event('VolumeInUse', ref('second'));
      expect(await federation.find('member2', claims, ref('data'))).to.equal(undefined);

      await federation.host.delete(pods, ref('first'));
      await eventually(() => federation.runningPod('host', ref('second')), { timeoutMs: 90_000 });
      expect(await federation.find('member1', claims, ref('data'))).to.equal(undefined);
      expect(await federation.find('member1', volumes, { name })).to.equal(undefined);
      await federation.host.delete(pods, ref('second'));
      await federation.host.delete(claims, ref('data'));
      await eventually(async () => {
        expect(await federation.find('member2', volumes, { name })).to.equal(undefined);
        const hostVolume = await federation.host.get(volumes, { name });
        expect(hostVolume.metadata!.annotations?.[CLUSTER_OWNERS_ANNOTATION]).to.equal(undefined);
        expect(hostVolume.status!.phase).to.equal('Released');
      });
      await federation.host.delete(volumes, { name });
    });
  });
});

function hostPathVolume(name: string, storageClassName: string, accessModes = ['ReadWriteOnce']): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: { accessModes, capacity: { storage: '1Gi' }, storageClassName, hostPath: { path: '/srv/data' } },
  };
}
