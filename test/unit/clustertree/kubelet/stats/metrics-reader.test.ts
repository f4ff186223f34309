import { expect } from 'chai';
import type { Pod } from '../../../../../src/apis/core.js';
import type { Summary } from '../../../../../src/apis/stats.js';
import type { Member } from '../../../../../src/clustertree/cluster/member.js';
import { ownedSelector } from '../../../../../src/clustertree/cluster/ownership.js';
import { MetricsReader } from '../../../../../src/clustertree/kubelet/stats/metrics-reader.js';
import type { StatsKind, StatsRequest } from '../../../../../src/clustertree/kubelet/stats/stats-answer.js';
import type { ListOptions } from '../../../../../src/kube/client.js';
import { nodeMetrics, podMetrics } from '../../../../../src/kube/metrics-resources.js';
import { pods } from '../../../../../src/kube/resource.js';
import { TransportError } from '../../../../../src/kube/transport-error.js';
import type { FakeKubeClient, RecordedCall } from '../../../../support/fake-kube-client.js';
import { apiError, MemberHarness, OWNERSHIP } from '../../../../support/member-harness.js';
import { startedAt, statsPod, statsPods } from '../../../../support/stats.js';

const BEHIND = [{ name: 'n1', ready: true }];
const running = startedAt('2026-01-01T00:00:00Z', 'app');

const isMetrics = ({ type }: RecordedCall): boolean => type?.apiVersion === 'metrics.k8s.io/v1beta1';

