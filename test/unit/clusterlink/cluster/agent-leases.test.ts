import { expect } from 'chai';
import type { Lease } from '../../../../src/apis/core.js';
import type { LinkConnection } from '../../../../src/clusterlink/cluster/connection.js';
import { AgentLeases, SILENT_MS } from '../../../../src/clusterlink/cluster/agent-leases.js';
import { reportsFrom } from '../../../../src/clusterlink/cluster/reports-on.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import type { InformerFactory } from '../../../../src/kube/informer-factory.js';
import { leases } from '../../../../src/kube/resource.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { LINKED, LinkHarness } from '../../../support/link-harness.js';
import { apiError, HOST_UID } from '../../../support/member-harness.js';

const STEP_MS = 5_000;

describe('AgentLeases', () => {
  let harness: LinkHarness;
  let connection: LinkConnection;
  let renewals: number;

  beforeEach(async () => {
    harness = new LinkHarness();
    renewals = 0;
    seed('n1');
    seed('n2');
    connection = harness.connect();
    await harness.calm();
  });

  afterEach(() => harness.end());

  function seed(node: string, owner = ownershipOf(HOST_UID, LINKED)): Lease {
    return harness.client.seed(leases, {
      metadata: { namespace: 'kosmos-system', name: `kosmos-agent-${node}`, labels: ownershipLabels(owner) },
      // As told by a clock that is years behind.
      spec: { holderIdentity: node, renewTime: '1999-01-01T00:00:00.000000Z' },
    });
  }

  function renew(node: string): void {
    renewals += 1;
    const renewTime = `1999-01-01T00:00:00.${String(renewals).padStart(6, '0')}Z`;
    harness.client.edit(
      leases,
      { namespace: 'kosmos-system', name: `kosmos-agent-${node}` },
      { spec: { holderIdentity: node, renewTime } },
    );
  }

  /** Lets time pass, in which the agent of `n1` renews its Lease. */
  async function pass(ms: number, renewing: readonly string[] = ['n1']): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      renewing.forEach(renew);
      await harness.settle(10);
      await harness.clock.advance(STEP_MS);
    }
  }

  const silent = (): readonly string[] => ['n1', 'n2', 'n3'].filter((node) => connection.agents.isSilent(node));

  it('know by changes alone who is silent, whatever the times in them are', async () => {
    await pass(SILENT_MS - STEP_MS);
    expect(silent()).to.deep.equal([]);
    await pass(2 * STEP_MS);
    expect(silent()).to.deep.equal(['n2']);
    renew('n2');
    await harness.settle(10);
    expect(silent()).to.deep.equal([]);
  });

  it('do not take other changes for a renewal', async () => {
    await pass(SILENT_MS);
    const ref = { namespace: 'kosmos-system', name: 'kosmos-agent-n2' };
    harness.client.edit(leases, ref, { metadata: { annotations: { seen: 'by somebody' } } });
    await pass(STEP_MS);
    expect(silent()).to.deep.equal(['n2']);
  });

  it('say nothing of an agent whose Lease is gone, or belongs to others', async () => {
    harness.client.erase(leases, { namespace: 'kosmos-system', name: 'kosmos-agent-n2' });
    seed('n3', ownershipOf('another-host', LINKED));
    await pass(2 * SILENT_MS);
    expect(silent()).to.deep.equal([]);
  });

  it('are no condition for the rest: a cluster that refuses them is linked as others are', async () => {
    const other = new LinkHarness();
    other.client.fail({ type: leases, error: apiError(403, 'Forbidden'), times: 1_000 });
    const refused = other.connect();
    await other.calm();
    expect([refused.synced, refused.problem, refused.agents.isSilent('n1')]).to.deep.equal([true, undefined, false]);
    await other.end();
  });

  it('tell whose reports still count', async () => {
    const status = { peers: [{ name: 'west/n1', ip: '192.0.2.1', reachable: true }] };
    harness.seedConfig('n1', {}, status);
    harness.seedConfig('n2', {}, status);
    harness.seedConfig(
      'n3',
      {},
      { peers: [{ ...status.peers[0], name: 'south/n1', ip: '192.0.2.2', reachable: true }] },
    );
    await harness.settle(10);
    const reporters = (): readonly (string | undefined)[] =>
      reportsFrom([connection], 'west').map(({ spec }) => spec.nodeName);
    expect(reporters()).to.have.members(['n1', 'n2']);
    await pass(SILENT_MS + STEP_MS);
    expect(reporters()).to.deep.equal(['n1']);
  });
});

describe('AgentLeases of a cluster that is away', () => {
  /** What of an informer is used, moved by hand. */
  class StubInformer {
    connected = true;
    readonly items = [
      { node: 'n1', renewTime: '1', metadata: { name: 'kosmos-agent-n1', namespace: 'kosmos-system' } },
    ];
    readonly store = { list: () => this.items };
    handler: { onAdd?: (lease: unknown, initial: boolean) => void } = {};
    tellConnection: () => void = () => undefined;

    addHandler(handler: StubInformer['handler']): void {
      this.handler = handler;
    }

    onConnectionChange(listener: () => void): void {
      this.tellConnection = listener;
    }

    become(connected: boolean): void {
      this.connected = connected;
      this.tellConnection();
    }
  }

  it('say nothing, and give agents time when it is back', async () => {
    const clock = new FakeClock();
    const informer = new StubInformer();
    const createInformer = (() => informer) as unknown as InformerFactory;
    const client = new FakeKubeClient({ clock });
    const ownership = ownershipOf(HOST_UID, LINKED);
    const agents = new AgentLeases({ cluster: LINKED, client, ownership, createInformer, clock });
    informer.handler.onAdd?.(informer.items[0], true);

    await clock.advance(SILENT_MS - 1_000);
    informer.become(false);
    await clock.advance(10 * SILENT_MS);
    expect(agents.isSilent('n1')).to.equal(false);
    informer.become(true);
    await clock.advance(SILENT_MS);
    expect(agents.isSilent('n1')).to.equal(false);
    await clock.advance(1_000);
    expect(agents.isSilent('n1')).to.equal(true);
  });
});
