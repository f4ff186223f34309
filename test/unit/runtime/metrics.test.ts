import { expect } from 'chai';
import { silentLogger } from '../../../src/lib/logger.js';
import { Controller } from '../../../src/runtime/controller.js';
import { METRICS, renderMetricsTable, type MetricSpec } from '../../../src/runtime/metric-table.js';
import { Metrics } from '../../../src/runtime/metrics.js';
import { FakeClock } from '../../support/fake-clock.js';

/** Value of one series in the text format. */
async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const lines = (await metrics.render()).split('\n');
  const line = lines.find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('Metrics', () => {
  it('measures a controller', async () => {
    const metrics = new Metrics();
    const clock = new FakeClock();
    const abort = new AbortController();
    let calls = 0;
    const controller = new Controller({
      name: 'pod',
      clock,
      logger: silentLogger,
      observer: metrics.controllerObserver('pod', 'member1'),
      reconciler: {
        reconcile: async () => {
          await clock.sleep(20);
          if (calls++ === 0) throw new Error('once');
          return {};
        },
      },
    });
    const labels = 'controller="pod",cluster="member1"';
    controller.enqueue('a');
    controller.enqueue('b');
    expect(await valueOf(metrics, `kosmos_workqueue_depth{${labels}}`)).to.equal(2);
    const running = controller.run(abort.signal);
    await clock.advance(1000);
    abort.abort();
    await running;
    for (const [series, value] of [
      [`kosmos_workqueue_depth{${labels}}`, 0],
      [`kosmos_workqueue_adds_total{${labels}}`, 3],
      [`kosmos_workqueue_retries_total{${labels}}`, 1],
      [`kosmos_workqueue_wait_seconds_count{${labels}}`, 3],
      [`kosmos_reconcile_total{${labels},outcome="error"}`, 1],
      [`kosmos_reconcile_total{${labels},outcome="success"}`, 2],
      [`kosmos_reconcile_duration_seconds_sum{${labels}}`, 0.06],
    ] as const) {
      expect(await valueOf(metrics, series), series).to.be.closeTo(value, 1e-9);
    }
  });

  it('counts requests, watch restarts, dropped events and says who leads', async () => {
    const metrics = new Metrics();
    metrics.apiRequest({ cluster: 'host', verb: 'get', resource: 'pods', code: '200', seconds: 0.012 });
    metrics.apiRequest({ cluster: 'host', verb: 'get', resource: 'pods', code: 'API_TIMEOUT', seconds: 0.012 });
    metrics.reflectorObserver('host').watchEnded?.('pods', 'clean');
    metrics.eventDropped('overflow');
    expect(await valueOf(metrics, 'kosmos_leader')).to.equal(0);
    metrics.leader(true);
    for (const [series, value] of [
      ['kosmos_api_requests_total{cluster="host",verb="get",resource="pods",code="200"}', 1],
      ['kosmos_api_requests_total{cluster="host",verb="get",resource="pods",code="API_TIMEOUT"}', 1],
      ['kosmos_api_request_duration_seconds_bucket{le="0.025",cluster="host",verb="get"}', 2],
      ['kosmos_watch_restarts_total{cluster="host",resource="pods",reason="clean"}', 1],
      ['kosmos_events_dropped_total{reason="overflow"}', 1],
      ['kosmos_leader', 1],
    ] as const) {
      expect(await valueOf(metrics, series), series).to.equal(value);
    }
    metrics.leader(false);
    expect(await valueOf(metrics, 'kosmos_leader')).to.equal(0);
  });

  it('says where figures come from and how many are missing', async () => {
    const metrics = new Metrics();
    const observer = metrics.statsObserver();
    observer.source('member1', 'Kubelets');
    observer.source('member1', 'MetricsAPI');
    observer.missing('member1', 'kosmos-member1', { nodes: 1, pods: 3 });
    for (const [series, value] of [
      ['kosmos_stats_source{cluster="member1",source="Kubelets"}', 0],
      ['kosmos_stats_source{cluster="member1",source="MetricsAPI"}', 1],
      ['kosmos_stats_missing{cluster="member1",node="kosmos-member1",kind="nodes"}', 1],
      ['kosmos_stats_missing{cluster="member1",node="kosmos-member1",kind="pods"}', 3],
    ] as const) {
      expect(await valueOf(metrics, series), series).to.equal(value);
    }
  });

  it('forgets all series of a cluster and keeps those of others', async () => {
    const metrics = new Metrics();
    for (const cluster of ['member1', 'member2']) {
      const observer = metrics.controllerObserver('pod', cluster);
      observer.queue?.queued(1);
      observer.queue?.taken(0, 5);
      observer.reconciled('success', 5);
      metrics.apiRequest({ cluster, verb: 'get', resource: 'pods', code: '200', seconds: 0.001 });
      metrics.reflectorObserver(cluster).watchEnded?.('pods', 'clean');
      metrics.statsObserver().missing(cluster, 'node', { nodes: 0, pods: 1 });
    }
    const before = (await metrics.render()).split('\n').filter((line) => line.includes('member2'));
    await metrics.forgetCluster('member1');
    const text = await metrics.render();
    expect(text).to.not.contain('member1');
    expect(text.split('\n').filter((line) => line.includes('member2'))).to.deep.equal(before);
  });

  it('exports metrics of the process when told to', async () => {
    expect(await new Metrics().render()).to.not.contain('process_cpu_seconds_total');
    expect(await new Metrics({ processMetrics: true }).render()).to.contain('process_cpu_seconds_total');
  });

  it('answers in the Prometheus text format', () => {
    expect(new Metrics().contentType).to.contain('text/plain');
  });
});

