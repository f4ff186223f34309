import { expect } from 'chai';
import type { Node } from '../../../src/apis/core.js';
import { CLEANUP_TIMEOUT_ANNOTATION, CLUSTER_FINALIZER, NODE_LABEL } from '../../../src/apis/names.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { namespaces, nodes, pods } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import { deleteIfPresent, Federation } from '../../support/federation.js';
import { deployments } from '../../support/resources.js';
import { boundPod, deployment } from '../../support/workloads.js';

const MEMBER = 'member1';
const NODE = 'kosmos-member1';
const SHOP = 'shop';
const TYPE = { apiVersion: 'kosmos.io/v1alpha1', kind: 'Cluster' };

describe('a member that leaves', () => {
  let federation: Federation;

  before(async () => {
    federation = await Federation.start({ instance: 'it-leaving', members: 1, hostNodes: 1 });
    await federation.namespace(SHOP);
  });

  after(() => federation.down());

  async function enable(value: boolean): Promise<void> {
    const patch = { spec: { clusterTreeOptions: { enable: value } } };
    await federation.host.patch(clusters, { name: MEMBER }, patch, { type: 'merge' });
  }

  function nodeNow(name = NODE): Promise<Node | undefined> {
    return federation.find('host', nodes, { name });
  }

  async function nodeGone(): Promise<void> {
    await eventually(async () => expect(await nodeNow()).to.equal(undefined));
  }

  async function nodeSchedulable(): Promise<void> {
    await eventually(async () => {
      const node = await nodeNow();
      expect(node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
      expect(node?.spec?.unschedulable ?? false).to.equal(false);
    });
  }

  it('is emptied when it is switched off, and filled when it is switched on again', async () => {
    await federation.host.create(deployments, deployment({ namespace: SHOP, name: 'web', replicas: 3 }));
    await federation.runningPods('host', SHOP, 3);
    await enable(false);
    await federation.clusterCondition(MEMBER, 'Ready', 'False', 'Disabled');
    await nodeGone();
    await eventually(async () => expect(await federation.find(MEMBER, namespaces, { name: SHOP })).to.equal(undefined));
    const cluster = await federation.host.get(clusters, { name: MEMBER });
    expect(cluster.metadata?.finalizers ?? []).to.not.include(CLUSTER_FINALIZER);
    await always(async () => {
      expect(await nodeNow()).to.equal(undefined);
    }, 2_000);
    await enable(true);
    await nodeSchedulable();
    await federation.runningPods('host', SHOP, 3);
    await deleteIfPresent(federation.host, deployments, { namespace: SHOP, name: 'web' });
  });

  it('stays, and is uncordoned, when it is switched on again before it has left', async () => {
    const ref = { namespace: SHOP, name: 'held' };
    const pod = boundPod(NODE, ref);
    await federation.host.create(pods, { ...pod, metadata: { ...pod.metadata, finalizers: ['example.com/hold'] } });
    await federation.runningPod('host', ref);
    await enable(false);
    await eventually(async () => expect((await nodeNow())?.spec?.unschedulable).to.equal(true));
    const before = (await nodeNow())?.metadata?.uid;
    await enable(true);
    await nodeSchedulable();
    expect((await nodeNow())?.metadata?.uid).to.equal(before);
    await federation.host.patch(pods, ref, { metadata: { finalizers: null } }, { type: 'merge' });
    await federation.podGone('host', ref);
  });

  it('leaves in time although it never could be connected', async () => {
    const kubeconfig = Buffer.from('apiVersion: v1\nkind: Config\n').toString('base64');
    const annotations = { [CLEANUP_TIMEOUT_ANNOTATION]: '3s' };
    const spec = { kubeconfig };
    await federation.host.create(clusters, { ...TYPE, metadata: { name: 'broken', annotations }, spec });
    await federation.clusterCondition('broken', 'Ready', 'False', 'InvalidKubeconfig');
    await federation.host.delete(clusters, { name: 'broken' });
    await federation.event('LeftBehind', { name: 'broken' });
    await eventually(async () =>
      expect(await federation.find('host', clusters, { name: 'broken' })).to.equal(undefined),
    );
  });

  it('has nothing to do with the pods of a real node of the same name', async () => {
    const real = (await federation.host.list(nodes)).items.find(({ metadata }) => !metadata?.labels?.[NODE_LABEL]);
    const name = real?.metadata?.name ?? '';
    const { kubeconfig, kubeconfigSecretRef } = (await federation.host.get(clusters, { name: MEMBER })).spec;
    const clusterTreeOptions = { leafModels: [{ nodeSelector: { nodeName: name } }] };
    const spec = { kubeconfig, kubeconfigSecretRef, clusterTreeOptions };
    await federation.host.create(clusters, { ...TYPE, metadata: { name: 'clash' }, spec });
    await federation.clusterCondition('clash', 'Ready', 'False', 'NodeConflict');
    const ref = { namespace: SHOP, name: 'local' };
    await federation.host.create(pods, boundPod(name, ref));
    await federation.runningPod('host', ref);
    await always(async () => {
      expect(await federation.pod(MEMBER, ref)).to.equal(undefined);
    }, 3_000);
    await federation.host.delete(clusters, { name: 'clash' });
    await eventually(async () =>
      expect(await federation.find('host', clusters, { name: 'clash' })).to.equal(undefined),
    );
    expect((await nodeNow(name))?.spec?.unschedulable ?? false).to.equal(false);
    expect((await federation.pod('host', ref))?.metadata?.deletionTimestamp).to.equal(undefined);
  });
});
