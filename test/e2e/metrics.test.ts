import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { METRICS_SERVER_ARGS, startMetricsServer } from '../../hack/lab/metrics-server.js';
import type { Pod } from '../../src/apis/core.js';
import type { Summary } from '../../src/apis/stats.js';
import { parseExposition, type SampleLabels } from '../../src/clustertree/kubelet/stats/exposition.js';
import { containerReadings } from '../../src/clustertree/kubelet/stats/metric-readings.js';
import { podMetrics } from '../../src/kube/metrics-resources.js';
import { eventually } from '../support/eventually.js';
import { Federation } from '../support/federation.js';
import { deployments, horizontalPodAutoscalers } from '../support/resources.js';
import { parseTop, type TopLine } from '../support/top.js';
import { deployment } from '../support/workloads.js';

const NAMESPACE = 'metrics';
const APP = 'busy';
/** member1 lets its kubelets be read, member2 refuses that and has a metrics-server. */
const EXACT = 'kosmos-member1';
const APPROXIMATE = 'kosmos-member2';
/** Millicores that a container asks for, and may use; how much it gets depends on what else runs on the machine. */
const REQUEST = 10;
const LIMIT = 100;
const CONTROLLER_ARGS = [
  '--horizontal-pod-autoscaler-sync-period=5s',
  '--horizontal-pod-autoscaler-cpu-initialization-period=10s',
  '--horizontal-pod-autoscaler-initial-readiness-delay=5s',
];
const FIGURES_LIMIT = { timeoutMs: 90_000, intervalMs: 1_000 };

