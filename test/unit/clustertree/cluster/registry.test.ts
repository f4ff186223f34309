import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { MemberRegistry } from '../../../../src/clustertree/cluster/registry.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { FederationError, TerminalError } from '../../../../src/lib/errors.js';
import { silentLogger } from '../../../../src/lib/logger.js';

const EAST: Cluster = {
  apiVersion: 'kosmos.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'east' },
  spec: { kubeconfigSecretRef: { namespace: 'kosmos-system', name: 'east' } },
};

/** A registry whose kubeconfigs and connections are words. */
class Harness {
  readonly log: string[] = [];
  readonly registry: MemberRegistry;
  cluster: Cluster | undefined = EAST;
  kubeconfig: string | Error = 'first';

  constructor() {
    this.registry = new MemberRegistry({
      clusters: { store: { get: () => this.cluster } } as never,
      hostNodes: { store: { list: () => [] } } as never,
      hostPods: {
        setNodes: (_cluster: string, nodes: ReadonlySet<string>) => this.log.push(`${nodes.size} nodes`),
      } as never,
      readKubeconfig: () =>
        this.kubeconfig instanceof Error ? Promise.reject(this.kubeconfig) : Promise.resolve(this.kubeconfig),
      connect: (_config, kubeconfig) => this.#connect(kubeconfig) as never,
      logger: silentLogger,
    });
  }

  reconcile(): Promise<unknown> {
    return this.registry.reconcile('east', { signal: new AbortController().signal });
  }

  #connect(kubeconfig: string): object {
    if (kubeconfig === 'bad') throw new TerminalError('KUBECONFIG_INVALID', 'no server');
    return {
      onChange: () => undefined,
      start: () => this.log.push(`open ${kubeconfig}`),
      close: () => Promise.resolve(void this.log.push(`close ${kubeconfig}`)),
    };
  }
}

describe('MemberRegistry', () => {
  let h: Harness;

  beforeEach(async () => {
    h = new Harness();
    await h.reconcile();
    expect(h.log.splice(0)).to.deep.equal(['1 nodes', 'open first']);
  });

  it('leaves a connection alone that nothing has changed for', async () => {
    await h.reconcile();
    expect(h.log).to.deep.equal(['1 nodes']);
  });

  it('makes a new one when the kubeconfig has changed', async () => {
    h.kubeconfig = 'second';
    await h.reconcile();
    expect(h.log).to.deep.equal(['1 nodes', 'close first', 'open second']);
  });

  const noAnswers: Error[] = [
    new TransportError('API_UNREACHABLE', 'refused', { mayHaveArrived: false }),
    new TransportError('API_TIMEOUT', 'late', { mayHaveArrived: true }),
    new ApiError({ code: 503 }),
    new ApiError({ code: 403 }),
    new FederationError('CREDENTIAL_FAILED', 'no token'),
  ];
  for (const error of noAnswers) {
    it(`keeps the connection when the host does not give the kubeconfig: ${error.message}`, async () => {
      h.kubeconfig = error;
      expect(await h.reconcile().catch((reason: unknown) => reason)).to.equal(error);
      expect([h.log, h.registry.problem('east')]).to.deep.equal([[], undefined]);
      expect(h.registry.connection('east')).to.not.equal(undefined);
    });
  }

  it('tells of such a failure when there is no connection yet', async () => {
    const fresh = new Harness();
    fresh.kubeconfig = new ApiError({ code: 403, message: 'forbidden' });
    await fresh.reconcile();
    expect(fresh.registry.problem('east')).to.deep.equal({ reason: 'InvalidKubeconfig', message: 'forbidden' });
  });

  const verdicts: [string, string | Error, string][] = [
    ['is bad', 'bad', 'InvalidKubeconfig'],
    ['is gone', new ApiError({ code: 404, reason: 'NotFound' }), 'KubeconfigSecretMissing'],
    ['was never given', new TerminalError('KUBECONFIG_INVALID', 'missing'), 'InvalidKubeconfig'],
  ];
  for (const [name, kubeconfig, reason] of verdicts) {
    it(`ends the connection when the kubeconfig ${name}`, async () => {
      h.kubeconfig = kubeconfig;
      await h.reconcile();
      expect(h.registry.problem('east')?.reason).to.equal(reason);
      expect(h.registry.connection('east')).to.equal(undefined);
      h.kubeconfig = 'first';
      await h.reconcile();
      expect(h.registry.problem('east')).to.equal(undefined);
    });
  }

  it('ends the connection of a Cluster that is gone', async () => {
    h.cluster = undefined;
    await h.reconcile();
    expect(h.log).to.deep.equal(['0 nodes', 'close first']);
  });
});
