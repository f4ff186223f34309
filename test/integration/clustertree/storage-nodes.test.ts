import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Claim, PersistentVolume, Pod } from '../../../src/apis/core.js';
import {
  HOSTNAME_LABEL,
  MEMBER_CSI_DRIVER,
  MEMBER_PROVISIONER,
  MEMBER_VOLUME_ANNOTATION,
  SELECTED_NODE_ANNOTATION,
  ZONE_LABEL,
} from '../../../src/apis/names.js';
import { nodeOf } from '../../../src/clustertree/storage/host-volume.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { claims, pods, storageClasses, volumes, type ObjectRef } from '../../../src/kube/resource.js';
import { eventually } from '../../support/eventually.js';
import { Federation } from '../../support/federation.js';
import { pathClass, PathProvisioner } from '../../support/path-provisioner.js';
import { virtualPod } from '../../support/workloads.js';

/** The first member is there by one of its nodes, the second by those of one zone. */
const NODE = 'member1-node2';
const PARTY = 'kosmos-b-0';
const CLUSTER_OF = { [NODE]: 'member1', [PARTY]: 'member2' } as const;
const MERGE = { type: 'merge' } as const;

function claim(ref: ObjectRef, storageClassName: string, more: object = {}): Claim {
  const spec = {
    accessModes: ['ReadWriteOnce'],
    storageClassName,
    resources: { requests: { storage: '1Gi' } },
    ...more,
  };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: ref, spec };
}

function podOn(node: string, ref: ObjectRef, claimName: string): Pod {
  const spec = {
    nodeSelector: { [HOSTNAME_LABEL]: node },
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
  };
  return virtualPod({ namespace: ref.namespace ?? '', name: ref.name, spec });
}