describe('METRICS', () => {
  for (const [name, spec] of Object.entries<MetricSpec>(METRICS)) {
    it(`follows Prometheus' conventions for ${name}`, () => {
      expect(name).to.match(/^kosmos_[a-z_]+$/);
      if (spec.type === 'counter') expect(name).to.match(/_total$/);
      if (spec.type === 'histogram') expect(name).to.match(/_seconds$/);
      expect(spec.help).to.match(/^[A-Z1].*\.$/);
    });
  }

  it('is rendered with one row for each metric', () => {
    const rows = renderMetricsTable().trim().split('\n').slice(2);
    expect(rows).to.have.length(Object.keys(METRICS).length);
    expect(rows.find((row) => row.includes('kosmos_leader'))).to.equal(
      '| `kosmos_leader` | gauge | none | 1 while this process is the leader, else 0. |',
    );
  });
});

describe('what Metrics say of links and members', () => {
  it('is the reason that a linked cluster has now', async () => {
    const metrics = new Metrics();
    const observer = metrics.linkObserver();
    observer.condition('a', 'NodesNotReady');
    observer.condition('b', 'Linked');
    observer.condition('a', 'Linked');
    const text = await metrics.render();
    expect(text).to.contain('kosmos_link_condition{cluster="a",reason="Linked"} 1');
    expect(text).to.contain('kosmos_link_condition{cluster="b",reason="Linked"} 1');
    expect(text).not.to.contain('reason="NodesNotReady"');
    await metrics.forgetCluster('a');
    expect(await metrics.render()).not.to.contain('kosmos_link_condition{cluster="a"');
  });

  it('is when the token for a member ends, while somebody knows', async () => {
    const metrics = new Metrics();
    const series = 'kosmos_member_token_expiry_timestamp_seconds{cluster="a"}';
    metrics.memberTokenExpiry('a', 1_767_225_600_400);
    expect(await valueOf(metrics, series)).to.equal(1_767_225_600);
    metrics.memberTokenExpiry('a', undefined);
    expect(await valueOf(metrics, series)).to.equal(undefined);
  });
});
