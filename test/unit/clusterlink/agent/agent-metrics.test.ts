import { expect } from 'chai';
import { AGENT_METRICS, AgentMetrics, type AgentSnapshot } from '../../../../src/clusterlink/agent/agent-metrics.js';
import { around } from './fake-kernel.js';

const peer = { name: 'west/n1', ip: '220.18.2.21', reachable: true, rttMs: 2, loss: 0.25 };
const [eth0] = around.links;

describe('AgentMetrics', () => {
  let snapshot: AgentSnapshot;
  let metrics: AgentMetrics;

  beforeEach(() => {
    const link = { ...eth0!, bytes: { received: 10, sent: 20 } };
    snapshot = {
      peers: [peer],
      links: [link, { ...link, name: 'other' }],
      devices: new Set(['eth0']),
      configKnown: true,
    };
    metrics = new AgentMetrics(() => snapshot);
  });

  it('has every metric of the table, and no other', async () => {
    const names = [...(await metrics.render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(names).to.have.members(Object.keys(AGENT_METRICS));
    expect(metrics.contentType).to.match(/^text\/plain/);
  });

  it('tells of peers and devices as they are when it is asked', async () => {
    const text = await metrics.render();
    expect(text).to.contain('kosmos_agent_peer_up{peer="west/n1",ip="220.18.2.21"} 1');
    expect(text).to.contain('kosmos_agent_peer_rtt_seconds{peer="west/n1",ip="220.18.2.21"} 0.002');
    expect(text).to.contain('kosmos_agent_peer_loss{peer="west/n1",ip="220.18.2.21"} 0.25');
    expect(text).to.contain('kosmos_agent_device_bytes{device="eth0",direction="sent"} 20');
    expect(text).to.not.contain('device="other"');
    snapshot = { ...snapshot, peers: [] };
    expect(await metrics.render()).to.not.contain('west/n1');
  });

  it('counts what the agent does', async () => {
    const observer = metrics.observer();
    observer.synced('success', 0.1, { changes: [], changeCount: 3, driftCount: 2, errors: ['x'] });
    observer.synced('error', 0.1);
    observer.gatewaySwitched('west');
    const text = await metrics.render();
    expect(text).to.contain('kosmos_agent_sync_total{outcome="success"} 1');
    expect(text).to.contain('kosmos_agent_sync_total{outcome="error"} 1');
    expect(text).to.contain('kosmos_agent_changes_total 3');
    expect(text).to.contain('kosmos_agent_drift_repaired_total 2');
    expect(text).to.contain('kosmos_agent_errors 1');
    expect(text).to.contain('kosmos_agent_gateway_switches_total{cluster="west"} 1');
  });

  it('says whether the config is known to be the present one', async () => {
    expect(await metrics.render()).to.contain('kosmos_agent_config_stale 0');
    snapshot = { ...snapshot, configKnown: false };
    expect(await metrics.render()).to.contain('kosmos_agent_config_stale 1');
  });

  it('can have those of the process, too', async () => {
    expect(await new AgentMetrics(() => snapshot, { processMetrics: true }).render()).to.contain(
      'process_cpu_seconds_total',
    );
  });
});
