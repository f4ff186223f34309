import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { MemberConnection } from '../../../../src/clustertree/cluster/connection.js';
import type { Member, MemberFeature, MemberModule } from '../../../../src/clustertree/cluster/member.js';
import { ownershipLabels } from '../../../../src/clustertree/cluster/ownership.js';
import { namespaces, pods } from '../../../../src/kube/resource.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { apiError, clusterConfig, MemberHarness, ownPod, OWNERSHIP } from '../../../support/member-harness.js';

class TestModule implements MemberModule {
  synced = true;
  problem: string | undefined;
  report = { conflicts: ['taken'], nodes: { ready: 1, total: 2 } };
  nodesBehind?: NonNullable<MemberModule['nodesBehind']>;
  readonly log: string[] = [];
  /** What `lead` does after it began. */
  leading: (signal: AbortSignal) => Promise<void> = untilAborted;

  async run(signal: AbortSignal): Promise<void> {
    this.log.push('run');
    await untilAborted(signal);
    this.log.push('ran');
  }

  async lead(signal: AbortSignal): Promise<void> {
    this.log.push('lead');
    await this.leading(signal);
    this.log.push('led');
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

describe('MemberConnection', () => {
  let harness: MemberHarness;
  let probeClient: FakeKubeClient;
  let module: TestModule;
  let opened: Member | undefined;
  let connection: MemberConnection;

  beforeEach(() => {
    harness = new MemberHarness();
    probeClient = new FakeKubeClient();
    module = new TestModule();
    const feature: MemberFeature = {
      name: 'test',
      open: (member) => {
        opened = member;
        return module;
      },
    };
    const { client, clock, logger, createInformer, streams } = harness;
    connection = new MemberConnection({
      ...{ client, streams, probeClient, clock, logger, createInformer, ownership: OWNERSHIP },
      config: clusterConfig(),
      leaving: false,
      adopt: (kubeconfig) => kubeconfig === 'with another token',
      features: [feature],
      trimPod: (pod: Pod) => ({ ...pod, status: {} }),
      random: () => 0.5,
    });
  });

  afterEach(async () => {
    await connection.close();
    await harness.end();
  });

  it('takes over a credential when its maker says that it can', () => {
    expect(connection.adopt('with another token')).to.be.true;
    expect(connection.adopt('of another server')).to.be.false;
  });

  async function start(): Promise<void> {
    connection.start();
    await harness.settle(2);
  }

  it('is what its features work with', () => {
    expect(opened).to.equal(connection);
    expect(connection).to.include({ leaving: false, ownership: OWNERSHIP });
  });

  it('does nothing before it is started', async () => {
    await harness.settle();
    expect([harness.client.calls, probeClient.calls, module.log]).to.deep.equal([[], [], []]);
  });

  it('keeps our pods, trimmed, and no others', async () => {
    harness.client.seed(pods, ownPod('shop/web', 'uid', { status: { phase: 'Running' } }));
    harness.client.seed(pods, { metadata: { namespace: 'shop', name: 'theirs' } });
    await start();
    expect([...connection.pods.store.keys()]).to.deep.equal(['shop/web']);
    expect(connection.pods.store.get('shop/web')?.status).to.deep.equal({});
  });

  it('keeps all namespaces', async () => {
    harness.client.seed(namespaces, { metadata: { name: 'shop', labels: ownershipLabels(OWNERSHIP) } });
    harness.client.seed(namespaces, { metadata: { name: 'theirs' } });
    await start();
    expect([...connection.namespaces.store.keys()]).to.deep.equal(['shop', 'theirs']);
  });

  it('is synced when its caches and those of its modules are', async () => {
    module.synced = false;
    expect(connection.synced).to.be.false;
    await start();
    expect(connection.synced).to.be.false;
    module.synced = true;
    expect(connection.synced).to.be.true;
  });

  it('knows the nodes behind a virtual node when a module does', () => {
    expect(connection.nodesBehind('kosmos-member1')).to.equal(undefined);
    module.nodesBehind = (virtualNode) => [{ name: `behind ${virtualNode}`, ready: true }];
    expect(connection.nodesBehind('kosmos-member1')).to.deep.equal([{ name: 'behind kosmos-member1', ready: true }]);
  });

  it('probes on a connection of its own', async () => {
    await start();
    expect(probeClient.calls.map(({ resource }) => resource)).to.include('/readyz');
    expect(harness.client.calls.map(({ resource }) => resource)).to.not.include('/readyz');
    expect(connection.probe.reachable).to.be.true;
  });

  it('tells after each probe, and whenever a module says so', async () => {
    let changes = 0;
    connection.onChange(() => (changes += 1));
    await start();
    expect(changes).to.equal(1);
    opened?.changed();
    expect(changes).to.equal(2);
  });

  it('puts the reports of its modules together', () => {
    expect(connection.reports).to.deep.equal([module.report]);
  });

  it('has a problem when a cache can not be filled', async () => {
    harness.client.fail({ verb: 'list', type: pods, error: apiError(403, 'Forbidden', 'no pods'), times: 99 });
    await start();
    expect(connection.problem).to.equal('no pods');
  });

  it('has a problem when a module has one', async () => {
    await start();
    expect(connection.problem).to.be.undefined;
    module.problem = 'no nodes';
    expect(connection.problem).to.equal('no nodes');
  });

  it('lets its modules write only while it leads, and as often as it does', async () => {
    await start();
    for (const _term of [1, 2]) {
      const term = new AbortController();
      const leading = connection.lead(term.signal);
      await harness.settle();
      term.abort();
      await leading;
    }
    expect(module.log).to.deep.equal(['run', 'lead', 'led', 'lead', 'led']);
  });

  it('reports a module that fails, and goes on with the rest', async () => {
    module.leading = () => Promise.reject(new Error('oops'));
    await start();
    await connection.lead(harness.signal);
    expect(harness.logs.map(({ message, fields }) => `${message}: ${String(fields['error'])}`)).to.include(
      'part of a member connection ended: oops',
    );
    expect(connection.probe.reachable).to.be.true;
  });

  it('says nothing of a module that fails because it was stopped', async () => {
    module.leading = async (signal) => {
      await untilAborted(signal);
      throw new Error('stopped');
    };
    await start();
    const leading = connection.lead(harness.signal);
    await connection.close();
    await leading;
    expect(harness.logs.filter(({ level }) => level === 'error')).to.be.empty;
  });

  it('ends everything when it is closed', async () => {
    await start();
    const leading = connection.lead(harness.signal);
    await connection.close();
    await leading;
    expect(module.log).to.deep.equal(['run', 'lead', 'ran', 'led']);
    expect([harness.client.closed, probeClient.closed]).to.deep.equal([true, true]);
    expect(harness.clock.pendingTimers).to.equal(0);
  });

  it('closes its connections before it waits for those that use them', async () => {
    let release = (): void => undefined;
    module.leading = () => new Promise((resolve) => (release = resolve));
    await start();
    void connection.lead(harness.signal);
    const closing = connection.close();
    await harness.settle();
    expect(harness.client.closed).to.be.true;
    release();
    await closing;
  });

  it('can be closed before it was started', async () => {
    await connection.close();
    expect(harness.client.closed).to.be.true;
  });
});
