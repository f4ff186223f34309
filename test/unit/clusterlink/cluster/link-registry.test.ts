import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { LinkConnection } from '../../../../src/clusterlink/cluster/connection.js';
import { compileLink, type LinkConfig } from '../../../../src/clusterlink/cluster/link-config.js';
import { LinkConnections, LinkRegistry } from '../../../../src/clusterlink/cluster/link-registry.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { type LogFields, type Logger, silentLogger } from '../../../../src/lib/logger.js';
import { linkedCluster } from '../../../support/link-objects.js';
import { apiError } from '../../../support/member-harness.js';

const { signal } = new AbortController();

/** A connection that notes what becomes of it. Kubeconfigs are `<server> <token>`. */
class FakeConnection {
  readonly log: string[] = [];
  listener: () => void = () => undefined;
  readonly #server: string;

  constructor(kubeconfig = '') {
    this.#server = kubeconfig.split(' ')[0] ?? '';
  }

  onChange(listener: () => void): void {
    this.listener = listener;
  }

  start(): void {
    this.log.push('started');
  }

  lead(leading: AbortSignal): Promise<void> {
    this.log.push('leads');
    return new Promise((resolve) => {
      leading.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  adopt(kubeconfig: string): boolean {
    if (kubeconfig === 'broken') throw new Error('kubeconfig: is broken');
    this.log.push(`asked to adopt ${kubeconfig}`);
    return kubeconfig.split(' ')[0] === this.#server;
  }

  close(): Promise<void> {
    this.log.push('closed');
    return Promise.resolve();
  }
}

describe('what is needed of a Cluster to link it', () => {
  it('has Calico unless it says otherwise, with its data in the API unless it says otherwise', () => {
    const { cni, calicoInEtcd } = compileLink(linkedCluster('east'));
    expect([cni, calicoInEtcd]).to.deep.equal(['calico', false]);
    expect(compileLink(linkedCluster('east', { cni: 'Flannel' })).cni).to.equal('flannel');
  });

  for (const [datastoreType, isEtcd] of [
    ['etcdv3', true],
    ['kubernetes', false],
  ] as const) {
    it(`has Calico's data ${isEtcd ? '' : 'not '}in etcd with the annotation datastoreType: ${datastoreType}`, () => {
      const cluster = linkedCluster('east');
      const metadata = { ...cluster.metadata, annotations: { datastoreType } };
      expect(compileLink({ ...cluster, metadata }).calicoInEtcd).to.equal(isEtcd);
    });
  }
});

describe('the registry of linked clusters', () => {
  let clusters: Map<string, Cluster>;
  let kubeconfig: string | Error;
  let made: FakeConnection[];
  let logs: string[];
  let registry: LinkRegistry;

  beforeEach(() => {
    clusters = new Map();
    kubeconfig = 'east one';
    made = [];
    logs = [];
    const info = (message: string, fields?: LogFields): unknown => logs.push(`${message} ${JSON.stringify(fields)}`);
    const logger: Logger = { ...silentLogger, info: (...line) => void info(...line) };
    const connect = (_config: LinkConfig, text: string | undefined): LinkConnection => {
      if (text === 'broken') throw new Error('kubeconfig: is broken');
      const connection = new FakeConnection(text);
      made.push(connection);
      return connection as unknown as LinkConnection;
    };
    registry = new LinkRegistry({
      clusters: { store: clusters } as unknown as Informer<Cluster>,
      source: new LinkConnections({
        readKubeconfig: () => (kubeconfig instanceof Error ? Promise.reject(kubeconfig) : Promise.resolve(kubeconfig)),
        connect,
      }),
      logger,
    });
  });

  const reconcile = async (cluster: Cluster | undefined): Promise<unknown> => {
    if (cluster === undefined) clusters.delete('east');
    else clusters.set('east', cluster);
    return registry.reconcile('east', { signal });
  };
  const fromSecret = (): Cluster => {
    const { spec, ...rest } = linkedCluster('east');
    return { ...rest, spec: { clusterLinkOptions: spec.clusterLinkOptions, kubeconfigSecretRef: { name: 'east' } } };
  };

  it('connects to a cluster that is linked, and keeps that while nothing changes', async () => {
    for (let turn = 0; turn < 3; turn++) expect(await reconcile(linkedCluster('east'))).to.deep.equal({});
    expect(made.map(({ log }) => log)).to.deep.equal([['started']]);
    expect(registry.connection('east')).to.equal(made[0]);
    expect([...registry.connections.keys()]).to.deep.equal(['east']);
  });

  it('takes over a new token without making the connection anew', async () => {
    await reconcile(linkedCluster('east'));
    kubeconfig = 'east two';
    await reconcile(linkedCluster('east'));
    await reconcile(linkedCluster('east'));
    expect(made.map(({ log }) => log)).to.deep.equal([['started', 'asked to adopt east two']]);
    expect(logs.at(-1)).to.equal('member credential replaced {"cluster":"east"}');
  });

  it('makes the connection anew when the kubeconfig leads to another server', async () => {
    await reconcile(linkedCluster('east'));
    kubeconfig = 'elsewhere two';
    await reconcile(linkedCluster('east'));
    expect(made.map(({ log }) => log)).to.deep.equal([
      ['started', 'asked to adopt elsewhere two', 'closed'],
      ['started'],
    ]);
  });

  it('makes the connection anew when the CNI is another one, whatever the token', async () => {
    await reconcile(linkedCluster('east'));
    kubeconfig = 'east two';
    await reconcile(linkedCluster('east', { cni: 'flannel' }));
    expect(made.map(({ log }) => log)).to.deep.equal([['started', 'closed'], ['started']]);
  });

  it('gives up the connection when the new kubeconfig is bad, and says why', async () => {
    await reconcile(linkedCluster('east'));
    kubeconfig = 'broken';
    await reconcile(linkedCluster('east'));
    expect(registry.connection('east')).to.equal(undefined);
    expect(registry.problem('east')).to.deep.equal({ reason: 'InvalidKubeconfig', message: 'kubeconfig: is broken' });
    kubeconfig = 'east three';
    await reconcile(linkedCluster('east'));
    expect([made.length, registry.problem('east')]).to.deep.equal([2, undefined]);
  });

  it('has a problem and no connection when there is no such Secret, and looks again', async () => {
    kubeconfig = apiError(404, 'NotFound', 'secrets "east" not found');
    expect(await reconcile(fromSecret())).to.deep.equal({ requeueAfterMs: 10_000 });
    expect(registry.problem('east')).to.include({ reason: 'KubeconfigSecretMissing' });
  });

  it('has a problem with a Cluster that says two things', async () => {
    const both = { ...linkedCluster('east'), spec: { ...linkedCluster('east').spec, ...fromSecret().spec } };
    await reconcile(both);
    expect(registry.problem('east')?.reason).to.equal('InvalidSpec');
    expect(registry.problem('east')?.message).to.contain('exclude each other');
  });

  const passing: readonly (readonly [string, Error])[] = [
    ['does not answer', new TransportError('API_UNREACHABLE', 'refused', { mayHaveArrived: false })],
    ['is starting', apiError(503, 'ServiceUnavailable')],
    ['is busy', apiError(429, 'TooManyRequests')],
  ];
  for (const [what, error] of passing) {
    it(`keeps the connection while the host's API server ${what}`, async () => {
      await reconcile(fromSecret());
      kubeconfig = error;
      const failure = await reconcile(fromSecret()).catch((reason: unknown) => reason);
      expect(failure).to.equal(error);
      expect(made[0]?.log).to.deep.equal(['started']);
      expect([registry.connection('east') === undefined, registry.problem('east')]).to.deep.equal([false, undefined]);
    });
  }

  it('closes the connection of a Cluster that is gone, or no longer linked', async () => {
    await reconcile(linkedCluster('east'));
    await reconcile(linkedCluster('east', { enable: false }));
    expect([registry.connection('east'), made[0]?.log.at(-1)]).to.deep.equal([undefined, 'closed']);
    await reconcile(linkedCluster('east'));
    await reconcile(undefined);
    expect([registry.connections.size, made[1]?.log.at(-1)]).to.deep.equal([0, 'closed']);
  });

  it('forgets the problem of a Cluster that is gone', async () => {
    kubeconfig = 'broken';
    await reconcile(linkedCluster('east'));
    await reconcile(undefined);
    expect(registry.problem('east')).to.equal(undefined);
  });

  it('lets connections write that are there, and those that come, while it leads', async () => {
    await reconcile(linkedCluster('east'));
    const term = new AbortController();
    const leading = registry.lead(term.signal);
    kubeconfig = 'elsewhere one';
    await reconcile(linkedCluster('east'));
    term.abort();
    await leading;
    kubeconfig = 'third one';
    await reconcile(linkedCluster('east'));
    expect(made.map(({ log }) => log.includes('leads'))).to.deep.equal([true, true, false]);
  });

  it('tells of connections and problems that come and go, and of what changes in them', async () => {
    const told: string[] = [];
    const stop = registry.onChange((cluster) => told.push(cluster));
    const count = async (work: () => unknown): Promise<number> => {
      told.length = 0;
      await work();
      return told.length;
    };
    expect(await count(() => reconcile(linkedCluster('east')))).to.equal(1);
    expect(await count(() => made[0]?.listener())).to.equal(1);
    expect(await count(() => reconcile(linkedCluster('east')))).to.equal(0);
    kubeconfig = 'broken';
    expect(await count(() => reconcile(linkedCluster('east')))).to.be.greaterThan(0);
    expect(await count(() => reconcile(linkedCluster('east')))).to.equal(0);
    stop();
    expect(await count(() => reconcile(undefined))).to.equal(0);
  });

  it('closes all of them in the end', async () => {
    await reconcile(linkedCluster('east'));
    await registry.close();
    expect([registry.connections.size, made[0]?.log.at(-1)]).to.deep.equal([0, 'closed']);
  });
});
