import { expect } from 'chai';
import type { Pod } from '../../../src/apis/core.js';
import { Informer } from '../../../src/kube/informer.js';
import { pods } from '../../../src/kube/resource.js';
import { type LogFields, silentLogger } from '../../../src/lib/logger.js';
import { sendStatus } from '../../support/http-api-server.js';
import { InformerHarness } from '../../support/informer-harness.js';
import { waitFor } from '../../support/wait-for.js';

describe('Informer', () => {
  let h: InformerHarness;

  beforeEach(async () => {
    h = await InformerHarness.open();
  });

  afterEach(() => h.close());

  it('lists in pages, then watches from there', async () => {
    for (let i = 0; i < 7; i++) h.server.put(`p${i}`);
    await h.start({ pageSize: 3, labelSelector: 'a=b', fieldSelector: 'spec.nodeName=n', namespace: 'default' });
    expect(h.names()).to.have.length(7);
    expect(h.server.lists.map(({ query }) => [query.get('limit'), query.has('resourceVersion')])).to.deep.equal([
      ['3', false],
      ['3', false],
      ['3', false],
    ]);
    const [watch] = h.server.watches;
    expect(watch?.path).to.equal('/api/v1/namespaces/default/pods');
    expect(Object.fromEntries(watch?.query ?? [])).to.deep.equal({
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: 'a=b',
      fieldSelector: 'spec.nodeName=n',
      resourceVersion: String(h.server.version),
      timeoutSeconds: '300',
    });
  });

  it('asks for watches of 5 to 10 minutes, at random', async () => {
    await h.start({ random: () => 0.5 });
    expect(h.server.watches[0]?.query.get('timeoutSeconds')).to.equal('450');
  });

  it('follows changes', async () => {
    h.server.put('a');
    await h.start();
    h.server.put('b');
    h.server.put('a', { status: { phase: 'Running' } });
    h.server.remove('b');
    await waitFor('the events', () => h.heard.length === 4);
    expect(h.heard).to.deep.equal(['+a initial', '+b', '~a', '-b']);
    expect(h.informer.store.get('default/a')).to.deep.include({
      apiVersion: 'v1',
      kind: 'Pod',
      status: { phase: 'Running' },
    });
  });

  it('drops what nobody reads, unless it is told otherwise', async () => {
    h.server.put('a', { metadata: { managedFields: [{ manager: 'm' }] } });
    await h.start();
    expect(h.informer.store.get('default/a')?.metadata).not.to.have.property('managedFields');
  });

  it('has indexes', async () => {
    h.server.put('a', { spec: { nodeName: 'n1' } });
    await h.start({ indexers: { byNode: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]) } });
    expect(h.informer.store.byIndex('byNode', 'n1')).to.have.length(1);
  });

  it('keeps what the transform makes of objects', async () => {
    h.server.put('a', { spec: { nodeName: 'n1' } });
    const small = new Informer<Pod, string>({
      client: h.client,
      type: pods,
      clock: h.clock,
      transform: (pod) => pod.spec?.nodeName,
    });
    const run = small.run(h.stop.signal);
    await small.synced(AbortSignal.timeout(5000));
    expect(small.store.list()).to.deep.equal(['n1']);
    h.stop.abort();
    await run;
  });

  it('tells a late handler of what is there, until it is removed', async () => {
    h.server.put('a');
    await h.start();
    const late: string[] = [];
    const remove = h.informer.addHandler({
      onAdd: (object, initial) => late.push(`${object.metadata?.name} ${initial}`),
    });
    expect(late).to.deep.equal(['a true']);
    remove();
    h.server.put('b');
    await h.settled();
    expect(late).to.have.length(1);
  });

  it('survives handlers that throw', async () => {
    const logged: LogFields[] = [];
    h.create({ logger: { ...silentLogger, error: (_message, fields) => logged.push(fields ?? {}) } });
    h.informer.addHandler({
      onAdd: () => {
        throw new Error('bad handler');
      },
    });
    h.run();
    await h.synced();
    h.server.put('a');
    h.server.put('b');
    await h.settled();
    expect(logged).to.have.length(2);
  });

  describe('synced', () => {
    it('is true from the first complete list on', async () => {
      h.server.listFaults.push((_request, response) => sendStatus(response, 500, 'InternalError'));
      h.create();
      h.run();
      await h.backOff(800);
      expect(h.informer.hasSynced).to.equal(false);
      await h.synced();
      expect(h.informer.hasSynced).to.equal(true);
      await h.informer.synced(AbortSignal.abort());
    });

    it('can be given up', async () => {
      const reason = new Error('stop');
      const giveUp = new AbortController();
      const waiting = h.create().synced(giveUp.signal);
      giveUp.abort(reason);
      expect(await waiting.catch((error: unknown) => error)).to.equal(reason);
      expect(await h.informer.synced(AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
    });
  });

  describe('knows whether it is connected', () => {
    it('and for how long it has not been', async () => {
      h.create();
      expect([h.informer.connected, h.informer.lastSyncAgeMs]).to.deep.equal([false, Infinity]);
      h.run();
      await h.watching();
      expect(h.informer.lastSyncAgeMs).to.equal(0);
      h.server.watchFaults.push((_request, response) => sendStatus(response, 500, 'InternalError'));
      h.server.cut();
      await waitFor('the cut', () => !h.informer.connected);
      await h.clock.advance(500);
      expect(h.informer.lastSyncAgeMs).to.equal(500);
      await h.clock.advance(300);
      await h.backOff(1600);
      await h.watching();
      expect(h.informer.lastSyncAgeMs).to.equal(0);
    });

    it('and stays so when the server ends the watch as agreed', async () => {
      await h.start();
      await h.watching();
      h.server.put('a');
      await h.settled();
      h.server.endWatches();
      await waitFor('the next watch', () => h.server.watches.length === 2);
      expect(h.ends).to.deep.equal(['clean']);
      expect(h.informer.connected).to.equal(true);
    });

    it('and is not after it was stopped', async () => {
      await h.start();
      await h.watching();
      h.stop.abort();
      await h.close();
      expect(h.informer.connected).to.equal(false);
    });
  });

  describe('with what a write returned', () => {
    it('has it before the watch does, and hears of it once', async () => {
      await h.start();
      await h.watching();
      h.server.stalled = true;
      const object = h.server.put('a') as Pod;
      h.informer.assume(object);
      expect(h.names()).to.deep.equal(['a']);
      h.server.flush();
      h.server.put('b');
      await waitFor('the events', () => h.heard.includes('+b'));
      expect(h.heard).to.deep.equal(['+a', '+b']);
    });

    it('is corrected by a list when it was wrong', async () => {
      await h.start();
      await h.watching();
      h.informer.assume({
        metadata: { name: 'x', namespace: 'default', resourceVersion: String(h.server.version + 1) },
      });
      expect(h.names()).to.deep.equal(['x']);
      h.server.bookmark();
      await waitFor('the list', () => h.server.lists.length === 2);
      await h.settled();
      expect(h.names()).to.deep.equal([]);
    });
  });

  it('stops at once, wherever it is, and leaves nothing behind', async () => {
    for (const where of ['list', 'watch', 'back-off']) {
      const local = new AbortController();
      if (where === 'list') h.server.listFaults.push(() => undefined);
      if (where === 'back-off') h.server.listFaults.push((_request, response) => sendStatus(response, 500, 'x'));
      const requests = h.server.http.requests.length;
      const run = h.create().run(local.signal);
      await waitFor('the request', () => h.server.http.requests.length > requests);
      if (where === 'watch') await h.watching();
      if (where === 'back-off') await waitFor('the back-off', () => h.clock.nextTimerInMs === 800);
      local.abort(new Error('stop'));
      await run;
      expect(h.clock.pendingTimers, where).to.equal(0);
    }
    await waitFor('the end of the watch', () => h.server.watchers === 0);
  });
});