describe('claims and volumes on virtual nodes that are not a whole member', () => {
  let federation: Federation;
  let namespace: string;
  let folder: string;
  let count = 0;
  const provisioners: PathProvisioner[] = [];

  before(async () => {
    federation = await Federation.start({ instance: 'it-storage-nodes', members: 2, nodes: 2, join: false });
    const expression = { key: ZONE_LABEL, operator: 'In', values: ['member2-b'] };
    const party = { leafNodeName: 'b', nodeSelector: { labelSelector: { matchExpressions: [expression] } } };
    await federation.join('member1', { clusterTreeOptions: { leafModels: [{ nodeSelector: { nodeName: NODE } }] } });
    await federation.join('member2', { clusterTreeOptions: { leafModels: [party] } });
    await federation.waitForMembers();
    folder = mkdtempSync(join(tmpdir(), 'kosmos-storage-'));
    for (const { name } of federation.lab.members) {
      await federation.client(name).create(storageClasses, pathClass('paths'));
      const provisioner = new PathProvisioner(federation.client(name), join(folder, name));
      provisioners.push(provisioner);
      provisioner.start();
    }
    await federation.host.create(storageClasses, pathClass('paths', { provisioner: MEMBER_PROVISIONER }));
    const immediate = { provisioner: MEMBER_PROVISIONER, volumeBindingMode: 'Immediate' };
    await federation.host.create(storageClasses, pathClass('immediate', immediate));
  });

  after(async () => {
    await Promise.all(provisioners.map((provisioner) => provisioner.stop()));
    rmSync(folder, { recursive: true, force: true });
    await federation.down();
  });

  beforeEach(async () => {
    count += 1;
    namespace = await federation.namespace(`nodes-${count}`);
  });

  afterEach(() => federation.deleteNamespace(namespace));

  const ref = (name: string): { namespace: string; name: string } => ({ namespace, name });

  async function volumeOf(cluster: string, name: string): Promise<PersistentVolume> {
    const { spec } = await federation.client(cluster).get(claims, ref(name));
    return federation.client(cluster).get(volumes, { name: spec!.volumeName! });
  }

  async function served(node: keyof typeof CLUSTER_OF, name = 'data', more: object = {}): Promise<void> {
    await federation.host.create(claims, claim(ref(name), 'paths', more));
    await federation.host.create(pods, podOn(node, ref(`of-${name}`), name));
    await federation.runningPod('host', ref(`of-${name}`));
  }

  for (const [node, what] of [
    [NODE, 'one node of a member'],
    [PARTY, 'a part of a member'],
  ] as const) {
    it(`stay with ${what}, where the member makes the volume`, async () => {
      await served(node);
      const cluster = CLUSTER_OF[node];
      expect(nodeOf(await volumeOf('host', 'data'))).to.equal(node);
      const inMember = await volumeOf(cluster, 'data');
      // Both virtual nodes have the second node of their member behind them.
      expect(nodeOf(inMember)).to.equal(`${cluster}-node2`);
      const copy = await federation.client(cluster).get(claims, ref('data'));
      expect(copy.metadata!.annotations).to.include({ [SELECTED_NODE_ANNOTATION]: `${cluster}-node2` });
      await federation.host.delete(pods, ref('of-data'));
      await federation.podGone('host', ref('of-data'));
      const anywhere = { ...podOn(node, ref('again'), 'data') };
      await federation.host.create(pods, { ...anywhere, spec: { ...anywhere.spec!, nodeSelector: undefined } });
      expect((await federation.runningPod('host', ref('again'))).spec!.nodeName).to.equal(node);
      expect((await volumeOf(cluster, 'data')).metadata!.uid).to.equal(inMember.metadata!.uid);
    });
  }

  it('name the claim of the same member that they are a clone of, and no other', async () => {
    await served(PARTY);
    const dataSource = { kind: 'PersistentVolumeClaim', name: 'data' };
    await served(PARTY, 'clone', { dataSource });
    const copy = await federation.client('member2').get(claims, ref('clone'));
    expect(copy.spec!.dataSource).to.include(dataSource);
    await federation.host.create(claims, claim(ref('far'), 'paths', { dataSource }));
    await federation.host.create(pods, podOn(NODE, ref('of-far'), 'far'));
    const event = await federation.event('ProvisioningFailed', ref('far'));
    expect(event.message).to.include('is not stored in member cluster member1');
    expect(await federation.find('member1', claims, ref('far'))).to.equal(undefined);
  });

  it('may be of a volume that an administrator has brought in from a member', async () => {
    const name = `archive-${namespace}`;
    const capacity = { storage: '1Gi' };
    const shared = { accessModes: ['ReadWriteOnce'], capacity, storageClassName: 'archive' };
    await federation.client('member2').create(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: { ...shared, hostPath: { path: '/srv/archive' } },
    });
    const expression = { key: HOSTNAME_LABEL, operator: 'In', values: [PARTY] };
    await federation.host.create(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { [MEMBER_VOLUME_ANNOTATION]: name } },
      spec: {
        ...shared,
        csi: { driver: MEMBER_CSI_DRIVER, volumeHandle: `member2/${name}` },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      },
    });
    await federation.host.create(claims, claim(ref('data'), 'archive', { volumeName: name }));
    await federation.host.create(pods, podOn(PARTY, ref('reader'), 'data'));
    await federation.runningPod('host', ref('reader'));
    expect((await volumeOf('member2', 'data')).metadata!.name).to.equal(name);
    await federation.host.delete(pods, ref('reader'));
    await federation.host.delete(claims, ref('data'));
    await eventually(async () => {
      expect(await federation.find('member2', claims, ref('data'))).to.equal(undefined);
      expect((await federation.client('member2').get(volumes, { name })).status!.phase).to.equal('Released');
      expect((await federation.host.get(volumes, { name })).status!.phase).to.equal('Released');
    });
    for (const cluster of ['host', 'member2']) await federation.client(cluster).delete(volumes, { name });
  });

  it('say what to do about a class of the host that waits for no pod', async () => {
    await federation.host.create(claims, claim(ref('data'), 'immediate'));
    const event = await federation.event('ProvisioningFailed', ref('data'));
    expect(event.message).to.include('volumeBindingMode WaitForFirstConsumer');
    expect(event.source?.component).to.equal('kosmos-manager');
  });

  it('stay in a member that leaves, with their data, and are taken up again when it comes back', async () => {
    const enable = (value: boolean): Promise<unknown> => {
      const patch = { spec: { clusterTreeOptions: { enable: value } } };
      return federation.host.patch(clusters, { name: 'member2' }, patch, MERGE);
    };
    await served(PARTY);
    const before = await volumeOf('member2', 'data');
    await enable(false);
    await federation.clusterCondition('member2', 'Ready', 'False', 'Disabled');
    expect(await federation.pod('member2', ref('of-data'))).to.equal(undefined);
    expect((await volumeOf('member2', 'data')).metadata!.uid).to.equal(before.metadata!.uid);
    await enable(true);
    await federation.clusterCondition('member2', 'Ready', 'True');
    await federation.host.create(pods, podOn(PARTY, ref('again'), 'data'));
    await eventually(() => federation.runningPod('host', ref('again')));
    expect((await volumeOf('member2', 'data')).metadata!.uid).to.equal(before.metadata!.uid);
  });
});
