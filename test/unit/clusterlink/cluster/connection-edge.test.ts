import { expect } from 'chai';
import { allDone } from '../../../../src/clusterlink/cluster/all-done.js';
import { LinkConnection } from '../../../../src/clusterlink/cluster/connection.js';
import type { LinkFeature } from '../../../../src/clusterlink/cluster/link-member.js';
import { NetworkSources } from '../../../../src/clusterlink/cluster/network-sources.js';
import { ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { blockAffinities, ipPools, serviceCidrs } from '../../../../src/kube/network-resources.js';
import { nodes, pods } from '../../../../src/kube/resource.js';
import { settle } from '../../../support/fake-clock.js';
import { LINK_CONFIG, LINKED, LinkHarness } from '../../../support/link-harness.js';
import { nodeConfig } from '../../../support/link-objects.js';
import { apiError, HOST_UID } from '../../../support/member-harness.js';

describe('a connection to a linked cluster', () => {
  let harness: LinkHarness;
  let log: string[];

  beforeEach(() => {
    harness = new LinkHarness();
    log = [];
  });

  afterEach(() => harness.end());

  /** Leads until it is aborted, and needs some time to end. */
  const feature: LinkFeature = {
    name: 'slow',
    open: () => ({
      lead: async (signal) => {
        log.push('leads');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await settle();
        log.push('ended');
      },
    }),
  };

  function open(features: readonly LinkFeature[] = [feature]): LinkConnection {
    const { client, createInformer, clock, logger } = harness;
    return new LinkConnection({
      ...{ client, createInformer, clock, logger, features, config: LINK_CONFIG },
      ownership: ownershipOf(HOST_UID, LINKED),
      adopt: (kubeconfig) => kubeconfig === 'with another token',
      closeClient: () => {
        log.push('client closed');
        return Promise.resolve();
      },
    });
  }

  it('reads nothing before it is started', async () => {
    const connection = open();
    await harness.calm();
    expect(harness.client.callsOf({ verb: 'list' })).to.deep.equal([]);
    expect([connection.synced, connection.problem]).to.deep.equal([false, undefined]);
    await connection.close();
  });

  it('waits in the end for all that leads, and closes its client once', async () => {
    const connection = open();
    connection.start();
    const leading = connection.lead(harness.signal);
    await harness.calm();
    await connection.close();
    await leading;
    expect(log).to.have.members(['leads', 'client closed', 'ended']);
    expect(harness.logs.filter(({ message }) => message === 'part of a linked cluster ended')).to.deep.equal([]);
  });

  it('leads no more when it was closed, though it is asked to', async () => {
    const connection = open([
      { name: 'quick', open: () => ({ lead: (signal) => Promise.resolve(void log.push(String(signal.aborted))) }) },
    ]);
    connection.start();
    await connection.close();
    await connection.lead(harness.signal);
    expect(log).to.deep.equal(['client closed', 'true']);
  });

  it('leads again in another term', async () => {
    const connection = open();
    connection.start();
    for (const term of [new AbortController(), new AbortController()]) {
      const leading = connection.lead(term.signal);
      await harness.calm();
      term.abort();
      await leading;
    }
    expect(log).to.deep.equal(['leads', 'ended', 'leads', 'ended']);
    await connection.close();
  });

  it('keeps the other features at work when one fails', async () => {
    const bad: LinkFeature = { name: 'bad', open: () => ({ lead: () => Promise.reject(new Error('bad news')) }) };
    const connection = open([bad, feature]);
    connection.start();
    const leading = connection.lead(harness.signal);
    await harness.calm();
    expect(log).to.deep.equal(['leads']);
    expect(harness.logs.filter(({ message }) => message === 'part of a linked cluster ended')).to.have.length(1);
    await connection.close();
    await leading;
  });

  it('takes over what another kubeconfig shows', async () => {
    const connection = open();
    expect([connection.adopt('with another token'), connection.adopt('of another server')]).to.deep.equal([
      true,
      false,
    ]);
    await connection.close();
  });

  it('sees the NodeConfigs of this federation, and none of another', async () => {
    harness.seedConfig('n1');
    harness.client.seed(nodeConfigs, nodeConfig(LINKED, 'foreign'));
    const connection = open();
    connection.start();
    await harness.calm();
    expect(connection.nodeConfigs.store.list().map(({ spec }) => spec.nodeName)).to.deep.equal(['n1']);
    await connection.close();
  });

  it('keeps what it knows while the cluster is away, and says what is wrong', async () => {
    harness.seedNode('n1', '10.1.0.0/24');
    const connection = open();
    connection.start();
    await harness.calm();
    harness.client.fail({ verb: 'watch', type: nodes, error: apiError(403, 'Forbidden', 'no more'), times: 1_000 });
    harness.client.fail({ verb: 'list', type: nodes, error: apiError(403, 'Forbidden', 'no more'), times: 1_000 });
    connection.nodes.reconnect();
    // A watch that is open again soon is no problem.
    await harness.calm(5_000);
    expect([connection.synced, connection.problem]).to.deep.equal([true, undefined]);
    await harness.calm(15_000);
    expect([connection.synced, connection.problem]).to.deep.equal([true, 'no more']);
    expect(connection.nodes.store.list().map(({ metadata }) => metadata.name)).to.deep.equal(['n1']);
    await connection.close();
  });
});

describe("what a cluster's ranges are read from", () => {
  let harness: LinkHarness;

  beforeEach(() => {
    harness = new LinkHarness();
  });

  afterEach(() => harness.end());

  function sources(cni: string): NetworkSources {
    const { client, createInformer } = harness;
    const made = new NetworkSources({ cluster: LINKED, client, createInformer, config: { cni, calicoInEtcd: false } });
    harness.track(made.run(harness.signal));
    return made;
  }

  it('is not known before the cluster has answered', () => {
    const { serviceCidrs: services, ipPools: pools, flannel } = sources('calico').facts;
    expect([services.state, pools.state, flannel.state]).to.deep.equal(['unknown', 'unknown', 'absent']);
  });

  it('is absent where the cluster does not serve it, or not to us; all else is known', async () => {
    harness.client.fail({
      verb: 'list',
      type: serviceCidrs,
      error: apiError(404, 'NotFound', 'no such kind'),
      times: 100,
    });
    harness.client.fail({ verb: 'list', type: pods, error: apiError(403, 'Forbidden', 'not you'), times: 100 });
    const made = sources('calico');
    await harness.calm();
    const { facts } = made;
    expect([facts.serviceCidrs, facts.controlPlane].map(({ state, message }) => [state, message])).to.deep.equal([
      ['absent', 'no such kind'],
      ['absent', 'not you'],
    ]);
    expect([facts.ipPools.state, facts.blockAffinities.state]).to.deep.equal(['known', 'known']);
  });

  it('is unknown, with a reason, while the cluster only fails', async () => {
    harness.client.fail({
      verb: 'list',
      type: ipPools,
      error: apiError(500, 'InternalError', 'etcd is away'),
      times: 100,
    });
    const made = sources('calico');
    await harness.calm();
    expect(made.facts.ipPools).to.deep.equal({ state: 'unknown', objects: [], message: 'etcd is away' });
  });

  it('tells of objects that come, change and go', async () => {
    const made = sources('calico');
    await harness.calm();
    let told = 0;
    made.onChange(() => told++);
    const block = harness.client.seed(blockAffinities, { metadata: { name: 'b1' }, spec: {} });
    await harness.calm();
    expect([told, made.facts.blockAffinities.objects.length]).to.deep.equal([1, 1]);
    await harness.client.delete(blockAffinities, { name: block.metadata?.name ?? '' });
    await harness.calm();
    expect([told, made.facts.blockAffinities.objects.length]).to.deep.equal([2, 0]);
  });

  it('is the same for a CNI that nobody knows as for none in particular', () => {
    const { facts } = sources('weave');
    expect([facts.ipPools, facts.flannel, facts.cilium, facts.ciliumNodes].map(({ state }) => state)).to.deep.equal(
      Array(4).fill('absent'),
    );
  });
});

describe('allDone', () => {
  it('is done at once for nothing', async () => {
    await allDone([]);
  });

  it('runs everything, in order, some at a time', async () => {
    let running = 0;
    let most = 0;
    const begun: number[] = [];
    const tasks = Array.from({ length: 100 }, (_none, index) => async () => {
      begun.push(index);
      most = Math.max(most, ++running);
      await settle();
      running--;
    });
    await allDone(tasks);
    expect(begun).to.deep.equal(tasks.map((_task, index) => index));
    expect(most).to.equal(16);
  });

  it('fails with the first error of the list, not with the first in time', async () => {
    const late = async (): Promise<void> => {
      await settle();
      throw new Error('late');
    };
    const failure = await allDone([late, () => Promise.reject(new Error('early'))]).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'late');
  });
});
