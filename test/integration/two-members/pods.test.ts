import { expect } from 'chai';
import type { Pod } from '../../../src/apis/core.js';
import { HOST_UID_ANNOTATION, MEMBER_UID_ANNOTATION, POD_LABEL } from '../../../src/apis/names.js';
import { isNotFound } from '../../../src/kube/api-error.js';
import { events, pods } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import { hostUidOf, isReady, type Federation } from '../../support/federation.js';
import { deployments, jobs, podDisruptionBudgets, statefulSets } from '../../support/resources.js';
import { TWO_LIGHT_MEMBERS, sharedFederation } from '../../support/shared-lab.js';
import { boundPod, deployment, IMAGE, job, statefulSet } from '../../support/workloads.js';

interface PodRef {
  readonly namespace: string;
  readonly name: string;
}

const NODE_1 = 'kosmos-member1';
const SPREAD = [
  {
    maxSkew: 1,
    topologyKey: 'kosmos.io/cluster',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'web' } },
  },
];

describe('pods of the host in members', () => {
  let federation: Federation;
  let namespace: string;
  let count = 0;

  before(async () => {
    federation = await sharedFederation(TWO_LIGHT_MEMBERS);
  });

  beforeEach(async () => {
    count += 1;
    namespace = await federation.namespace(`life-${count}`);
  });

  afterEach(() => federation.deleteNamespace(namespace));

  /** A pod on member1's virtual node that runs there. */
  async function runningPod(name: string, change: Parameters<typeof boundPod>[1] | object = {}): Promise<PodRef> {
    const ref = { namespace, name };
    await federation.host.create(pods, boundPod(NODE_1, { ...ref, ...change }));
    await federation.runningPod('host', ref);
    return ref;
  }

  /** Writes what a kubelet would write into the status of a member pod. */
  async function playKubelet(ref: PodRef, status: object): Promise<void> {
    await federation.client('member1').patch(pods, ref, { status }, { type: 'strategic', subresource: 'status' });
  }

  async function hostPod(ref: PodRef): Promise<Pod> {
    return federation.host.get(pods, ref);
  }

  function conditionOf(pod: Pod, type: string): { status: string; reason?: string | undefined } | undefined {
    return pod.status?.conditions?.find((condition) => condition.type === type);
  }

  describe('of a Deployment', () => {
    it('run in the members, spread over the clusters, and look the same in the host', async () => {
      const spec = { topologySpreadConstraints: SPREAD };
      await federation.host.create(deployments, deployment({ namespace, name: 'web', replicas: 6, spec }));
      const inHost = await federation.runningPods('host', namespace, 6);
      const [first, second] = await Promise.all([
        federation.runningPods('member1', namespace, 3),
        federation.runningPods('member2', namespace, 3),
      ]);
      const copies = new Map([...first, ...second].map((pod) => [hostUidOf(pod), pod]));
      for (const pod of inHost) {
        const copy = copies.get(pod.metadata!.uid)!;
        expect(copy.metadata!.name).to.equal(pod.metadata!.name);
        expect(copy.metadata!.labels).to.include({ [POD_LABEL]: 'true' });
        expect(copy.metadata!.ownerReferences).to.equal(undefined);
        expect(pod.metadata!.annotations).to.include({ [MEMBER_UID_ANNOTATION]: copy.metadata!.uid });
        expect(pod.status!.podIPs).to.deep.equal(copy.status!.podIPs);
        expect(pod.status!.startTime).to.equal(copy.status!.startTime);
      }
    });

    it('follow scaling, a rolling update and deletion', async () => {
      const ref = { namespace, name: 'web' };
      const merge = { type: 'merge' } as const;
      await federation.host.create(deployments, deployment({ ...ref, replicas: 2 }));
      await federation.runningPods('host', namespace, 2);
      await federation.host.patch(deployments, ref, { spec: { replicas: 5 } }, merge);
      await federation.runningPods('host', namespace, 5);
      await federation.host.patch(deployments, ref, { spec: { replicas: 3 } }, merge);
      await federation.runningPods('host', namespace, 3);
      const containers = [{ name: 'main', image: 'registry.k8s.io/pause:3.9' }];
      await federation.host.patch(
        deployments,
        ref,
        { spec: { template: { spec: { containers } } } },
        { type: 'strategic' },
      );
      await eventually(async () => {
        const copies = await federation.memberPods(namespace);
        expect(copies.filter(({ pod }) => isReady(pod)).map(({ pod }) => pod.spec?.containers[0]?.image)).to.deep.equal(
          Array<string>(3).fill('registry.k8s.io/pause:3.9'),
        );
        expect(copies).to.have.length(3);
      });
      await federation.host.delete(deployments, ref, { propagationPolicy: 'Background' });
      await eventually(async () => {
        expect(await federation.pods('host', namespace)).to.deep.equal([]);
        expect(await federation.memberPods(namespace)).to.deep.equal([]);
      });
    });
  });

  describe('of a StatefulSet', () => {
    it('start in order, and one that is deleted comes back under its name as another pod', async () => {
      await federation.host.create(statefulSets, statefulSet({ namespace, name: 'db', replicas: 2 }));
      const before = await federation.runningPods('host', namespace, 2);
      const ref = { namespace, name: 'db-0' };
      const old = before.find((pod) => pod.metadata?.name === 'db-0');
      await federation.host.delete(pods, ref);
      const again = await eventually(async () => {
        const pod = await federation.runningPod('host', ref);
        expect(pod.metadata?.uid).to.not.equal(old?.metadata?.uid);
        return pod;
      });
      await eventually(async () => {
        const copies = (await federation.memberPods(namespace)).filter(({ pod }) => pod.metadata?.name === 'db-0');
        expect(copies.map(({ pod }) => hostUidOf(pod))).to.deep.equal([again.metadata?.uid]);
      });
    });
  });

  describe('of a Job', () => {
    const succeeded = {
      phase: 'Succeeded',
      containerStatuses: [
        {
          name: 'main',
          image: IMAGE,
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: 0, reason: 'Completed', finishedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    };

    async function theJobPod(name: string): Promise<PodRef> {
      return eventually(async () => {
        const [pod] = await federation.runningPods('member1', namespace, 1, `app=${name}`);
        return { namespace, name: pod?.metadata?.name ?? '' };
      });
    }

    const onMember1 = { nodeSelector: { 'kosmos.io/cluster': 'member1' } };

    it('complete once and are not run again when their copy is removed', async () => {
      const ref = { namespace, name: 'once' };
      await federation.host.create(jobs, job({ ...ref, spec: onMember1 }));
      const podRef = await theJobPod('once');
      await playKubelet(podRef, succeeded);
      await eventually(async () => {
        const { status } = await federation.host.get(jobs, ref);
        expect(status?.succeeded).to.equal(1);
        expect(status?.conditions?.find(({ type }) => type === 'Complete')?.status).to.equal('True');
      });
      await federation.client('member1').delete(pods, podRef, { gracePeriodSeconds: 0 });
      await always(async () => {
        expect(await federation.memberPods(namespace)).to.deep.equal([]);
        expect((await hostPod(podRef)).status?.phase).to.equal('Succeeded');
      }, 3_000);
      expect(await federation.pods('host', namespace)).to.have.length(1);
    });

    it('are tried again by the host when they fail, each try as a pod of its own', async () => {
      const ref = { namespace, name: 'retry' };
      await federation.host.create(jobs, job({ ...ref, spec: onMember1 }));
      const first = await theJobPod('retry');
      const terminated = { exitCode: 1, reason: 'Error', finishedAt: '2026-01-01T00:00:00Z' };
      const [status] = succeeded.containerStatuses;
      await playKubelet(first, { phase: 'Failed', containerStatuses: [{ ...status, state: { terminated } }] });
      const second = await eventually(
        async () => {
          const copies = await federation.pods('member1', namespace, 'app=retry');
          const next = copies.find((pod) => pod.metadata?.name !== first.name);
          if (next === undefined || !isReady(next)) throw new Error('no second try yet');
          return { namespace, name: next.metadata?.name ?? '' };
        },
        { timeoutMs: 60_000 },
      );
      expect((await hostPod(first)).status?.containerStatuses?.[0]?.state?.terminated?.exitCode).to.equal(1);
      await playKubelet(second, succeeded);
      await eventually(async () => expect((await federation.host.get(jobs, ref)).status?.succeeded).to.equal(1));
    });

    it('keep their restart policy and show restarts of their containers', async () => {
      await federation.host.create(
        jobs,
        job({ namespace, name: 'again', spec: { restartPolicy: 'OnFailure', ...onMember1 } }),
      );
      const ref = await theJobPod('again');
      expect((await federation.client('member1').get(pods, ref)).spec?.restartPolicy).to.equal('OnFailure');
      const restarted = {
        ...{ name: 'main', image: IMAGE, imageID: '', ready: true, restartCount: 2 },
        state: { running: { startedAt: '2026-01-01T00:00:05Z' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error', finishedAt: '2026-01-01T00:00:04Z' } },
      };
      await playKubelet(ref, { containerStatuses: [restarted] });
      await eventually(async () => {
        const [shown] = (await hostPod(ref)).status?.containerStatuses ?? [];
        expect(shown?.restartCount).to.equal(2);
        expect(shown?.lastState?.terminated?.exitCode).to.equal(3);
      });
    });
  });

  describe('that are deleted', () => {
    /** While KWOK sleeps, pods that are being deleted stay. */
    async function whileKubeletsSleep(work: () => Promise<void>): Promise<void> {
      const member = federation.lab.cluster('member1');
      await member.pauseComponent('kwok');
      try {
        await work();
      } finally {
        member.resumeComponent('kwok');
      }
    }

    const graceInMember = async (ref: PodRef): Promise<number | undefined> =>
      (await federation.client('member1').get(pods, ref)).metadata?.deletionGracePeriodSeconds;

    it('get the grace period of the request in the member, and stay in the host until it is over', async () => {
      const ref = await runningPod('slow', { spec: { terminationGracePeriodSeconds: 300 } });
      await whileKubeletsSleep(async () => {
        await federation.host.delete(pods, ref, { gracePeriodSeconds: 77 });
        await eventually(async () => expect(await graceInMember(ref)).to.equal(77));
        await always(async () => {
          expect((await hostPod(ref)).metadata?.deletionTimestamp).to.be.a('string');
        }, 1_500);
      });
      await federation.podGone('host', ref);
      await federation.podGone('member1', ref);
    });

    it('get their own grace period when the request names none', async () => {
      const ref = await runningPod('own', { spec: { terminationGracePeriodSeconds: 123 } });
      await whileKubeletsSleep(async () => {
        await federation.host.delete(pods, ref);
        await eventually(async () => expect(await graceInMember(ref)).to.equal(123));
      });
      await federation.podGone('host', ref);
    });

    it('end sooner when a second request shortens the time', async () => {
      const ref = await runningPod('sooner', { spec: { terminationGracePeriodSeconds: 300 } });
      await whileKubeletsSleep(async () => {
        await federation.host.delete(pods, ref, { gracePeriodSeconds: 100 });
        await eventually(async () => expect(await graceInMember(ref)).to.equal(100));
        await federation.host.delete(pods, ref, { gracePeriodSeconds: 9 });
        await eventually(async () => expect(await graceInMember(ref)).to.equal(9));
      });
      await federation.podGone('host', ref);
    });

    it('leave no copy behind when they are deleted by force', async () => {
      const ref = await runningPod('forced');
      await federation.host.delete(pods, ref, { gracePeriodSeconds: 0 });
      expect(await federation.pod('host', ref)).to.equal(undefined);
      await federation.podGone('member1', ref);
    });

    it('wait for a finalizer in the host, but not in the member', async () => {
      const ref = await runningPod('held');
      await federation.host.patch(pods, ref, { metadata: { finalizers: ['example.com/hold'] } }, { type: 'merge' });
      expect((await federation.client('member1').get(pods, ref)).metadata?.finalizers).to.equal(undefined);
      await federation.host.delete(pods, ref);
      await federation.podGone('member1', ref);
      await eventually(async () => expect((await hostPod(ref)).metadata?.deletionGracePeriodSeconds).to.be.a('number'));
      await federation.host.patch(pods, ref, { metadata: { finalizers: null } }, { type: 'merge' });
      await federation.podGone('host', ref);
    });

    it('go with their namespace', async () => {
      const ref = await runningPod('tenant');
      await federation.deleteNamespace(namespace);
      await federation.podGone('host', ref);
      await federation.podGone('member1', ref);
    });
  });

  describe('that are evicted', () => {
    const eviction = async (ref: PodRef): Promise<void> => {
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: ref.name, namespace } };
      await federation.lab.host.api.json('POST', `/api/v1/namespaces/${namespace}/pods/${ref.name}/eviction`, { body });
    };

    it('leave the member by the eviction API, as far as the budget allows', async () => {
      await federation.host.create(podDisruptionBudgets, {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { namespace, name: 'web' },
        spec: { minAvailable: 2 as never, selector: { matchLabels: { app: 'web' } } },
      });
      await federation.host.create(deployments, deployment({ namespace, name: 'web', replicas: 2 }));
      const [one] = await federation.runningPods('host', namespace, 2);
      const ref = { namespace, name: one?.metadata?.name ?? '' };
      const refused = await eviction(ref).then(
        () => undefined,
        (error: unknown) => (error as { status?: number }).status,
      );
      expect(refused).to.equal(429);
      await federation.host.patch(
        podDisruptionBudgets,
        { namespace, name: 'web' },
        { spec: { minAvailable: 1 } },
        { type: 'merge' },
      );
      await eventually(() => eviction(ref));
      await federation.podGone('host', ref);
      await eventually(async () => {
        const copies = (await federation.memberPods(namespace)).map(({ pod }) => pod.metadata?.name);
        expect(copies).to.have.length(2).and.not.include(ref.name);
      });
    });

    it('move to another member when their virtual node is drained', async () => {
      await federation.host.create(
        deployments,
        deployment({ namespace, name: 'web', replicas: 4, spec: { topologySpreadConstraints: SPREAD } }),
      );
      await federation.runningPods('host', namespace, 4);
      const patch = { spec: { template: { spec: { topologySpreadConstraints: null } } } };
      await federation.host.patch(deployments, { namespace, name: 'web' }, patch, { type: 'merge' });
      await eventually(async () => {
        const copies = await federation.memberPods(namespace);
        expect(
          copies.filter(({ pod }) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined),
        ).to.have.length(4);
        expect(copies).to.have.length(4);
      });
      const drain = ['drain', NODE_1, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s'];
      try {
        await federation.lab.host.kubectl([...drain, '--pod-selector=app=web'], { timeoutMs: 90_000 });
        await federation.runningPods('member2', namespace, 4);
        expect(await federation.pods('member1', namespace)).to.deep.equal([]);
      } finally {
        await federation.lab.host.kubectl(['uncordon', NODE_1]);
      }
    });
  });

  describe('whose copy is taken away in the member', () => {
    it('fail with DisruptionTarget, are replaced by their controller, and never run a second time', async () => {
      await federation.host.create(
        deployments,
        deployment({ namespace, name: 'web', spec: { nodeSelector: { 'kosmos.io/cluster': 'member1' } } }),
      );
      const [lost] = await federation.runningPods('host', namespace, 1);
      const ref = { namespace, name: lost?.metadata?.name ?? '' };
      await federation.client('member1').delete(pods, ref);
      await eventually(async () => {
        const pod = await hostPod(ref);
        expect(pod.status?.phase).to.equal('Failed');
        expect(pod.status?.reason).to.equal('MemberPodLost');
        expect(conditionOf(pod, 'DisruptionTarget')?.status).to.equal('True');
        expect(conditionOf(pod, 'Ready')?.status).to.equal('False');
      });
      await federation.event('MemberPodLost', ref);
      const replacement = await eventually(async () => {
        const [copy, ...more] = await federation.pods('member1', namespace);
        expect(more).to.deep.equal([]);
        expect(copy && isReady(copy)).to.equal(true);
        return copy;
      });
      expect(replacement?.metadata?.name).to.not.equal(ref.name);
      expect(hostUidOf(replacement!)).to.not.equal(lost?.metadata?.uid);
    });

    it('fail with the reason that an eviction by the member gives', async () => {
      const ref = await runningPod('evicted');
      const message = 'The node was low on resource: memory.';
      const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }];
      await playKubelet(ref, { phase: 'Failed', reason: 'Evicted', message, conditions });
      await eventually(async () => {
        const pod = await hostPod(ref);
        expect(pod.status?.phase).to.equal('Failed');
        expect(pod.status?.reason).to.equal('Evicted');
        expect(conditionOf(pod, 'DisruptionTarget')?.reason).to.equal('TerminationByKubelet');
      });
      await federation.client('member1').delete(pods, ref, { gracePeriodSeconds: 0 });
      await always(async () => {
        expect(await federation.pod('member1', ref)).to.equal(undefined);
        expect((await hostPod(ref)).status?.reason).to.equal('Evicted');
      }, 2_000);
    });

    it('are not taken for lost because their name now belongs to somebody else', async () => {
      const ref = await runningPod('stolen');
      const member = federation.client('member1');
      const uid = (await hostPod(ref)).metadata?.uid;
      await member.delete(pods, ref, { gracePeriodSeconds: 0 });
      const foreign = boundPod('member1-node1', ref);
      await eventually(async () => {
        await member.create(pods, foreign).catch((error: unknown) => {
          if (isNotFound(error)) throw error;
        });
        expect(hostUidOf(await member.get(pods, ref))).to.equal(undefined);
      });
      await eventually(async () => expect((await hostPod(ref)).status?.phase).to.equal('Failed'));
      await federation.host.delete(pods, ref, { preconditions: { uid }, gracePeriodSeconds: 0 });
      await always(async () => {
        const pod = await member.get(pods, ref);
        expect(pod.metadata?.deletionTimestamp).to.equal(undefined);
        expect(pod.metadata?.annotations?.[HOST_UID_ANNOTATION]).to.equal(undefined);
      }, 2_000);
      await member.delete(pods, ref, { gracePeriodSeconds: 0 });
    });
  });

  describe('and their status', () => {
    it('follows the readiness of the member, and keeps conditions of others', async () => {
      const ref = await runningPod('status');
      const foreign = { type: 'example.com/Checked', status: 'True', reason: 'Fine', message: 'by somebody' };
      await federation.host.patch(
        pods,
        ref,
        { status: { conditions: [foreign] } },
        { type: 'strategic', subresource: 'status' },
      );
      const unready = ['Ready', 'ContainersReady'].map((type) => ({
        type,
        status: 'False',
        reason: 'ContainersNotReady',
      }));
      await playKubelet(ref, { conditions: unready });
      await eventually(async () => expect(conditionOf(await hostPod(ref), 'Ready')?.status).to.equal('False'));
      const pod = await hostPod(ref);
      expect(conditionOf(pod, 'example.com/Checked')).to.include(foreign);
      expect(conditionOf(pod, 'PodScheduled')?.status).to.not.equal('False');
    });

    it('is Ready only when the readiness gates of the host say so', async () => {
      const ref = { namespace, name: 'gated' };
      const spec = { readinessGates: [{ conditionType: 'example.com/Attached' }] };
      await federation.host.create(pods, boundPod(NODE_1, { ...ref, spec }));
      await federation.runningPod('member1', ref);
      await eventually(async () => {
        const pod = await hostPod(ref);
        expect(pod.status?.phase).to.equal('Running');
        expect(conditionOf(pod, 'Ready')).to.include({ status: 'False', reason: 'ReadinessGatesNotReady' });
      });
      const attached = { type: 'example.com/Attached', status: 'True' };
      await federation.host.patch(
        pods,
        ref,
        { status: { conditions: [attached] } },
        { type: 'strategic', subresource: 'status' },
      );
      await federation.runningPod('host', ref);
      expect(conditionOf(await hostPod(ref), 'example.com/Attached')?.status).to.equal('True');
    });

    it('goes with the Events that the member has about the pod', async () => {
      const ref = await runningPod('events');
      const copy = await federation.client('member1').get(pods, ref);
      const now = `${new Date().toISOString().slice(0, 19)}Z`;
      await federation.client('member1').create(events, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace, name: 'events.1' },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', ...ref, uid: copy.metadata?.uid },
        ...{ type: 'Warning', reason: 'BackOff', message: 'restarting failed container', count: 1 },
        ...{ firstTimestamp: now, lastTimestamp: now, source: { component: 'kubelet', host: 'member1-node1' } },
      });
      const mirrored = await federation.event('BackOff', ref);
      expect(mirrored.involvedObject.uid).to.equal((await hostPod(ref)).metadata?.uid);
      expect(mirrored.source?.component).to.equal('kubelet');
      expect(mirrored.metadata.labels).to.deep.equal({ 'kosmos.io/cluster': 'member1' });
    });
  });
});
