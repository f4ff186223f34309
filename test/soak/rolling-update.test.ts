import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { buildImage } from '../../hack/image/build.js';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { Lab } from '../../hack/lab/lab.js';
import type { Pod } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { createKubeClient } from '../../src/kube/http-client.js';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import { pods } from '../../src/kube/resource.js';
import { createTransport } from '../../src/kube/transport.js';
import { eventually } from '../support/eventually.js';
import { isReady } from '../support/federation.js';
import { Kosmosctl } from '../support/kosmosctl.js';
import { Kubectl } from '../support/kubectl.js';
import { PodFlow, type FlowResult } from '../support/pod-flow.js';
import { sessionsThroughAll } from '../support/replica-sessions.js';
import { rollManagers, type RollingUpdate } from '../support/rolling-update.js';
import { SessionProbe, type ProbeResult } from '../support/session-probe.js';
import { boundPod } from '../support/workloads.js';

const NAMESPACE = 'shop';
const STEADY = ['steady-0', 'steady-1', 'steady-2'];
/** How long others wait for a leader that has died; one that ends in order is faster. */
const LEASE_MS = 15_000;

describe('managers in pods, replaced by an update while pods come and go', function () {
  this.timeout(600_000);
  let lab: Lab;
  let clients: KubeClient[];
  let untouched: Pod[];
  let rolled: RollingUpdate;
  let sessions: ProbeResult;
  let flowed: FlowResult;

  before(async () => {
    await Lab.down('soak-roll');
    const image = await buildImage();
    lab = await Lab.up({ instance: 'soak-roll', members: 2, full: true });
    await lab.host.importImages(image.archive);
    const ctl = new Kosmosctl(lab.host);
    // Networks that are linked would need agents in the members; sessions and pods don't.
    await ctl.output(['install', '--module', 'clustertree']);
    for (const { name, kubeconfigPath } of lab.members) {
      await ctl.output(['join', 'cluster', '--name', name, '--kubeconfig', kubeconfigPath, '--yes']);
    }
    clients = lab.clusters.map(({ kubeconfigPath }) => {
      const access = parseKubeconfig(readFileSync(kubeconfigPath, 'utf8'), { allowFiles: true });
      return createKubeClient(createTransport({ access, qps: 1_000, burst: 1_000 }));
    });
    await lab.host.ensureNamespace(NAMESPACE);
    await update();
  });

  after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await lab.down();
  });

  async function update(): Promise<void> {
    const [host, ...members] = clients as [KubeClient, ...KubeClient[]];
    const nodes = lab.members.map(({ name }) => `kosmos-${name}`);
    const command = ['sh', '-c', 'while true; do date; sleep 1; done'];
    for (const [index, name] of STEADY.entries()) {
      const spec = { containers: [{ name: 'main', image: LAB_IMAGES.busybox, command }] };
      await host.create(pods, boundPod(nodes[index % nodes.length] ?? '', { namespace: NAMESPACE, name, spec }));
    }
    untouched = await eventually(() => steadyPods(clients), { timeoutMs: 90_000 });
    const kubectl = new Kubectl(lab.host, NAMESPACE);
    // Managers count sessions, so nobody else may begin any until these are there.
    const open = await sessionsThroughAll(lab.host, kubectl, STEADY[0] ?? '');
    const flow = await PodFlow.start({
      ...{ host, members, nodes, namespace: NAMESPACE, image: LAB_IMAGES.pause },
      // What kubelets and containers cost leaves the managers room on a machine of two cores.
      ...{ perSecond: 0.3, lifeMs: 4_000 },
    });
    const probe = new SessionProbe(host, NAMESPACE, STEADY[0] ?? '');
    try {
      rolled = await rollManagers(lab, host, kubectl, open);
    } finally {
      sessions = await probe.stop();
      flowed = await flow.stop();
      kubectl.close();
    }
    const lines = [
      `all managers replaced in ${rolled.seconds.toFixed(1)} s; nobody had the lease for ${rolled.withoutLeaderMs.join(' and ')} ms`,
      `${flowed.copied.samples} pods: copied in ${flowed.copied.p50Ms} ms (median), ${flowed.copied.maxMs} ms at most`,
      `ready shown in ${flowed.shown.p50Ms} ms, ${flowed.shown.maxMs} ms at most`,
      `${sessions.attempts} new sessions, ${sessions.failures.length} failed, at most ${sessions.longestGapMs} ms without one`,
    ];
    process.stdout.write(lines.map((line) => `        ${line}\n`).join(''));
  }

  /** The pods that nobody touches, on both sides; all of them ready. */
  async function steadyPods(all: readonly KubeClient[]): Promise<Pod[]> {
    const lists = await Promise.all(all.map((client) => client.list(pods, { namespace: NAMESPACE })));
    const found = lists.flatMap(({ items }) => items).filter(({ metadata }) => STEADY.includes(metadata?.name ?? ''));
    expect(found.filter(isReady)).to.have.length(2 * STEADY.length);
    return found.sort((a, b) => (a.metadata?.uid ?? '').localeCompare(b.metadata?.uid ?? ''));
  }

  it('restarts no pod, and replaces none', async () => {
    const identity = (found: readonly Pod[]): unknown =>
      found.map(({ metadata, status }) => [
        ...[metadata?.namespace, metadata?.name, metadata?.uid, status?.startTime],
        ...(status?.containerStatuses ?? []).map(({ containerID, restartCount }) => [containerID, restartCount]),
      ]);
    expect(identity(await steadyPods(clients))).to.deep.equal(identity(untouched));
  });

  it('loses no status: every pod that came was ready in the host, and went', () => {
    // PodFlow.stop throws otherwise.
    expect(flowed.copied.samples).to.be.greaterThan(5);
    expect(flowed.shown.maxMs).to.be.lessThan(LEASE_MS);
  });

  it('hands the leadership over, so that nothing waits for the end of the lease', () => {
    expect(rolled.withoutLeaderMs.length).to.be.within(1, 2);
    for (const gapMs of rolled.withoutLeaderMs) expect(gapMs).to.be.lessThan(6_000);
    expect(flowed.copied.maxMs).to.be.lessThan(LEASE_MS);
  });

  it('leaves sessions alone that go through the manager that stays', () => {
    expect(rolled.survived.map(({ kind }) => kind)).to.include.members(['exec', 'logs']);
  });

  it('serves new sessions all the while, within two seconds', () => {
    expect(sessions.longestGapMs, sessions.failures.join('\n')).to.be.lessThan(2_000);
  });
});
