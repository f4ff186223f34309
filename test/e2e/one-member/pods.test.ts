import { expect } from 'chai';
import { LAB_IMAGES } from '../../../hack/lab/full/images.js';
import type { Container, Pod, PodSpec } from '../../../src/apis/core.js';
import { pods } from '../../../src/kube/resource.js';
import { eventually } from '../../support/eventually.js';
import type { Federation } from '../../support/federation.js';
import { deployments, jobs } from '../../support/resources.js';
import { ONE_MEMBER, sharedFederation } from '../../support/shared-lab.js';
import { deployment, job, virtualPod } from '../../support/workloads.js';

const NAMESPACE = 'pods';

function shell(script: string, more: Partial<Container> = {}): Container {
  return { name: 'main', image: LAB_IMAGES.busybox, command: ['sh', '-c', script], ...more };
}

function shellPod(name: string, script: string, spec: Partial<PodSpec> = {}): Pod {
  return virtualPod({ namespace: NAMESPACE, name, spec: { containers: [shell(script)], ...spec } });
}

describe('pods of the host in real containers of a member', () => {
  let federation: Federation;

  before(async function () {
    this.timeout(300_000);
    federation = await sharedFederation(ONE_MEMBER);
    await federation.namespace(NAMESPACE);
  });

  /** Makes a pod in the host and waits until it has ended there. */
  async function outcome(pod: Pod): Promise<Pod> {
    await federation.host.create(pods, pod);
    const ref = { namespace: NAMESPACE, name: pod.metadata?.name ?? '' };
    return eventually(async () => {
      const found = await federation.host.get(pods, ref);
      if (!['Succeeded', 'Failed'].includes(found.status?.phase ?? '')) {
        throw new Error(`${ref.name} has not ended: ${JSON.stringify(found.status)}`);
      }
      return found;
    });
  }

  it('are Running and Ready with the addresses that they have there', async () => {
    const spec = { containers: [{ name: 'web', image: LAB_IMAGES.http, ports: [{ containerPort: 8080 }] }] };
    await federation.host.create(deployments, deployment({ namespace: NAMESPACE, name: 'web', replicas: 2, spec }));
    const inHost = await federation.runningPods('host', NAMESPACE, 2, 'app=web');
    const inMember = await federation.runningPods('member1', NAMESPACE, 2, 'app=web');
    const addresses = (list: readonly Pod[]): unknown =>
      list.map(({ status }) => [status?.podIP, status?.hostIP]).sort();
    expect(addresses(inHost)).to.deep.equal(addresses(inMember));
    await federation.host.delete(deployments, { namespace: NAMESPACE, name: 'web' });
    for (const cluster of ['host', 'member1']) await federation.runningPods(cluster, NAMESPACE, 0, 'app=web');
  });

  it('end with the exit code of their program', async () => {
    const good = await outcome(shellPod('good', 'exit 0', { restartPolicy: 'Never' }));
    const bad = await outcome(shellPod('bad', 'exit 7', { restartPolicy: 'Never' }));
    expect(good.status?.phase).to.equal('Succeeded');
    expect(bad.status?.phase).to.equal('Failed');
    expect(bad.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).to.equal(7);
  });

  it('let a Job complete, once', async () => {
    const spec = { containers: [shell('true')] };
    await federation.host.create(jobs, job({ namespace: NAMESPACE, name: 'batch', replicas: 2, spec }));
    await eventually(async () => {
      const found = await federation.host.get(jobs, { namespace: NAMESPACE, name: 'batch' });
      expect(found.status?.succeeded).to.equal(2);
    });
    expect(await federation.pods('member1', NAMESPACE, 'app=batch')).to.have.length(2);
  });

  it('show how often their containers were restarted, and why', async () => {
    await federation.host.create(pods, shellPod('restless', 'sleep 1; exit 3', { restartPolicy: 'Always' }));
    await eventually(async () => {
      const pod = await federation.host.get(pods, { namespace: NAMESPACE, name: 'restless' });
      const [status] = pod.status?.containerStatuses ?? [];
      expect(status?.restartCount).to.be.greaterThan(0);
      expect(status?.lastState?.terminated?.exitCode).to.equal(3);
    });
    await federation.host.delete(pods, { namespace: NAMESPACE, name: 'restless' }, { gracePeriodSeconds: 0 });
  });

  it("see the UID of the host pod and the address of the host's API server", async () => {
    const field = (name: string, fieldPath: string): { name: string; valueFrom: object } => ({
      name,
      valueFrom: { fieldRef: { fieldPath } },
    });
    const script = 'echo "$NAME $UID_OF_POD $KUBERNETES_SERVICE_HOST" > /dev/termination-log';
    const env = [field('NAME', 'metadata.name'), field('UID_OF_POD', 'metadata.uid')];
    const containers = [shell(script, { env })];
    const pod = await outcome(
      virtualPod({ namespace: NAMESPACE, name: 'identity', spec: { containers, restartPolicy: 'Never' } }),
    );
    const message = pod.status?.containerStatuses?.[0]?.state?.terminated?.message;
    const { apiServiceAddress } = federation.lab.host.ranges;
    expect(message?.trim()).to.equal(`identity ${pod.metadata?.uid ?? ''} ${apiServiceAddress}`);
  });

  it('get the grace period of the request, and then end', async () => {
    const script = 'trap "" TERM; while true; do sleep 1; done';
    await federation.host.create(pods, shellPod('stubborn', script, { terminationGracePeriodSeconds: 300 }));
    const ref = { namespace: NAMESPACE, name: 'stubborn' };
    await federation.runningPod('host', ref);
    const start = performance.now();
    await federation.host.delete(pods, ref, { gracePeriodSeconds: 2 });
    await federation.podGone('host', ref);
    await federation.podGone('member1', ref);
    expect((performance.now() - start) / 1000).to.be.within(2, 40);
  });

  it('become Ready when their readiness probe says so, and not before', async () => {
    const script = 'sleep 4; touch /tmp/ready; sleep 3600';
    const readinessProbe = { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1 };
    const containers = [shell(script, { readinessProbe })];
    await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'probed', spec: { containers } }));
    const ref = { namespace: NAMESPACE, name: 'probed' };
    const running = await eventually(async () => {
      const pod = await federation.host.get(pods, ref);
      expect(pod.status?.phase).to.equal('Running');
      return pod;
    });
    expect(running.status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('False');
    await federation.runningPod('host', ref);
    await federation.host.delete(pods, ref, { gracePeriodSeconds: 0 });
  });

  it('run a debug container that is added later', async () => {
    const ref = { namespace: NAMESPACE, name: 'debugged' };
    await federation.host.create(pods, shellPod('debugged', 'sleep 3600'));
    const pod = await federation.runningPod('host', ref);
    const ephemeral = { name: 'debugger', image: LAB_IMAGES.busybox, command: ['sh', '-c', 'exit 5'] };
    const patch = { metadata: { uid: pod.metadata?.uid }, spec: { ephemeralContainers: [ephemeral] } };
    await federation.host.patch(pods, ref, patch, { type: 'strategic', subresource: 'ephemeralcontainers' });
    await eventually(async () => {
      const { status } = await federation.host.get(pods, ref);
      expect(status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode).to.equal(5);
    });
    await federation.host.delete(pods, ref, { gracePeriodSeconds: 0 });
  });

  it('show the Events of their kubelet', async () => {
    const image = 'registry.k8s.io/no-such-image:1';
    const ref = { namespace: NAMESPACE, name: 'imageless' };
    const spec = { containers: [{ name: 'main', image, imagePullPolicy: 'Never' }] };
    await federation.host.create(pods, virtualPod({ ...ref, spec }));
    const refused = await federation.event('ErrImageNeverPull', ref);
    expect(refused.message).to.include(image);
    expect(refused.source?.host).to.match(/^member1-/);
    await federation.host.delete(pods, ref, { gracePeriodSeconds: 0 });
  });
});
