import { expect } from 'chai';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { Agent, type AgentObserver } from '../../../../src/clusterlink/agent/agent.js';
import { NodeNetwork } from '../../../../src/clusterlink/agent/network.js';
import type { Report } from '../../../../src/clusterlink/agent/status.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeKernel, FakeNftables, FakeSysctls } from './fake-kernel.js';
import { spec } from './specs.js';

const config: NodeConfig = { metadata: { name: 'east-n1', generation: 4, uid: 'u' }, spec };
const gateways = [
  {
    clusterName: 'west',
    candidates: [
      { nodeName: 'w1', gw: '220.18.2.21', dev: 'vx-bridge' },
      { nodeName: 'w2', gw: '220.18.2.22', dev: 'vx-bridge' },
    ],
    cidrs: ['10.20.0.0/16'],
  },
];

class Rig {
  readonly clock = new FakeClock();
  readonly kernel = new FakeKernel();
  readonly nftables = new FakeNftables();
  readonly reports: Report[] = [];
  readonly outcomes: string[] = [];
  readonly dead = new Set<string>();
  readonly abort = new AbortController();
  current: NodeConfig | undefined;
  known = true;
  kept: NodeConfig | undefined;
  readonly agent: Agent;
  #running: Promise<void> | undefined;

  constructor() {
    const sysctls = new FakeSysctls({});
    const network = new NodeNetwork({ kernel: this.kernel, nftables: this.nftables, sysctls, store: sysctls });
    const observer: AgentObserver = {
      synced: (outcome) => this.outcomes.push(outcome),
      gatewaySwitched: (cluster) => this.outcomes.push(`switched ${cluster}`),
    };
    this.agent = new Agent({
      ...{ kernel: this.kernel, network, observer, clock: this.clock, logger: silentLogger },
      source: { current: () => this.current, known: () => this.known, run: () => Promise.resolve() },
      store: {
        config: () => this.kept,
        saveConfig: (kept) => (this.kept = kept),
        clear: () => (this.kept = undefined),
      },
      prober: { follow: () => undefined, alive: (ip) => !this.dead.has(ip), report: () => [] },
      publisher: { publish: (_config, report) => this.reports.push(report) },
    });
  }

  async start(): Promise<void> {
    this.#running = this.agent.run(this.abort.signal);
    await this.clock.advance(0);
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.#running;
    expect(this.clock.pendingTimers).to.equal(0);
  }

  get last(): Report | undefined {
    return this.reports.at(-1);
  }
}

