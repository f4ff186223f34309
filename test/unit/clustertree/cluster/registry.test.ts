import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_FINALIZER } from '../../../../src/apis/names.js';
import type { MemberConnection } from '../../../../src/clustertree/cluster/connection.js';
import type { ClusterConfig } from '../../../../src/clustertree/cluster/options.js';
import { isRegistered, isRoot, isWanted, MemberRegistry } from '../../../../src/clustertree/cluster/registry.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { nodes } from '../../../../src/kube/resource.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { TerminalError } from '../../../../src/lib/errors.js';
import type { Result } from '../../../../src/runtime/controller.js';
import { apiError, clusterObject, MemberHarness, virtualNode } from '../../../support/member-harness.js';

const ROOT = { annotations: { 'kosmos.io/cluster-role': 'root' } };

/** Stands for a connection; says what is done with it. */
class FakeConnection {
  readonly config: ClusterConfig;
  readonly kubeconfig: string;
  readonly leaving: boolean;
  readonly #log: string[];
  #listener: () => void = () => undefined;
  #closed = (): void => undefined;
  readonly #end = new Promise<void>((resolve) => (this.#closed = resolve));
  /** What `close` waits for. */
  closing: Promise<void> = Promise.resolve();

  constructor(config: ClusterConfig, kubeconfig: string, leaving: boolean, log: string[]) {
    this.config = config;
    this.kubeconfig = kubeconfig;
    this.leaving = leaving;
    this.#log = log;
  }

