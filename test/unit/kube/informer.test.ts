import { expect } from 'chai';
import type { KubeObject, Pod } from '../../../src/apis/core.js';
import type { KubeClient } from '../../../src/kube/client.js';
import { createKubeClient } from '../../../src/kube/http-client.js';
import { Informer, type InformerOptions } from '../../../src/kube/informer.js';
import { pods } from '../../../src/kube/resource.js';
import { createTransport } from '../../../src/kube/transport.js';
import { type LogFields, silentLogger } from '../../../src/lib/logger.js';
import { FakeApiServer } from '../../support/fake-api-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { accessTo, sendStatus } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

/** Real sockets, a clock that the test moves: only back-off and watchdogs wait for it. */
describe('Informer', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  let clock: FakeClock;
  let stop: AbortController;
  let running: Promise<void>;
  let informer: Informer<Pod>;
  let heard: string[];
  let ends: string[];

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock();
    client = createKubeClient(createTransport({ access: accessTo(server.http), clock }), { clock });
    stop = new AbortController();
    running = Promise.resolve();
    heard = [];
    ends = [];
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await client.close();
    await server.close();
  });

  function create(options: Partial<InformerOptions<Pod, Pod>> = {}): Informer<Pod> {
    informer = new Informer<Pod>({
      client,
      type: pods,
      clock,
      random: () => 0,
      freeze: true,
      observer: { watchEnded: (_resource, reason) => ends.push(reason) },
      ...options,
    });
    informer.addHandler({
      onAdd: (object, initial) => heard.push(`+${object.metadata?.name}${initial ? ' initial' : ''}`),
      onUpdate: (_old, object) => heard.push(`~${object.metadata?.name}`),
      onDelete: (old) => heard.push(`-${old.metadata?.name}`),
    });
    return informer;
  }

  async function start(options: Partial<InformerOptions<Pod, Pod>> = {}): Promise<Informer<Pod>> {
    create(options);
    running = informer.run(stop.signal);
    await informer.synced(AbortSignal.timeout(5000));
    return informer;
  }

  function names(): string[] {
    return [...informer.store.keys()].map((key) => key.slice('default/'.length)).sort();
  }

  /** Waits until the store is what a fresh list would show. */
  function settled(): Promise<void> {
    const version = (object: KubeObject): string => `${object.metadata?.name}@${object.metadata?.resourceVersion}`;
    const expected = (): string => server.list().map(version).sort().join();
    return waitFor(
      'the store to agree with the server',
      () => informer.store.list().map(version).sort().join() === expected(),
    );
  }

  function watching(): Promise<void> {
    return waitFor('a watch', () => server.watchers === 1 && informer.connected);
  }

  /** Lets the informer back off and come back. */
  async function backOff(ms: number): Promise<void> {
    await waitFor('the back-off', () => clock.nextTimerInMs === ms);
    await clock.advance(ms);
  }

  it('lists in pages, then watches from there', async () => {
    for (let i = 0; i < 7; i++) server.put(`p${i}`);
    await start({ pageSize: 3, labelSelector: 'a=b', fieldSelector: 'spec.nodeName=n', namespace: 'default' });
    expect(names()).to.have.length(7);
    expect(server.lists.map(({ query }) => [query.get('limit'), query.has('resourceVersion')])).to.deep.equal([
      ['3', false],
      ['3', false],
      ['3', false],
    ]);
    const [watch] = server.watches;
    expect(watch?.path).to.equal('/api/v1/namespaces/default/pods');
    expect(Object.fromEntries(watch?.query ?? [])).to.deep.equal({
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: 'a=b',
      fieldSelector: 'spec.nodeName=n',
      resourceVersion: String(server.version),
      timeoutSeconds: '300',
    });
  });

  it('asks for watches of 5 to 10 minutes, at random', async () => {
    await start({ random: () => 0.5 });
    expect(server.watches[0]?.query.get('timeoutSeconds')).to.equal('450');
  });

  it('follows changes', async () => {
    server.put('a');
    await start();
    server.put('b');
    server.put('a', { status: { phase: 'Running' } });
    server.remove('b');
    await waitFor('the events', () => heard.length === 4);
    expect(heard).to.deep.equal(['+a initial', '+b', '~a', '-b']);
    expect(informer.store.get('default/a')).to.deep.include({
      apiVersion: 'v1',
      kind: 'Pod',
      status: { phase: 'Running' },
    });
  });

  it('drops what nobody reads, unless it is told otherwise', async () => {
    server.put('a', { metadata: { managedFields: [{ manager: 'm' }] } });
    await start();
    expect(informer.store.get('default/a')?.metadata).not.to.have.property('managedFields');
  });

  it('has indexes', async () => {
    server.put('a', { spec: { nodeName: 'n1' } });
    await start({ indexers: { byNode: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]) } });
    expect(informer.store.byIndex('byNode', 'n1')).to.have.length(1);
  });

  it('keeps what the transform makes of objects', async () => {
    server.put('a', { spec: { nodeName: 'n1' } });
    const small = new Informer<Pod, string>({ client, type: pods, clock, transform: (pod) => pod.spec?.nodeName });
    const run = small.run(stop.signal);
    await small.synced(AbortSignal.timeout(5000));
    expect(small.store.list()).to.deep.equal(['n1']);
    stop.abort();
    await run;
  });

  it('tells a late handler of what is there, until it is removed', async () => {
    server.put('a');
    await start();
    const late: string[] = [];
    const remove = informer.addHandler({
      onAdd: (object, initial) => late.push(`${object.metadata?.name} ${initial}`),
    });
    expect(late).to.deep.equal(['a true']);
    remove();
    server.put('b');
    await settled();
    expect(late).to.have.length(1);
  });

  it('survives handlers that throw', async () => {
    const logged: LogFields[] = [];
    create({ logger: { ...silentLogger, error: (_message, fields) => logged.push(fields ?? {}) } });
    informer.addHandler({
      onAdd: () => {
        throw new Error('bad handler');
      },
    });
    running = informer.run(stop.signal);
    await informer.synced(AbortSignal.timeout(5000));
    server.put('a');
    server.put('b');
    await settled();
    expect(logged).to.have.length(2);
  });

  describe('synced', () => {
    it('is true from the first complete list on', async () => {
      server.listFaults.push((_request, response) => sendStatus(response, 500, 'InternalError'));
      create();
      running = informer.run(stop.signal);
      await backOff(800);
      expect(informer.hasSynced).to.equal(false);
      await informer.synced(AbortSignal.timeout(5000));
      expect(informer.hasSynced).to.equal(true);
      await informer.synced(AbortSignal.abort());
    });

    it('can be given up', async () => {
      const reason = new Error('stop');
      const giveUp = new AbortController();
      const waiting = create().synced(giveUp.signal);
      giveUp.abort(reason);
      expect(await waiting.catch((error: unknown) => error)).to.equal(reason);
      expect(await informer.synced(AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
    });
  });

  describe('knows whether it is connected', () => {
    it('and for how long it has not been', async () => {
      create();
      expect([informer.connected, informer.lastSyncAgeMs]).to.deep.equal([false, Infinity]);
      running = informer.run(stop.signal);
      await watching();
      expect(informer.lastSyncAgeMs).to.equal(0);
      server.watchFaults.push((_request, response) => sendStatus(response, 500, 'InternalError'));
      server.cut();
      await waitFor('the cut', () => !informer.connected);
      await clock.advance(500);
      expect(informer.lastSyncAgeMs).to.equal(500);
      await clock.advance(300);
      await backOff(1600);
      await watching();
      expect(informer.lastSyncAgeMs).to.equal(0);
    });

    it('and stays so when the server ends the watch as agreed', async () => {
      await start();
      await watching();
      server.put('a');
      await settled();
      server.endWatches();
      await waitFor('the next watch', () => server.watches.length === 2);
      expect(ends).to.deep.equal(['clean']);
      expect(informer.connected).to.equal(true);
    });

    it('and is not after it was stopped', async () => {
      await start();
      await watching();
      stop.abort();
      await running;
      expect(informer.connected).to.equal(false);
    });
  });

  describe('resumes', () => {
    it('where it was after a clean end, without a list', async () => {
      await start();
      await watching();
      server.put('a');
      await settled();
      const { version } = server;
      server.endWatches();
      await waitFor('the next watch', () => server.watches.length === 2);
      expect(server.watches[1]?.query.get('resourceVersion')).to.equal(String(version));
      expect(server.lists).to.have.length(1);
    });

    it('from the last bookmark', async () => {
      await start();
      await watching();
      server.bookmark();
      const { version } = server;
      await waitFor('the bookmark', () => informer.connected);
      await new Promise((resolve) => setTimeout(resolve, 30));
      server.endWatches();
      await waitFor('the next watch', () => server.watches.length === 2);
      expect(server.watches[1]?.query.get('resourceVersion')).to.equal(String(version));
    });

    it('after a cut, and misses nothing that happened meanwhile', async () => {
      server.put('a');
      server.put('b');
      await start();
      await watching();
      server.stalled = true;
      server.put('c');
      server.remove('a');
      server.cut();
      server.stalled = false;
      await backOff(800);
      await settled();
      expect(heard).to.deep.equal(['+a initial', '+b initial', '+c', '-a']);
      expect(server.lists).to.have.length(1);
    });

    it('after truncated JSON', async () => {
      await start();
      await watching();
      server.stalled = true;
      const object = server.put('a');
      server.sendRaw(`${JSON.stringify({ type: 'ADDED', object }).slice(0, 30)}\n`);
      server.stalled = false;
      await backOff(800);
      await settled();
      expect([heard, ends]).to.deep.equal([['+a'], ['broken']]);
    });

    it('after a silence, as with a peer that vanished', async () => {
      await start();
      await watching();
      server.stalled = true;
      server.put('a');
      await clock.advance(90_000);
      await waitFor('the end', () => ends.length === 1);
      server.stalled = false;
      await clock.advance(800);
      await settled();
      expect(ends).to.deep.equal(['broken']);
    });

    it('after errors of the server, and lists again only after several', async () => {
      await start();
      await watching();
      const fail = (_request: unknown, response: Parameters<typeof sendStatus>[0]): void =>
        sendStatus(response, 500, 'InternalError');
      server.watchFaults.push(fail, fail, fail);
      server.cut();
      for (const ms of [800, 1600, 3200]) await backOff(ms);
      expect(server.lists).to.have.length(1);
      await backOff(6400);
      await watching();
      expect(server.lists).to.have.length(2);
    });

    it('waits as long as the server asks for', async () => {
      server.listFaults.push((_request, response) =>
        sendStatus(response, 429, 'TooManyRequests', { details: { retryAfterSeconds: 20 } }),
      );
      create();
      running = informer.run(stop.signal);
      await backOff(20_000);
      await informer.synced(AbortSignal.timeout(5000));
    });

    it('does not come back in a hot loop when the server ends watches at once', async () => {
      await start();
      const end = (_request: unknown, response: { end(): void }): void => response.end();
      server.watchFaults.push(end, end, end);
      await watching();
      server.put('a');
      await settled();
      server.endWatches();
      for (const ms of [800, 1600, 3200]) await backOff(ms);
      await watching();
      expect(server.lists).to.have.length(1);
    });
  });

  describe('lists again', () => {
    async function changeBehindItsBack(): Promise<void> {
      server.put('gone');
      server.put('stays');
      server.put('changes');
      await start();
      await watching();
      heard.length = 0;
      server.stalled = true;
      server.put('new');
      server.put('changes');
      server.remove('gone');
      server.compact();
    }

    async function expectDifferences(): Promise<void> {
      server.stalled = false;
      await settled();
      await watching();
      expect(heard.sort()).to.deep.equal(['+new', '-gone', '~changes']);
      expect(server.lists).to.have.length(2);
    }

    it('when the server has forgotten where we were (410), and tells only of differences', async () => {
      await changeBehindItsBack();
      server.cut();
      await backOff(800);
      await expectDifferences();
      expect(ends).to.deep.equal(['broken', 'expired']);
    });

    it('when it says so in the middle of a watch', async () => {
      await changeBehindItsBack();
      server.sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
      await expectDifferences();
      expect(ends).to.deep.equal(['expired']);
    });

    it('when events do not fit together', async () => {
      await changeBehindItsBack();
      const object = { metadata: { name: 'x', namespace: 'default', resourceVersion: '5' } };
      server.sendEvent('MODIFIED', object);
      await expectDifferences();
      expect(ends).to.deep.equal(['unordered']);
    });

    it('when the server does not know such a high version', async () => {
      await changeBehindItsBack();
      const details = { causes: [{ reason: 'ResourceVersionTooLarge' }] };
      server.sendEvent('ERROR', { kind: 'Status', code: 504, reason: 'Timeout', details });
      await expectDifferences();
    });

    it('when versions begin again', async () => {
      server.put('a');
      server.put('b');
      await start();
      await watching();
      server.remove('b');
      await settled();
      server.restore(50);
      await backOff(800);
      await watching();
      server.put('c');
      server.sendEvent('ERROR', {
        kind: 'Status',
        code: 504,
        reason: 'Timeout',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
      });
      await settled();
      server.put('a');
      await settled();
      expect(names()).to.deep.equal(['a', 'c']);
    });

    it('with delays when that does not help', async () => {
      await start();
      await watching();
      const expired = (_request: unknown, response: Parameters<typeof sendStatus>[0]): void =>
        sendStatus(response, 410, 'Expired');
      server.watchFaults.push(expired, expired, expired);
      server.put('a');
      await settled();
      server.endWatches();
      await backOff(800);
      await backOff(1600);
      await watching();
      expect(server.lists).to.have.length(4);
    });

    it('in one piece when the pages expire on the way', async () => {
      for (let i = 0; i < 5; i++) server.put(`p${i}`);
      server.listFaults.push(() => undefined);
      server.listFaults.length = 0;
      create({ pageSize: 2 });
      const original = server.http.handler;
      server.http.handler = (request, response) => {
        if (request.query.has('continue')) server.compact();
        return original(request, response);
      };
      running = informer.run(stop.signal);
      await informer.synced(AbortSignal.timeout(5000));
      expect(names()).to.have.length(5);
      expect(server.lists.map(({ query }) => query.get('limit'))).to.deep.equal(['2', '2', null]);
    });
  });

  describe('with a streamed list', () => {
    it('needs no list, and goes on with the same watch', async () => {
      server.put('a');
      server.put('b');
      await start({ watchList: true });
      await watching();
      server.put('c');
      await settled();
      expect(heard).to.deep.equal(['+a initial', '+b initial', '+c']);
      expect([server.lists.length, server.watches.length]).to.deep.equal([0, 1]);
      expect(server.watches[0]?.query.get('resourceVersionMatch')).to.equal('NotOlderThan');
    });

    it('falls back to pages when the server cannot', async () => {
      server.watchListEnabled = false;
      server.put('a');
      await start({ watchList: true });
      await watching();
      expect([names(), server.lists.length]).to.deep.equal([['a'], 1]);
    });

    it('takes nothing over from one that breaks off', async () => {
      server.put('a');
      server.watchFaults.push((_request, response) => {
        response.writeHead(200);
        response.write(`${JSON.stringify({ type: 'ADDED', object: server.list()[0] })}\n`);
        setTimeout(() => response.end(), 20);
      });
      create({ watchList: true });
      running = informer.run(stop.signal);
      await waitFor('the end', () => ends.length === 1);
      expect([informer.store.size, informer.hasSynced]).to.deep.equal([0, false]);
      await backOff(800);
      await settled();
    });

    it('streams again after 410', async () => {
      server.put('a');
      await start({ watchList: true });
      await watching();
      server.sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
      await waitFor('the next watch', () => server.watches.length === 2);
      await watching();
      expect([server.lists.length, heard]).to.deep.equal([0, ['+a initial']]);
    });
  });

  describe('with what a write returned', () => {
    it('has it before the watch does, and hears of it once', async () => {
      await start();
      await watching();
      server.stalled = true;
      const object = server.put('a') as Pod;
      informer.assume(object);
      expect(names()).to.deep.equal(['a']);
      server.flush();
      server.put('b');
      await waitFor('the events', () => heard.includes('+b'));
      expect(heard).to.deep.equal(['+a', '+b']);
    });

    it('is corrected by a list when it was wrong', async () => {
      await start();
      await watching();
      informer.assume({ metadata: { name: 'x', namespace: 'default', resourceVersion: String(server.version + 1) } });
      expect(names()).to.deep.equal(['x']);
      server.bookmark();
      await waitFor('the list', () => server.lists.length === 2);
      await settled();
      expect(names()).to.deep.equal([]);
    });
  });

  it('stops at once, wherever it is, and leaves nothing behind', async () => {
    for (const where of ['list', 'watch', 'back-off']) {
      const local = new AbortController();
      if (where === 'list') server.listFaults.push(() => undefined);
      if (where === 'back-off') server.listFaults.push((_request, response) => sendStatus(response, 500, 'x'));
      const requests = server.http.requests.length;
      const run = create().run(local.signal);
      await waitFor('the request', () => server.http.requests.length > requests);
      if (where === 'watch') await watching();
      if (where === 'back-off') await waitFor('the back-off', () => clock.nextTimerInMs === 800);
      local.abort(new Error('stop'));
      await run;
      expect(clock.pendingTimers, where).to.equal(0);
    }
    await waitFor('the end of the watch', () => server.watchers === 0);
  });
});