describe('Agent', () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
  });

  afterEach(() => rig.stop());

  it('applies its config, reports, and keeps it for later', async () => {
    rig.current = config;
    expect(rig.agent.applied).to.equal(false);
    await rig.start();
    expect(rig.kernel.state.routes.size).to.equal(2);
    expect(rig.last).to.deep.include({ appliedGeneration: 4, planned: true, errors: [], driftRepaired: 0 });
    expect(rig.last?.detected).to.include({ interfaceName: 'eth0', ip: '172.18.1.11' });
    expect(rig.kept).to.equal(config);
    expect(rig.agent.applied).to.equal(true);
    expect([...rig.agent.interest.names]).to.include.members(['vx-bridge', 'eth0']);
  });

  it('reports what it finds while there is no plan, and changes nothing', async () => {
    rig.current = { ...config, spec: { detection: { method: 'interface', interfaceName: 'eth0' } } };
    await rig.start();
    expect(rig.kernel.events).to.deep.equal([]);
    expect(rig.last).to.deep.include({ planned: false, appliedGeneration: undefined });
    expect(rig.last?.detected).to.include({ interfaceName: 'eth0' });
  });

  it('looks at the kernel again soon after a notice, and every half minute without one', async () => {
    rig.current = config;
    await rig.start();
    rig.kernel.lose('routes');
    rig.agent.kernelChanged('network');
    await rig.clock.advance(100);
    expect(rig.kernel.state.routes.size).to.equal(2);
    expect(rig.last?.driftRepaired).to.equal(1);
    rig.nftables.table = undefined;
    await rig.clock.advance(30_200);
    expect(rig.nftables.table).to.be.a('string');
    expect(rig.last?.driftRepaired).to.equal(2);
  });

  it('looks into its table after a notice about it', async () => {
    rig.current = config;
    await rig.start();
    rig.nftables.table = 'changed';
    rig.agent.kernelChanged('table');
    await rig.clock.advance(100);
    expect(rig.nftables.table).to.contain('table inet kosmos');
  });

  it('uses the config that was kept while the API server is away, and changes nothing without one', async () => {
    rig.known = false;
    await rig.start();
    expect([rig.kernel.events, rig.reports]).to.deep.equal([[], []]);
    rig.kept = config;
    rig.agent.nudge();
    await rig.clock.advance(100);
    expect(rig.kernel.state.routes.size).to.equal(2);
  });

  it('leaves everything as it is when the API server goes away', async () => {
    rig.current = config;
    await rig.start();
    [rig.current, rig.known] = [undefined, false];
    await rig.clock.advance(600_000);
    expect(rig.kernel.state.routes.size).to.equal(2);
    expect(rig.last?.appliedGeneration).to.equal(4);
  });

  it('takes the network away when there is certainly no config any more', async () => {
    rig.current = config;
    await rig.start();
    rig.current = undefined;
    rig.agent.nudge();
    await rig.clock.advance(5_000);
    expect(rig.kernel.state.routes.size).to.equal(2);
    await rig.clock.advance(10_000);
    expect([rig.kernel.state.devices.size, rig.nftables.table, rig.kept]).to.deep.equal([0, undefined, undefined]);
    expect(rig.agent.applied).to.equal(false);
  });

  it('does so also when the config went away while it was not running', async () => {
    rig.kept = config;
    await rig.start();
    expect(rig.kernel.state.routes.size).to.equal(2);
    await rig.clock.advance(15_000);
    expect([rig.kernel.state.devices.size, rig.kept]).to.deep.equal([0, undefined]);
  });

  it('does not take a config for gone that comes back at once', async () => {
    rig.current = config;
    await rig.start();
    rig.current = undefined;
    rig.agent.nudge();
    await rig.clock.advance(5_000);
    rig.current = config;
    await rig.clock.advance(60_000);
    expect(rig.kernel.events.filter((event) => event === 'rest').length).to.be.greaterThan(1);
    expect(rig.kernel.state.routes.size).to.equal(2);
  });

  it('goes to another gateway when the present one does not answer', async () => {
    rig.current = { ...config, spec: { ...spec, gateways } };
    await rig.start();
    rig.dead.add('220.18.2.21');
    rig.agent.nudge();
    await rig.clock.advance(100);
    expect([...rig.kernel.state.routes.values()].map(({ gateway }) => gateway)).to.include('220.18.2.22');
    expect(rig.last?.activeGateways[0]).to.include({ clusterName: 'west', nodeName: 'w2' });
    expect(rig.outcomes).to.include('switched west');
  });

  it('tries again soon what could not be done, and does not keep a config that can not be applied', async () => {
    rig.current = config;
    rig.nftables.failure = new Error('no');
    await rig.start();
    expect(rig.last?.errors).to.deep.equal(['no']);
    expect([rig.kept, rig.outcomes]).to.deep.equal([undefined, ['error']]);
    rig.nftables.failure = undefined;
    await rig.clock.advance(2_000);
    expect(rig.last?.errors).to.deep.equal([]);
    expect(rig.kept).to.equal(config);
  });

  it('reports that the kernel can not be talked to, and goes on', async () => {
    rig.current = config;
    await rig.start();
    rig.kernel.failure = new Error('EBADF');
    rig.agent.nudge();
    await rig.clock.advance(100);
    expect(rig.last?.errors).to.deep.equal(['EBADF']);
    rig.kernel.failure = undefined;
    await rig.clock.advance(2_000);
    expect(rig.last?.errors).to.deep.equal([]);
  });

  it('reports that nothing was detected, and applies what it can', async () => {
    rig.current = { ...config, spec: { ...spec, detection: { method: 'interface', interfaceName: 'eth7' } } };
    await rig.start();
    expect(rig.last?.detected).to.equal(undefined);
    expect(rig.last?.errors).to.deep.equal(['detection: there is no interface eth7']);
    expect(rig.kernel.state.routes.size).to.equal(2);
  });

  it('applies and keeps watch over everything else when one address to probe is none', async () => {
    const peers = [{ clusterName: 'west', nodeName: 'w1', ip: 'x' }];
    rig.current = { ...config, spec: { ...spec, peers } };
    await rig.start();
    expect(rig.last).to.deep.include({ appliedGeneration: 4, errors: ['probe of west/w1: "x" is no IP address'] });
    expect(rig.kernel.state.routes.size).to.equal(2);
    expect([...rig.agent.interest.names]).to.include('vx-bridge');
  });

  it('applies a config again that has changed, and keeps the new one', async () => {
    rig.current = config;
    await rig.start();
    rig.current = {
      metadata: { ...config.metadata, generation: 5 },
      spec: { ...spec, routes: spec.routes!.slice(0, 1) },
    };
    rig.agent.nudge();
    await rig.clock.advance(100);
    expect(rig.kernel.state.routes.size).to.equal(1);
    expect(rig.last).to.include({ appliedGeneration: 5, driftRepaired: 0 });
    expect(rig.kept?.metadata?.generation).to.equal(5);
  });

  it('looks once at what comes in a burst', async () => {
    rig.current = config;
    await rig.start();
    const before = rig.reports.length;
    for (let notice = 0; notice < 50; notice++) rig.agent.kernelChanged('network');
    await rig.clock.advance(50);
    for (let notice = 0; notice < 50; notice++) rig.agent.kernelChanged('network');
    await rig.clock.advance(50);
    expect(rig.reports.length - before).to.equal(1);
  });

  it('does not lose a notice that comes while it looks', async () => {
    rig.current = config;
    await rig.start();
    const before = rig.reports.length;
    const { kernel } = rig;
    const apply = kernel.apply.bind(kernel);
    kernel.apply = (...args) => {
      kernel.apply = apply;
      rig.agent.kernelChanged('network');
      return apply(...args);
    };
    rig.agent.nudge();
    await rig.clock.advance(300);
    expect(rig.reports.length - before).to.equal(2);
  });

  it('tells a switch of gateways once, and stays with it when the first one is back', async () => {
    rig.current = { ...config, spec: { ...spec, gateways } };
    await rig.start();
    rig.dead.add('220.18.2.21');
    await rig.clock.advance(31_000);
    rig.dead.clear();
    await rig.clock.advance(61_000);
    expect(rig.outcomes.filter((outcome) => outcome === 'switched west')).to.have.length(1);
    expect(rig.last?.activeGateways[0]).to.include({ nodeName: 'w2' });
  });

  it('takes an empty plan for a plan: nothing of ours stays, and nothing is remembered', async () => {
    rig.current = config;
    await rig.start();
    rig.current = {
      metadata: { ...config.metadata, generation: 5 },
      spec: { devices: [], routes: [], fdbs: [], arps: [] },
    };
    rig.agent.nudge();
    await rig.clock.advance(100);
    expect([rig.kernel.state.devices.size, rig.kernel.state.rules.size, rig.nftables.table]).to.deep.equal([
      0,
      0,
      undefined,
    ]);
    expect(rig.last).to.deep.include({ appliedGeneration: 5, planned: true, errors: [] });
    expect(rig.kept).to.equal(undefined);
  });

  it('keeps trying to take the network away when something is in the way', async () => {
    rig.current = config;
    await rig.start();
    rig.current = undefined;
    rig.nftables.failure = new Error('busy');
    rig.agent.nudge();
    await rig.clock.advance(15_000);
    expect(rig.kept).to.equal(config);
    rig.nftables.failure = undefined;
    await rig.clock.advance(31_000);
    expect([rig.nftables.table, rig.kept]).to.deep.equal([undefined, undefined]);
  });
});
