import { expect } from 'chai';
import type { KubeClient } from '../../../src/kube/client.js';
import type { Pod } from '../../../src/apis/core.js';
import { nodes, pods } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import { hostUidOf, isReady, type Federation } from '../../support/federation.js';
import { statefulSets } from '../../support/resources.js';
import { TWO_LIGHT_MEMBERS, sharedFederation } from '../../support/shared-lab.js';
import { statefulSet } from '../../support/workloads.js';

const MERGE = { type: 'merge' } as const;

/** What a watch has said about one pod since it was started. */
interface Sighting {
  readonly type: string;
  readonly uid: string | undefined;
  readonly podIP: string | undefined;
  readonly phase: string | undefined;
  readonly isDeleting: boolean;
}

describe('a pod of a StatefulSet whose member was cut off', () => {
  let federation: Federation;
  const namespace = 'moved';
  const ref = { namespace, name: 'db-0' };
  const stop = new AbortController();

  before(async () => {
    federation = await sharedFederation(TWO_LIGHT_MEMBERS);
    await federation.namespace(namespace);
  });

  after(() => stop.abort());

  afterEach(async () => {
    await uncordon('kosmos-member1');
    await uncordon('kosmos-member2');
    await federation.host.delete(statefulSets, { namespace, name: 'db' });
    await eventually(async () => {
      expect(await federation.pods('host', namespace)).to.deep.equal([]);
      expect(await federation.memberPods(namespace)).to.deep.equal([]);
    });
  });

  async function cordon(name: string): Promise<void> {
    await federation.host.patch(nodes, { name }, { spec: { unschedulable: true } }, MERGE);
  }

  async function uncordon(name: string): Promise<void> {
    await federation.host.patch(nodes, { name }, { spec: { unschedulable: null } }, MERGE);
  }

  /**
   * Waits for db-0 while member1 has a scheduler. That of Kubernetes 1.36 ends itself when its watch was cut and a pod
   * has been replaced by one of its name meanwhile (kubernetes/kubernetes#141255); a kubelet would start it again.
   */
  function running(): Promise<Pod> {
    return eventually(
      async () => {
        await federation.lab.cluster('member1').reviveComponent('kube-scheduler');
        const pod = await federation.host.get(pods, ref);
        expect(isReady(pod), JSON.stringify(pod.status)).to.equal(true);
        return pod;
      },
      { timeoutMs: 90_000 },
    );
  }

  /** Starts the StatefulSet on member1, then cuts member1 off. */
  async function cutOff(): Promise<{ uid: string; copyUid: string }> {
    await cordon('kosmos-member2');
    await federation.host.create(statefulSets, statefulSet({ namespace, name: 'db' }));
    const pod = await running();
    const copy = await federation.client('member1').get(pods, ref);
    await uncordon('kosmos-member2');
    await federation.lab.cluster('member1').stopApiServer();
    await federation.clusterCondition('member1', 'Reachable', 'False');
    return { uid: pod.metadata!.uid!, copyUid: copy.metadata!.uid! };
  }

  /** The administrator knows that the member is dead, and takes the pod away by force. */
  async function replace(oldUid: string): Promise<string> {
    await federation.host.delete(pods, ref, { gracePeriodSeconds: 0 });
    return eventually(async () => {
      const { metadata } = await federation.host.get(pods, ref);
      expect(metadata!.uid).to.not.equal(oldUid);
      return metadata!.uid!;
    });
  }

  async function watch(client: KubeClient): Promise<Sighting[]> {
    const { items, resourceVersion } = await client.list(pods, { namespace });
    expect(items).to.have.length(1);
    const sightings: Sighting[] = [];
    const stream = await client.watch(pods, { namespace, resourceVersion, signal: stop.signal, timeoutSeconds: 300 });
    const read = async (): Promise<void> => {
      for await (const { type, object } of stream) {
        const { metadata, status } = object;
        const isDeleting = metadata?.deletionTimestamp !== undefined;
        sightings.push({ type, uid: metadata?.uid, podIP: status?.podIP, phase: status?.phase, isDeleting });
      }
    };
    read().catch(() => undefined);
    return sightings;
  }

  it('runs in the other member; the old copy goes when its member returns, the new one is never touched', async () => {
    const old = await cutOff();
    await cordon('kosmos-member1');
    const uid = await replace(old.uid);
    const moved = await federation.runningPod('host', ref);
    expect(moved.spec!.nodeName).to.equal('kosmos-member2');
    const copy = await federation.client('member2').get(pods, ref);
    expect(hostUidOf(copy)).to.equal(uid);
    const inHost = await watch(federation.host);
    const inMember2 = await watch(federation.client('member2'));

    await federation.lab.cluster('member1').startApiServer();
    const still = await federation.pod('member1', ref);
    expect([undefined, old.copyUid]).to.include(still?.metadata?.uid);
    await federation.podGone('member1', ref);
    await federation.clusterCondition('member1', 'Ready', 'True');
    await always(async () => {
      expect((await federation.host.get(pods, ref)).status!.podIP).to.equal(copy.status!.podIP);
      expect((await federation.client('member2').get(pods, ref)).metadata!.uid).to.equal(copy.metadata!.uid);
      expect(await federation.pod('member1', ref)).to.equal(undefined);
    }, 5_000);
    const wrong = (seen: Sighting): boolean =>
      seen.uid !== uid || seen.podIP !== copy.status!.podIP || seen.phase !== 'Running' || seen.isDeleting;
    expect(inHost.filter(wrong)).to.deep.equal([]);
    expect(inMember2).to.deep.equal([]);
  });

  it('waits for its member when it is bound there again, and then takes the place of the old copy', async () => {
    const old = await cutOff();
    await cordon('kosmos-member2');
    const uid = await replace(old.uid);
    await federation.lab.cluster('member1').startApiServer();
    // The member's own scheduler, too, comes back from a long back-off.
    const pod = await running();
    expect(pod.metadata!.uid).to.equal(uid);
    const copy = await federation.client('member1').get(pods, ref);
    expect(hostUidOf(copy)).to.equal(uid);
    expect(copy.metadata!.uid).to.not.equal(old.copyUid);
    expect(pod.status!.podIP).to.equal(copy.status!.podIP);
  });
});
