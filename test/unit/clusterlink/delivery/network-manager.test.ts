import { expect } from 'chai';
import { NetworkManager } from '../../../../src/clusterlink/delivery/network-manager.js';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { clusterNodes, clusters, nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { LinkHarness } from '../../../support/link-harness.js';
import { clusterNode, linkedCluster } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

const VXLAN = { type: 'vxlan', addr: '220.18.1.11/8', bindDev: 'eth0', id: 54, port: 4876 } as const;
const OPTIONS = { ipFamily: 'ipv4' } as const;

describe('NetworkManager', () => {
  let harness: LinkHarness;
  let manager: NetworkManager;
  let told: string[];
  let plans: number;

  beforeEach(() => {
    harness = new LinkHarness();
    [told, plans] = [[], 0];
    const { clusters: cache, clusterNodes: nodeCache, formerConfigs, clock, logger } = harness;
    manager = new NetworkManager({
      ...{ clusters: cache, clusterNodes: nodeCache, formerConfigs, clock, logger },
      onPlanned: () => {
        plans += 1;
      },
    });
    manager.onChange((cluster, names) => told.push(`${cluster}: ${[...names].sort().join(' ')}`));
    seed('east', '10.10.0.0/16', '172.18.1.11');
    seed('west', '10.20.0.0/16', '172.18.2.21');
  });

  afterEach(() => harness.end());

  function seed(name: string, pods: string, ip: string): void {
    harness.host.seed(clusters, linkedCluster(name, OPTIONS, { podCIDRs: [pods] }));
    harness.host.seed(clusterNodes, clusterNode(name, 'n1', { interfaceName: 'eth0', ip, podCIDRs: [pods] }));
  }

  async function lead(): Promise<AbortController> {
    const term = new AbortController();
    harness.track(manager.lead(AbortSignal.any([term.signal, harness.signal])));
    await harness.calm();
    return term;
  }

  const routes = (name: string): unknown => manager.config(name)?.routes?.map(({ cidr }) => cidr);

  it('knows of nothing before it leads', () => {
    expect(manager.planned).to.equal(false);
    expect(manager.config('east-n1')).to.equal(undefined);
    expect([...manager.namesOf('east')]).to.deep.equal([]);
    expect(manager.problemsOf('east')).to.deep.equal([]);
  });

  it('plans for all nodes of all clusters', async () => {
    await lead();
    expect(routes('east-n1')).to.deep.equal(['10.20.0.0/16']);
    expect(routes('west-n1')).to.deep.equal(['10.10.0.0/16']);
    expect([...manager.namesOf('west')]).to.deep.equal(['west-n1']);
    expect(told).to.have.members(['east: east-n1', 'west: west-n1']);
  });

  it('gathers what changes at the same time', async () => {
    await lead();
    const before = plans;
    for (const name of ['n2', 'n3', 'n4']) harness.host.seed(clusterNodes, clusterNode('east', name));
    await harness.calm();
    expect(plans).to.equal(before + 1);
    expect([...manager.namesOf('east')]).to.have.length(4);
    expect(manager.config('east-n4')).to.deep.include({ detection: { method: 'defaultRoute' } });
  });

  it('does not put a plan off for ever when something changes all the time', async () => {
    await lead();
    const before = plans;
    for (let index = 0; index < 25; index += 1) {
      harness.host.edit(clusterNodes, { name: 'east-n1' }, { spec: { podCIDRs: [`10.10.${index}.0/24`] } });
      await harness.settle(10);
      await harness.clock.advance(100);
    }
    expect(plans).to.be.greaterThan(before);
  });

  it('takes nodes and clusters out that are gone, leave, or are switched off', async () => {
    await lead();
    told.length = 0;
    harness.host.erase(clusterNodes, { name: 'west-n1' });
    await harness.calm();
    expect(manager.config('west-n1')).to.equal(undefined);
    expect(told).to.include('west: west-n1');
    expect(routes('east-n1')).to.deep.equal([]);
    harness.host.edit(clusters, { name: 'east' }, { spec: { clusterLinkOptions: { enable: false } } });
    await harness.calm();
    expect(manager.config('east-n1')).to.equal(undefined);
    harness.host.erase(clusters, { name: 'east' });
    await harness.calm();
    expect([...manager.namesOf('east')]).to.deep.equal([]);
  });

  it('tells both sides of ranges that overlap, until they no longer do', async () => {
    seed('south', '10.20.0.0/16', '172.18.3.31');
    await lead();
    for (const name of ['west', 'south']) {
      expect(manager.problemsOf(name).join()).to.include('west').and.include('south');
    }
    expect(manager.problemsOf('east')).to.deep.equal([]);
    harness.host.erase(clusters, { name: 'south' });
    await harness.calm();
    expect(manager.problemsOf('west')).to.deep.equal([]);
  });

  it('leaves it to the condition to say that there is no gateway yet, and why', async () => {
    harness.host.edit(clusters, { name: 'east' }, { spec: { clusterLinkOptions: { networkType: 'gateway' } } });
    await lead();
    expect(manager.problemsOf('east')).to.deep.equal([]);
    harness.host.edit(clusterNodes, { name: 'east-n1' }, { spec: { roles: ['gateway'] } });
    seed('south', '10.10.0.0/16', '172.18.3.31');
    await harness.calm();
    expect(manager.problemsOf('east').join()).to.include('east').and.include('south');
  });

  it('forgets its plan at the end of a term, and makes it anew in the next', async () => {
    const term = await lead();
    term.abort();
    await harness.calm();
    expect([manager.planned, manager.config('east-n1'), [...manager.namesOf('east')]]).to.deep.equal([
      false,
      undefined,
      [],
    ]);
    harness.host.seed(clusterNodes, clusterNode('east', 'n2'));
    await harness.calm();
    expect(manager.planned).to.equal(false);
    await lead();
    expect([...manager.namesOf('east')]).to.have.length(2);
  });

  describe('where Kosmos was before', () => {
    const KEPT = '02:11:22:33:44:55';
    const macs = (name: string): unknown => manager.config(name)?.devices?.map(({ mac }) => mac);
    const former = (labels: Readonly<Record<string, string>> = {}): NodeConfig => ({
      metadata: { name: 'east-n1', labels },
      spec: { devices: [{ ...VXLAN, name: 'vx-bridge', mac: KEPT }] },
    });

    it('keeps the MACs of its devices, which others know', async () => {
      harness.host.seed(nodeConfigs, former());
      await lead();
      expect(macs('east-n1')).to.deep.equal([KEPT]);
      expect(manager.config('west-n1')?.arps?.map(({ mac }) => mac)).to.deep.equal([KEPT]);
      harness.host.erase(nodeConfigs, { name: 'east-n1' });
      await harness.calm();
      expect(macs('east-n1')).to.deep.equal([KEPT]);
    });

    it('keeps them as well when they are told late', async () => {
      await lead();
      harness.host.seed(nodeConfigs, former());
      await harness.calm();
      expect(macs('east-n1')).to.deep.equal([KEPT]);
    });

    it('keeps those of NodeConfigs that it has taken over', async () => {
      harness.host.seed(nodeConfigs, former({ 'kosmos.io/host-cluster': 'us', 'kosmos.io/cluster': 'east' }));
      await lead();
      expect(macs('east-n1')).to.deep.equal([KEPT]);
    });

    it('does not read its own NodeConfigs, which never say anything else', async () => {
      harness.host.seed(nodeConfigs, former({ 'kosmos.io/host-cluster': 'us', 'kosmos.io/owner': 'us' }));
      await lead();
      expect(macs('east-n1')).to.have.length(1);
      expect(macs('east-n1')).to.not.include(KEPT);
    });
  });

  for (const [code, reason, planned] of [
    [404, 'NotFound', true],
    [403, 'Forbidden', true],
    [500, 'InternalError', false],
  ] as const) {
    it(`${planned ? 'plans' : 'waits'} when the host answers ${code} about former NodeConfigs`, async () => {
      const own = new LinkHarness();
      own.host.fail({ type: nodeConfigs, error: apiError(code, reason), times: 1_000 });
      const { clusters: cache, clusterNodes: nodeCache, formerConfigs, clock, logger } = own;
      const other = new NetworkManager({
        ...{ clusters: cache, clusterNodes: nodeCache, formerConfigs, clock, logger, onPlanned: () => undefined },
      });
      const term = new AbortController();
      own.track(other.lead(AbortSignal.any([term.signal, own.signal])));
      await own.calm();
      await own.calm();
      expect(other.planned).to.equal(planned);
      term.abort();
      await own.end();
    });
  }

  it('ends at once when the term is over before the host is known', async () => {
    const blind = new LinkHarness();
    const term = new AbortController();
    blind.host.intercept = () => new Promise(() => undefined);
    const { clusters: cache, clusterNodes: nodeCache, formerConfigs, clock, logger } = blind;
    const early = new NetworkManager({
      ...{ clusters: cache, clusterNodes: nodeCache, formerConfigs, clock, logger, onPlanned: () => undefined },
    });
    const leading = early.lead(term.signal);
    term.abort(new Error('over'));
    await leading;
    expect(early.planned).to.equal(false);
  });
});
