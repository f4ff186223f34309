import { expect } from 'chai';
import { applyCrds, clusterManifest } from '../../../hack/lab/federation.js';
import type { Pod } from '../../../src/apis/core.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { nodes, pods } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import { Federation, hostUidOf, isReady } from '../../support/federation.js';
import { boundPod } from '../../support/workloads.js';

/** Plays a second host; the lab knows it as a member. */
const OTHER_HOST = 'member1';
const SHARED = 'member2';

/** Two hosts, the first of them with two Clusters, share one member. Two of the three have the same name. */
describe('a member that is shared', () => {
  let federation: Federation;
  let namespace: string;
  let count = 0;

  before(async () => {
    federation = await Federation.start({ instance: 'it-shared', members: 2, nodes: 2, join: false });
    const { lab } = federation;
    await applyCrds(lab, lab.cluster(OTHER_HOST));
    await federation.startOtherManager({ where: OTHER_HOST, kubeconfig: lab.cluster(OTHER_HOST).kubeconfigPath });
    for (const [host, name] of [
      ['host', 'east'],
      ['host', 'west'],
      [OTHER_HOST, 'east'],
    ] as const)
      await joinTo(host, name);
  });

  after(() => federation.down());

  beforeEach(async () => {
    count += 1;
    namespace = `shared-${count}`;
    for (const host of ['host', OTHER_HOST]) await federation.namespace(namespace, host);
  });

  afterEach(async () => {
    for (const host of ['host', OTHER_HOST]) await federation.deleteNamespace(namespace, host);
  });

  async function joinTo(host: string, name: string): Promise<void> {
    const input = JSON.stringify(await clusterManifest(federation.lab.cluster(SHARED), { name }));
    await federation.lab.cluster(host).kubectl(['apply', '-f', '-'], { input });
    await eventually(async () => {
      const { status } = await federation.client(host).get(clusters, { name });
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    });
  }

  async function create(host: string, cluster: string, name: string, cpu = '1'): Promise<Pod> {
    const containers = [{ name: 'main', image: 'none', resources: { requests: { cpu } } }];
    return federation
      .client(host)
      .create(pods, boundPod(`kosmos-${cluster}`, { namespace, name, spec: { containers } }));
  }

  async function allocatableCpu(host: string, cluster: string): Promise<string | undefined> {
    return (await federation.client(host).get(nodes, { name: `kosmos-${cluster}` })).status!.allocatable?.['cpu'];
  }

  it('runs the pods of all of them, each for its own', async () => {
    const made = [
      await create('host', 'east', 'one'),
      await create('host', 'west', 'two'),
      await create(OTHER_HOST, 'east', 'three'),
    ];
    const copies = await federation.runningPods(SHARED, namespace, 3);
    expect(copies.map(hostUidOf).sort()).to.deep.equal(made.map(({ metadata }) => metadata!.uid).sort());
    for (const [host, names] of [
      ['host', ['one', 'two']],
      [OTHER_HOST, ['three']],
    ] as const) {
      for (const pod of await federation.runningPods(host, namespace, names.length)) {
        const copy = copies.find((one) => hostUidOf(one) === pod.metadata!.uid)!;
        expect(pod.status!.podIP).to.equal(copy.status!.podIP);
      }
    }
  });

  it('tells each of them how much room the others leave', async () => {
    await eventually(async () => expect(await allocatableCpu('host', 'east')).to.equal('512'));
    await create('host', 'east', 'one', '10');
    await create('host', 'west', 'two', '20');
    await create(OTHER_HOST, 'east', 'three', '40');
    await federation.runningPods(SHARED, namespace, 3);
    await eventually(async () => {
      expect(await allocatableCpu('host', 'east')).to.equal('452');
      expect(await allocatableCpu('host', 'west')).to.equal('462');
      expect(await allocatableCpu(OTHER_HOST, 'east')).to.equal('482');
    });
  });

  it('gives a name to the host that came first, and tells the other', async () => {
    const first = await create('host', 'east', 'same');
    await federation.runningPod('host', { namespace, name: 'same' });
    await create(OTHER_HOST, 'east', 'same');
    await eventually(async () => {
      const { stdout } = await federation.lab.cluster(OTHER_HOST).kubectl(['get', 'events', '-n', namespace]);
      expect(stdout).to.include('ForeignPod');
    });
    await federation.client(OTHER_HOST).delete(pods, { namespace, name: 'same' });
    await federation.podGone(OTHER_HOST, { namespace, name: 'same' });
    await always(async () => {
      const copy = await federation.client(SHARED).get(pods, { namespace, name: 'same' });
      expect(hostUidOf(copy)).to.equal(first.metadata!.uid);
      expect(isReady(copy)).to.equal(true);
    }, 2_000);
  });

  it('keeps the namespace until the last of them has left it', async () => {
    await create('host', 'east', 'one');
    await create(OTHER_HOST, 'east', 'three');
    await federation.runningPods(SHARED, namespace, 2);
    await federation.deleteNamespace(namespace, 'host');
    await federation.podGone(SHARED, { namespace, name: 'one' });
    await always(async () => {
      expect(isReady(await federation.client(SHARED).get(pods, { namespace, name: 'three' }))).to.equal(true);
    }, 6_000);
  });

  it('is cleaned of one of them, and of nothing else, when that one leaves', async () => {
    for (const [host, cluster, name] of [
      ['host', 'east', 'one'],
      ['host', 'west', 'two'],
      [OTHER_HOST, 'east', 'three'],
    ] as const) {
      await create(host, cluster, name);
    }
    const before = await federation.runningPods(SHARED, namespace, 3);
    await federation.host.delete(clusters, { name: 'east' });
    await eventually(async () => {
      expect(await federation.find('host', clusters, { name: 'east' })).to.equal(undefined);
    });
    const after = await federation.runningPods(SHARED, namespace, 2);
    expect(after.map(({ metadata }) => metadata!.name).sort()).to.deep.equal(['three', 'two']);
    for (const { metadata } of after) {
      expect(metadata!.uid).to.equal(before.find((pod) => pod.metadata!.name === metadata!.name)!.metadata!.uid);
    }
    expect(await federation.find(OTHER_HOST, nodes, { name: 'kosmos-east' })).to.not.equal(undefined);
    expect(await federation.find('host', nodes, { name: 'kosmos-east' })).to.equal(undefined);
    await federation.runningPod('host', { namespace, name: 'two' });
    await federation.runningPod(OTHER_HOST, { namespace, name: 'three' });
    await joinTo('host', 'east');
  });
});
