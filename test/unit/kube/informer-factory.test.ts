import { expect } from 'chai';
import { createInformerFactory } from '../../../src/kube/informer-factory.js';
import { pods } from '../../../src/kube/resource.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';
import { apiError } from '../../support/member-harness.js';

describe('createInformerFactory', () => {
  let clock: FakeClock;
  let client: FakeKubeClient;
  let stop: AbortController;
  let listed: string[];

  beforeEach(() => {
    clock = new FakeClock();
    client = new FakeKubeClient();
    stop = new AbortController();
    listed = [];
  });

  const observe = (cluster: string): { listed: (resource: string) => number } => ({
    listed: (resource) => listed.push(`${cluster} ${resource}`),
  });

  it('makes informers with the settings of the process and their own', async () => {
    const createInformer = createInformerFactory({ clock, pageSize: 1 }, observe);
    for (const name of ['a', 'b']) client.seed(pods, { metadata: { namespace: 'x', name } });
    const informer = createInformer({ client, type: pods, cluster: 'member1', fieldSelector: 'metadata.name=a' });
    const running = informer.run(stop.signal);
    await settle();
    expect([...informer.store.keys()]).to.deep.equal(['x/a']);
    expect(client.callsOf({ verb: 'list' })[0]?.options).to.include({ limit: 1 });
    stop.abort();
    await running;
    expect(listed).to.deep.equal(['member1 pods']);
  });

  it('counts informers of no Cluster for the host', async () => {
    const running = createInformerFactory({ clock }, observe)({ client, type: pods }).run(stop.signal);
    await settle();
    stop.abort();
    await running;
    expect(listed).to.deep.equal(['host pods']);
  });

  it('makes informers that say why they can not do their work, until they can', async () => {
    const error = apiError(403, 'Forbidden');
    client.fail({ verb: 'list', error });
    const informer = createInformerFactory({ clock, random: () => 0.5 })({ client, type: pods });
    expect(informer.lastError).to.be.undefined;
    const running = informer.run(stop.signal);
    await settle();
    expect(informer.lastError).to.equal(error);
    await clock.advance(5_000);
    expect([informer.lastError, informer.hasSynced]).to.deep.equal([undefined, true]);
    stop.abort();
    await running;
  });
});