  adopt(kubeconfig: string): boolean {
    return kubeconfig.startsWith('same server');
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  changed(): void {
    this.#listener();
  }

  start(): void {
    this.#log.push(`start ${this.config.name}`);
  }

  async lead(signal: AbortSignal): Promise<void> {
    this.#log.push(`lead ${this.config.name}`);
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([aborted, this.#end]);
    this.#log.push(`led ${this.config.name}`);
  }

  async close(): Promise<void> {
    await this.closing;
    this.#closed();
    this.#log.push(`close ${this.config.name}`);
  }
}

describe('whether a Cluster takes part', () => {
  const registered = clusterObject({ metadata: { finalizers: [CLUSTER_FINALIZER] } });
  const table: readonly (readonly [string, Cluster, boolean])[] = [
    ['an ordinary one', clusterObject(), true],
    ['one that is switched on', clusterObject({ spec: { clusterTreeOptions: { enable: true } } }), true],
    ['one that is switched off', clusterObject({ spec: { clusterTreeOptions: { enable: false } } }), false],
    ['one that is being deleted', clusterObject({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), false],
    ["the host's own entry", clusterObject({ metadata: ROOT }), false],
  ];
  for (const [what, cluster, wanted] of table) {
    it(`${what} is ${wanted ? '' : 'not '}wanted`, () => {
      expect(isWanted(cluster)).to.equal(wanted);
    });
  }

  it('it is registered while it has our finalizer', () => {
    expect([isRegistered(registered), isRegistered(clusterObject())]).to.deep.equal([true, false]);
  });

  it('it is the root when it says so', () => {
    expect([isRoot(clusterObject({ metadata: ROOT })), isRoot(clusterObject())]).to.deep.equal([true, false]);
  });
});

describe('MemberRegistry', () => {
  let harness: MemberHarness;
  let cache: Informer<Cluster>;
  let hostNodes: Informer<Node>;
  let registry: MemberRegistry;
  let made: FakeConnection[];
  let log: string[];
  let watched: Map<string, string[]>;
  let kubeconfig: string | Error;
  let connectError: Error | undefined;
  let changes: string[];

  beforeEach(() => {
    harness = new MemberHarness();
    cache = harness.watch(harness.host, clusters);
    hostNodes = harness.hostNodes();
    [made, log, changes, watched] = [[], [], [], new Map<string, string[]>()];
    kubeconfig = 'kubeconfig';
    connectError = undefined;
    registry = new MemberRegistry({
      ...{ clusters: cache, hostNodes, logger: harness.logger },
      hostPods: { setNodes: (cluster, names) => void watched.set(cluster, [...names].sort()) },
      readKubeconfig: () => (kubeconfig instanceof Error ? Promise.reject(kubeconfig) : Promise.resolve(kubeconfig)),
      connect: (config, text, leaving) => {
        if (connectError !== undefined) throw connectError;
        made.push(new FakeConnection(config, text, leaving, log));
        return made.at(-1) as unknown as MemberConnection;
      },
    });
    registry.onChange((cluster) => changes.push(cluster));
  });

  afterEach(async () => {
    await registry.close();
    await harness.end();
  });

  async function put(parts: Parameters<typeof clusterObject>[0] = {}): Promise<void> {
    const object = clusterObject(parts);
    const ref = { name: object.metadata?.name ?? '' };
    if (harness.host.peek(clusters, ref)) harness.host.erase(clusters, ref);
    harness.host.seed(clusters, object);
    await harness.settle(2);
  }

  async function reconcile(name = 'member1'): Promise<Result> {
    return registry.reconcile(name, harness.context);
  }

  async function set(parts?: Parameters<typeof clusterObject>[0]): Promise<Result> {
    await put(parts);
    return reconcile();
  }

  const off = { clusterTreeOptions: { enable: false } };
  const registered = { finalizers: [CLUSTER_FINALIZER] };

  it('connects a Cluster', async () => {
    expect(await set()).to.deep.equal({});
    expect(registry.connection('member1')).to.equal(made[0]);
    expect([made[0]?.kubeconfig, made[0]?.leaving, log]).to.deep.equal(['kubeconfig', false, ['start member1']]);
    expect(changes).to.deep.equal(['member1']);
  });

  it('does nothing when nothing has changed', async () => {
    await set();
    await set({ metadata: { labels: { any: 'label' } } });
    expect(log).to.deep.equal(['start member1']);
  });

  it('keeps the connection when only the credential has changed', async () => {
    await set();
    kubeconfig = 'same server, another token';
    await reconcile();
    await reconcile();
    expect(made).to.have.lengthOf(1);
    expect(log).to.deep.equal(['start member1']);
    expect(JSON.stringify(harness.logs)).to.contain('member credential replaced').and.not.contain('another token');
  });

  it('connects anew when the kubeconfig has changed', async () => {
    await set();
    kubeconfig = 'another';
    await reconcile();
    expect(log).to.deep.equal(['start member1', 'close member1', 'start member1']);
    expect(made[1]?.kubeconfig).to.equal('another');
  });

  it('connects anew when leafModels have changed', async () => {
    await set();
    const leafModels = [{ leafNodeName: 'gpu', nodeSelector: { labelSelector: { matchLabels: { pool: 'gpu' } } } }];
    await set({ spec: { clusterTreeOptions: { leafModels } } });
    expect(made.map(({ config }) => config.mode)).to.deep.equal(['all', 'party']);
  });

  it('looks at a Secret again and again', async () => {
    const spec = { kubeconfig: undefined, kubeconfigSecretRef: { name: 'east' } };
    expect(await set({ spec })).to.deep.equal({ requeueAfterMs: 10_000 });
  });

  it('watches the pods of the nodes that the Cluster wants', async () => {
    await set();
    expect(watched.get('member1')).to.deep.equal(['kosmos-member1']);
  });

  it('watches the pods of nodes too that the Cluster once wanted', async () => {
    harness.host.seed(nodes, virtualNode('kosmos-old-0'));
    harness.host.seed(nodes, virtualNode('kosmos-other', 'other'));
    await set();
    expect(watched.get('member1')).to.deep.equal(['kosmos-member1', 'kosmos-old-0']);
  });

  it("leaves the host's own entry alone", async () => {
    expect(await set({ metadata: ROOT })).to.deep.equal({});
    expect(made).to.be.empty;
  });

  it('cleans up after a member that became the host itself', async () => {
    await set({ metadata: { ...ROOT, ...registered } });
    expect(made[0]?.leaving).to.be.true;
  });

  it('does not connect a Cluster that was never joined and is switched off', async () => {
    await set({ spec: off });
    expect(made).to.be.empty;
  });

  it('replaces the connection of a Cluster that leaves', async () => {
    harness.host.seed(nodes, virtualNode('kosmos-member1'));
    await set({ metadata: registered });
    await set({ metadata: registered, spec: off });
    expect(made.map(({ leaving }) => leaving)).to.deep.equal([false, true]);
    expect(watched.get('member1')).to.deep.equal(['kosmos-member1']);
  });

  it('connects a Cluster that leaves, whatever is wrong with its leafModels', async () => {
    const metadata = { ...registered, deletionTimestamp: '2026-01-01T00:00:00Z' };
    await set({ metadata, spec: { clusterTreeOptions: { leafModels: [] } } });
    expect([made[0]?.leaving, registry.problem('member1')]).to.deep.equal([true, undefined]);
  });

  it('closes the connection of a Cluster that has left', async () => {
    await set({ metadata: registered, spec: off });
    await set({ spec: off });
    expect(registry.connection('member1')).to.be.undefined;
    expect([log.at(-1), watched.get('member1')]).to.deep.equal(['close member1', []]);
  });

  it('closes the connection of a Cluster that is gone', async () => {
    await set();
    harness.host.erase(clusters, { name: 'member1' });
    await harness.settle();
    await reconcile();
    expect([log.at(-1), watched.get('member1')]).to.deep.equal(['close member1', []]);
  });

  it('shows the old connection until it has ended', async () => {
    await set();
    let release = (): void => undefined;
    made[0]!.closing = new Promise<void>((resolve) => (release = resolve));
    kubeconfig = 'another';
    const reconciled = reconcile();
    await harness.settle();
    expect(registry.connection('member1')).to.equal(made[0]);
    release();
    await reconciled;
    expect(registry.connection('member1')).to.equal(made[1]);
  });

  it('goes on with other members while one is slow to close', async () => {
    await set();
    made[0]!.closing = harness.clock.sleep(60_000);
    kubeconfig = 'another';
    const slow = reconcile();
    await put({ metadata: { name: 'member2' } });
    await reconcile('member2');
    expect(registry.connection('member2')).to.not.be.undefined;
    await harness.clock.advance(60_000);
    await slow;
  });

  describe('a Cluster that can not be connected', () => {
    it('has an invalid spec', async () => {
      await set();
      expect(await set({ spec: { clusterTreeOptions: { leafModels: [] } } })).to.deep.equal({ requeueAfterMs: 10_000 });
      expect(registry.problem('member1')).to.have.property('reason', 'InvalidSpec');
      expect([registry.connection('member1'), log.at(-1)]).to.deep.equal([undefined, 'close member1']);
    });

    it('names a Secret that is missing', async () => {
      kubeconfig = apiError(404, 'NotFound', 'secrets "east" not found');
      await set();
      expect(registry.problem('member1')).to.deep.equal({
        reason: 'KubeconfigSecretMissing',
        message: 'secrets "east" not found',
      });
    });

    it('has a bad kubeconfig', async () => {
      connectError = new TerminalError('KUBECONFIG_INVALID', 'names no user');
      await set();
      expect(registry.problem('member1')).to.deep.equal({ reason: 'InvalidKubeconfig', message: 'names no user' });
    });

    it('has a Secret that we may not read', async () => {
      kubeconfig = apiError(403, 'Forbidden');
      await set();
      expect(registry.problem('member1')).to.have.property('reason', 'InvalidKubeconfig');
    });

    it('keeps the watch of the nodes that exist, for they have to be emptied one day', async () => {
      harness.host.seed(nodes, virtualNode('kosmos-member1'));
      kubeconfig = apiError(404, 'NotFound');
      await set();
      expect(watched.get('member1')).to.deep.equal(['kosmos-member1']);
    });

    it('is connected as soon as that is mended', async () => {
      connectError = new TerminalError('KUBECONFIG_INVALID', 'names no user');
      await set();
      connectError = undefined;
      changes.length = 0;
      expect(await reconcile()).to.deep.equal({});
      expect([registry.problem('member1'), changes]).to.deep.equal([undefined, ['member1', 'member1']]);
    });

    it('is told of once', async () => {
      kubeconfig = apiError(404, 'NotFound');
      await set();
      await reconcile();
      expect(changes).to.deep.equal(['member1']);
    });
  });

  const passing = {
    'does not answer': new TransportError('API_UNREACHABLE', 'cut', { mayHaveArrived: false }),
    'is in trouble': apiError(500, 'InternalError'),
    'is overloaded': apiError(429, 'TooManyRequests'),
  };
  for (const [what, error] of Object.entries(passing)) {
    it(`keeps a connection while the host ${what}`, async () => {
      await set();
      kubeconfig = error;
      expect(await reconcile().catch((reason: unknown) => reason)).to.equal(error);
      expect([registry.problem('member1'), registry.connection('member1')]).to.deep.equal([undefined, made[0]]);
    });
  }

  it('takes nothing for a problem that happens while it is stopped', async () => {
    await put();
    kubeconfig = new Error('aborted');
    harness.stop.abort();
    expect(await reconcile().catch((reason: unknown) => reason)).to.equal(kubeconfig);
    expect(registry.problem('member1')).to.be.undefined;
  });

  it('passes on what a connection has to say', async () => {
    await set();
    changes.length = 0;
    made[0]?.changed();
    expect(changes).to.deep.equal(['member1']);
  });

  it('tells nobody who has stopped to listen', async () => {
    const heard: string[] = [];
    registry.onChange((cluster) => heard.push(cluster))();
    await set();
    expect(heard).to.be.empty;
  });

  it('never logs a kubeconfig', async () => {
    kubeconfig = 'very secret';
    await set();
    await registry.close();
    expect(JSON.stringify([harness.logs, registry.problem('member1')])).to.not.contain('very secret');
  });

  describe('while leading', () => {
    let term: AbortController;
    let led: Promise<void>;
    let ended: boolean;

    async function lead(): Promise<void> {
      term = new AbortController();
      ended = false;
      led = registry.lead(term.signal).then(() => void (ended = true));
      await harness.settle();
    }

    it('lets connections write that are there already', async () => {
      await set();
      await lead();
      expect(log).to.deep.equal(['start member1', 'lead member1']);
      term.abort();
      await led;
      expect(log.at(-1)).to.equal('led member1');
    });

    it('lets connections write that come later', async () => {
      await lead();
      await set();
      expect(log).to.deep.equal(['start member1', 'lead member1']);
      term.abort();
      await led;
    });

    it('has not ended before the last of them has', async () => {
      await lead();
      await set();
      let release = (): void => undefined;
      made[0]!.lead = () => new Promise((resolve) => (release = resolve));
      term.abort();
      await led;
      await lead();
      term.abort();
      await harness.settle();
      expect(ended).to.be.false;
      release();
      await led;
    });

    it('lets none write afterwards', async () => {
      await lead();
      term.abort();
      await led;
      await set();
      expect(log).to.deep.equal(['start member1']);
    });

    it('does not wait for a connection that was closed', async () => {
      await set();
      await lead();
      await registry.close();
      term.abort();
      await led;
      expect(log).to.deep.equal(['start member1', 'lead member1', 'close member1', 'led member1']);
    });

    it('ends at once when the term is over already', async () => {
      await set();
      await registry.close();
      await registry.lead(AbortSignal.abort());
      expect(log).to.not.include('lead member1');
    });
  });
});