describe('CPU and memory figures of virtual nodes', () => {
  let federation: Federation;

  before(async function () {
    this.timeout(400_000);
    federation = await Federation.start({
      ...{ instance: 'e2e-metrics', members: 2, full: true, join: false },
      extraArgs: { ...METRICS_SERVER_ARGS, 'kube-controller-manager': CONTROLLER_ARGS },
    });
    const { lab } = federation;
    await startMetricsServer(lab, lab.cluster('member2'));
    const asked = { clusterTreeOptions: { statsSource: 'Kubelets' } };
    await federation.join('member1', asked);
    await federation.join('member2', { ...asked, kubeconfig: await withoutNodesProxy() });
    await federation.waitForMembers();
    await startMetricsServer(lab, lab.host);
    await federation.namespace(NAMESPACE);
    await federation.host.create(deployments, busy(2));
    await federation.runningPods('host', NAMESPACE, 2);
  });

  after(async () => {
    await federation.down();
  });

  /** A kubeconfig of member2 whose user may do all but what `nodes/proxy` allows. */
  async function withoutNodesProxy(): Promise<string> {
    const member = federation.lab.cluster('member2');
    const all = { resources: ['*'], verbs: ['*'] };
    const groups = [
      'apps',
      'coordination.k8s.io',
      'metrics.k8s.io',
      'node.k8s.io',
      'scheduling.k8s.io',
      'storage.k8s.io',
    ];
    const ofPods = ['pods', 'pods/status', 'events', 'configmaps', 'secrets', 'serviceaccounts'];
    const core = ['namespaces', 'nodes', ...ofPods, 'persistentvolumes', 'persistentvolumeclaims'];
    const role = {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'without-nodes-proxy' } },
      rules: [
        { apiGroups: groups, ...all },
        { apiGroups: [''], resources: core, verbs: ['*'] },
        { nonResourceURLs: ['*'], verbs: ['get'] },
      ],
    };
    await member.kubectl(['apply', '-f', '-'], { input: JSON.stringify(role) });
    return readFile(await member.addUser({ name: 'kosmos', clusterRole: 'without-nodes-proxy' }), 'utf8');
  }

  /** Uses all the CPU that it may; one pod in each member, as long as that is possible. */
  function busy(replicas: number): ReturnType<typeof deployment> {
    const resources = { requests: { cpu: `${REQUEST}m`, memory: '16Mi' }, limits: { cpu: `${LIMIT}m` } };
    const command = ['sh', '-c', 'while :; do :; done'];
    const spread = {
      ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
      labelSelector: { matchLabels: { app: APP } },
      // Real nodes of the host would count as empty domains.
      nodeAffinityPolicy: 'Honor',
    };
    const spec = {
      containers: [{ name: 'main', image: LAB_IMAGES.busybox, command, resources }],
      topologySpreadConstraints: [spread],
      terminationGracePeriodSeconds: 0,
    };
    return deployment({ namespace: NAMESPACE, name: APP, replicas, spec });
  }

  const raw = async (node: string, path: string): Promise<string> =>
    (await federation.lab.host.kubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy${path}`])).stdout;
  const summaryOf = async (node: string): Promise<Summary> => JSON.parse(await raw(node, '/stats/summary')) as Summary;

  async function top(...args: readonly string[]): Promise<readonly TopLine[]> {
    const { stdout } = await federation.lab.host.kubectl(['top', ...args, '--no-headers']);
    return parseTop(stdout);
  }

  async function podOn(node: string): Promise<Pod> {
    const pod = (await federation.pods('host', NAMESPACE)).find(({ spec }) => spec?.nodeName === node);
    if (pod === undefined) throw new Error(`no pod is on ${node}`);
    return pod;
  }

  it('reach kubectl top node for every virtual node', async () => {
    const lines = await eventually(async () => {
      const found = await top('node');
      expect(found.map(({ name }) => name)).to.include.members([EXACT, APPROXIMATE]);
      return found;
    }, FIGURES_LIMIT);
    for (const { name, millicores, mebibytes } of lines) {
      expect(millicores, name).to.be.greaterThan(0);
      expect(mebibytes, name).to.be.greaterThan(10);
    }
  });

  it('reach kubectl top pod, from either source', async () => {
    await eventually(async () => {
      const lines = await top('pod', '-n', NAMESPACE, '--containers');
      for (const node of [EXACT, APPROXIMATE]) {
        const { metadata } = await podOn(node);
        const millicores = lines.find(({ name }) => name === metadata?.name)?.millicores;
        expect(millicores, `${node}: ${JSON.stringify(lines)}`).to.be.within(REQUEST, LIMIT * 1.5);
      }
    }, FIGURES_LIMIT);
  });

  it('lie between what the kubelet says before and after, where kubelets are read', async () => {
    const { metadata } = await podOn(EXACT);
    const counterOf = (text: string): readonly [timeMs: number, seconds: number] => {
      const families = parseExposition(text, ({ pod }, written) => (pod === metadata?.name ? written : undefined));
      const [sample] = families.find(({ name }) => name === 'container_cpu_usage_seconds_total')?.samples ?? [];
      if (sample?.timestampMs === undefined) throw new Error(`no counter of ${metadata?.name ?? ''} in ${text}`);
      return [sample.timestampMs, Number(sample.value)];
    };
    const ofKubelet = async (): Promise<readonly [number, number]> => {
      const path = '/api/v1/nodes/member1-node1/proxy/metrics/resource';
      return counterOf((await federation.lab.cluster('member1').kubectl(['get', '--raw', path])).stdout);
    };
    const [earlier, less] = await ofKubelet();
    const [time, seconds] = await eventually(async () => {
      const counter = counterOf(await raw(EXACT, '/metrics/resource'));
      expect(counter[0]).to.be.at.least(earlier);
      return counter;
    }, FIGURES_LIMIT);
    const [later, more] = await ofKubelet();
    expect(time).to.be.within(earlier, later);
    expect(seconds).to.be.within(less, more);
  });

  it('have the rates of the metrics API where that is read', async () => {
    const { metadata } = await podOn(APPROXIMATE);
    const ref = { namespace: NAMESPACE, name: metadata?.name ?? '' };
    await eventually(async () => {
      const [container] = containerReadings(await federation.client('member2').get(podMetrics, ref)).values();
      const found = (await summaryOf(APPROXIMATE)).pods.find(({ podRef }) => podRef.uid === metadata?.uid);
      expect(found?.cpu?.['usageNanoCores']).to.equal((container?.cores ?? 0) * 1e9);
    }, FIGURES_LIMIT);
  });

  for (const node of [EXACT, APPROXIMATE]) {
    it(`are those of own pods only, under the host's UIDs, in the Summary of ${node}`, async () => {
      const { metadata } = await podOn(node);
      const { node: stats, pods } = await summaryOf(node);
      expect(stats.nodeName).to.equal(node);
      expect(pods.map(({ podRef }) => podRef)).to.deep.equal([
        { namespace: NAMESPACE, name: metadata?.name, uid: metadata?.uid },
      ]);
      expect(stats.cpu?.['usageCoreNanoSeconds']).to.be.greaterThan(0);
      expect(stats.memory?.['workingSetBytes']).to.be.greaterThan(10_000_000);
    });
  }

  it('come from the metrics API, with a warning, where the member refuses its kubelets', async () => {
    const log = await readFile(federation.manager.logFile, 'utf8');
    const warnings = log.split('\n').filter((line) => line.includes('does not allow to read its kubelets'));
    expect(warnings.map((line) => (JSON.parse(line) as { readonly cluster: string }).cluster)).to.deep.equal([
      'member2',
    ]);
  });

  it('include file systems where kubelets are read', async () => {
    const { node, pods } = await summaryOf(EXACT);
    expect(node.fs?.['capacityBytes']).to.be.greaterThan(0);
    expect(pods[0]).to.have.nested.property('ephemeral-storage.usedBytes');
  });

  it('are served as cAdvisor and probes have them where kubelets are read, and nowhere else', async () => {
    const { metadata } = await podOn(EXACT);
    const seen: SampleLabels[] = [];
    const families = parseExposition(await raw(EXACT, '/metrics/cadvisor'), (labels, written) => {
      seen.push(labels);
      return written;
    });
    expect(families.map(({ name }) => name)).to.include('container_cpu_usage_seconds_total');
    expect(new Set(seen.map(({ pod }) => pod))).to.deep.equal(new Set([metadata?.name]));
    expect(seen.some(({ id }) => id?.includes(metadata?.uid ?? 'none') === true)).to.equal(true);
    expect(await raw(EXACT, '/metrics/probes')).to.equal('');
    const refusal = await federation.lab.host.kubectl(
      ['get', '--raw', `/api/v1/nodes/${APPROXIMATE}/proxy/metrics/cadvisor`],
      { allowFailure: true },
    );
    expect(refusal.stderr).to.contain('NotFound');
  });

  it('cost the member one request, however many ask', async () => {
    const count = async (): Promise<number> => {
      const proxied = parseExposition(await federation.lab.cluster('member1').metrics(), (labels, written) =>
        labels['resource'] === 'nodes' && labels['subresource'] === 'proxy' ? written : undefined,
      ).find(({ name }) => name === 'apiserver_request_total');
      return (proxied?.samples ?? []).reduce((sum, { value }) => sum + Number(value), 0);
    };
    const before = await count();
    // Nobody else asks for this.
    await Promise.all(Array.from({ length: 20 }, () => raw(EXACT, '/stats/summary?only_cpu_and_memory=true')));
    // metrics-server may have asked for something else meanwhile.
    expect((await count()) - before).to.be.within(1, 3);
  });

  it('let a HorizontalPodAutoscaler scale a Deployment over both members', async () => {
    await federation.host.create(horizontalPodAutoscalers, {
      ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
      metadata: { namespace: NAMESPACE, name: APP },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: APP },
        ...{ minReplicas: 2, maxReplicas: 4 },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 100 } } },
        ],
      },
    });
    await eventually(async () => {
      const { status } = await federation.host.get(horizontalPodAutoscalers, { namespace: NAMESPACE, name: APP });
      expect(status?.desiredReplicas, JSON.stringify(status)).to.equal(4);
    }, FIGURES_LIMIT);
    const pods = await federation.runningPods('host', NAMESPACE, 4);
    const nodes = pods.map(({ spec }) => spec?.nodeName).sort();
    expect(nodes).to.deep.equal([EXACT, EXACT, APPROXIMATE, APPROXIMATE]);
  });

  it('say that they are missing when a member is gone, and are still there for the others', async () => {
    await federation.lab.cluster('member1').stopApiServer();
    await eventually(async () => {
      expect(await raw(EXACT, '/metrics/resource')).to.contain('resource_scrape_error 1');
    }, FIGURES_LIMIT);
    await eventually(async () => {
      const names = (await top('node')).map(({ name }) => name);
      expect(names).to.include(APPROXIMATE).and.not.include(EXACT);
    }, FIGURES_LIMIT);
  });
});