describe('MetricsReader', () => {
  let harness: MemberHarness;
  let client: FakeKubeClient;
  let member: Member;
  let reader: MetricsReader;

  beforeEach(async () => {
    harness = new MemberHarness();
    client = harness.client;
    member = harness.member();
    reader = new MetricsReader({ member, clock: harness.clock });
    show('01:00', '1');
    client.seed<Pod>(pods, statsPod('web', 'n1', running).member);
    await harness.clock.advance(0);
  });

  afterEach(() => harness.end());

  /** What the member's metrics API says from now on. */
  function show(at: string, cpu: string): void {
    const more = { timestamp: `2026-01-01T00:${at}Z`, window: '10s' };
    const usage = { cpu, memory: '1Mi' };
    const { labels } = statsPod('web').member.metadata ?? {};
    if (client.peek(nodeMetrics, { name: 'n1' }) !== undefined) {
      client.erase(nodeMetrics, { name: 'n1' });
      client.erase(podMetrics, { namespace: 'shop', name: 'web' });
    }
    client.seed(nodeMetrics, { metadata: { name: 'n1' }, usage, ...more });
    client.seed(podMetrics, {
      ...{ metadata: { namespace: 'shop', name: 'web', labels }, containers: [{ name: 'app', usage }] },
      ...more,
    });
  }

  function request(more: Partial<StatsRequest> = {}): StatsRequest {
    return { nodeName: 'kosmos-member1', behind: BEHIND, pods: statsPods(statsPod('web', 'n1', running)), ...more };
  }

  const read = async (kind: StatsKind = 'resource'): Promise<string> => (await reader.read(kind, request())).body;
  const refused = (kind: StatsKind): Promise<unknown> => reader.read(kind, request()).catch((error: unknown) => error);
  const calls = (): readonly RecordedCall[] => client.calls.filter(isMetrics);

  function failing(error: Error, plural?: string): void {
    client.intercept = (call) => {
      if (isMetrics(call) && (plural ?? call.type?.plural) === call.type?.plural) throw error;
    };
  }

  it('shows counters that grow by the rates of the member', async () => {
    expect(await read()).to.match(/container_cpu_usage_seconds_total\{[^}]*\} 10 /);
    await harness.clock.advance(10_000);
    show('01:10', '500m');
    const text = await read();
    expect(text).to.match(/container_cpu_usage_seconds_total\{[^}]*\} 15 /);
    expect(text)
      .to.match(/node_cpu_usage_seconds_total 15 /)
      .and.contain('resource_scrape_error 0');
  });

  it('shows the same in a Summary', async () => {
    const summary = JSON.parse(await read('summary')) as Summary;
    expect(summary.node.cpu).to.include({ usageCoreNanoSeconds: 10e9, usageNanoCores: 1e9 });
    expect(summary.pods[0]?.podRef).to.deep.equal({ namespace: 'shop', name: 'web', uid: 'host-web' });
    expect(JSON.parse(await read('cpuAndMemory'))).to.deep.equal(summary);
  });

  it('costs the member two lists, however many ask at once and soon after each other, for whichever virtual node', async () => {
    await Promise.all([read(), read(), reader.read('summary', request({ nodeName: 'other' }))]);
    await harness.clock.advance(4_900);
    await read();
    expect(calls()).to.have.length(2);
    await harness.clock.advance(200);
    await read();
    expect(calls()).to.have.length(4);
  });

  it('asks only for pods that are ours', async () => {
    await read();
    const list = calls().find(({ type }) => type?.kind === 'PodMetrics');
    expect((list?.options as ListOptions).labelSelector).to.equal(ownedSelector(OWNERSHIP));
  });

  it('shows a virtual node only its own pods', async () => {
    const other = await reader.read('resource', request({ nodeName: 'other', pods: statsPods() }));
    expect(other.body).not.to.contain('web');
  });

  it('says how many nodes and pods have no figures', async () => {
    const behind = [...BEHIND, { name: 'n2', ready: true }];
    const pods2 = statsPods(statsPod('web', 'n1', running), statsPod('new', 'n1', running));
    const { body, missing } = await reader.read('resource', request({ behind, pods: pods2 }));
    expect(missing).to.deep.equal({ nodes: 1, pods: 1 });
    expect(body).to.contain('resource_scrape_error 1');
  });

  it('shows the pods when the nodes may not be read, and the other way round', async () => {
    failing(apiError(403, 'Forbidden'), 'nodes');
    expect(await read())
      .to.contain('pod_cpu_usage_seconds_total')
      .and.not.contain('node_cpu');
    failing(apiError(403, 'Forbidden'), 'pods');
    await harness.clock.advance(6_000);
    expect(await read())
      .to.contain('node_cpu_usage_seconds_total')
      .and.not.contain('pod_cpu');
  });

  const failures: readonly (readonly [string, Error, RegExp])[] = [
    ['does not serve metrics', apiError(404, 'NotFound'), /^the member does not serve metrics.k8s.io$/],
    ['refuses them', apiError(403, 'Forbidden'), /does not allow to list nodes .*; .* list pods/],
    ['does not answer', new TransportError('API_TIMEOUT', 'no answer', { mayHaveArrived: true }), /no answer/],
  ];
  for (const [what, error, message] of failures) {
    it(`answers that something failed when the member ${what}`, async () => {
      failing(error);
      expect((await read()).trim().split('\n').at(-1)).to.equal('resource_scrape_error 1');
      const refusal = await refused('summary');
      expect(refusal).to.have.property('statusCode', 503);
      expect((refusal as Error).message).to.match(message);
    });
  }

  it('goes on counting after a failure', async () => {
    await read();
    failing(apiError(503, 'ServiceUnavailable'));
    await harness.clock.advance(6_000);
    expect(await read()).not.to.contain('container_cpu');
    client.intercept = undefined;
    await harness.clock.advance(6_000);
    show('01:20', '1');
    expect(await read()).to.match(/container_cpu_usage_seconds_total\{[^}]*\} 30 /);
  });

  for (const kind of ['cadvisor', 'probes'] as const) {
    it(`has no /metrics/${kind}, and says what that needs`, async () => {
      const refusal = await refused(kind);
      expect(refusal).to.have.property('statusCode', 404);
      expect((refusal as Error).message).to.contain('statsSource');
    });
  }
});
