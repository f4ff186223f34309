import { expect } from 'chai';
import { sendStatus } from '../../support/http-api-server.js';
import { InformerHarness } from '../../support/informer-harness.js';
import { waitFor } from '../../support/wait-for.js';

describe('Reflector', () => {
  let h: InformerHarness;

  beforeEach(async () => {
    h = await InformerHarness.open();
  });

  afterEach(() => h.close());

  describe('resumes', () => {
    it('where it was after a clean end, without a list', async () => {
      await h.start();
      await h.watching();
      h.server.put('a');
      await h.settled();
      const { version } = h.server;
      h.server.endWatches();
      await waitFor('the next watch', () => h.server.watches.length === 2);
      expect(h.server.watches[1]?.query.get('resourceVersion')).to.equal(String(version));
      expect(h.server.lists).to.have.length(1);
    });

    it('from the last bookmark', async () => {
      await h.start();
      await h.watching();
      h.server.bookmark();
      const { version } = h.server;
      await waitFor('the bookmark', () => h.informer.connected);
      await new Promise((resolve) => setTimeout(resolve, 30));
      h.server.endWatches();
      await waitFor('the next watch', () => h.server.watches.length === 2);
      expect(h.server.watches[1]?.query.get('resourceVersion')).to.equal(String(version));
    });

    it('after a cut, and misses nothing that happened meanwhile', async () => {
      h.server.put('a');
      h.server.put('b');
      await h.start();
      await h.watching();
      h.server.stalled = true;
      h.server.put('c');
      h.server.remove('a');
      h.server.cut();
      h.server.stalled = false;
      await h.backOff(800);
      await h.settled();
      expect(h.heard).to.deep.equal(['+a initial', '+b initial', '+c', '-a']);
      expect(h.server.lists).to.have.length(1);
    });

    it('after truncated JSON', async () => {
      await h.start();
      await h.watching();
      h.server.stalled = true;
      const object = h.server.put('a');
      h.server.sendRaw(`${JSON.stringify({ type: 'ADDED', object }).slice(0, 30)}\n`);
      h.server.stalled = false;
      await h.backOff(800);
      await h.settled();
      expect([h.heard, h.ends]).to.deep.equal([['+a'], ['broken']]);
    });

    it('after a silence, as with a peer that vanished', async () => {
      await h.start();
      await h.watching();
      h.server.stalled = true;
      h.server.put('a');
      await h.clock.advance(90_000);
      await waitFor('the end', () => h.ends.length === 1);
      h.server.stalled = false;
      await h.clock.advance(800);
      await h.settled();
      expect(h.ends).to.deep.equal(['broken']);
    });

    it('after errors of the h.server, and lists again only after several', async () => {
      await h.start();
      await h.watching();
      const fail = (_request: unknown, response: Parameters<typeof sendStatus>[0]): void =>
        sendStatus(response, 500, 'InternalError');
      h.server.watchFaults.push(fail, fail, fail);
      h.server.cut();
      for (const ms of [800, 1600, 3200]) await h.backOff(ms);
      expect(h.server.lists).to.have.length(1);
      await h.backOff(6400);
      await h.watching();
      expect(h.server.lists).to.have.length(2);
    });

    it('within seconds, however long the server could not be reached', async () => {
      await h.start();
      await h.watching();
      const handler = h.server.http.handler;
      h.server.http.handler = (_request, response) => void response.socket?.destroy();
      h.server.cut();
      for (const ms of [800, 800, 1600, 2500, 2500, 2500]) await h.backOff(ms);
      // A balancer that has no server behind it.
      h.server.http.handler = (_request, response) => void response.writeHead(502).end('<html>');
      for (const ms of [2500, 2500]) await h.backOff(ms);
      h.server.http.handler = handler;
      await h.backOff(2500);
      await h.watching();
      expect(h.server.lists).to.have.length(1);
    });

    it('at once after each cut of a watch that was a good one', async () => {
      await h.start();
      for (let i = 0; i < 4; i++) {
        await h.watching();
        await h.clock.advance(10_000);
        h.server.cut();
        await h.backOff(800);
      }
      await h.watching();
    });

    it('waits as long as the server asks for', async () => {
      h.server.listFaults.push((_request, response) =>
        sendStatus(response, 429, 'TooManyRequests', { details: { retryAfterSeconds: 20 } }),
      );
      h.create();
      h.run();
      await h.backOff(20_000);
      await h.synced();
    });

    it('does not come back in a hot loop when the server ends watches at once', async () => {
      await h.start();
      const end = (_request: unknown, response: { end(): void }): void => response.end();
      h.server.watchFaults.push(end, end, end);
      await h.watching();
      h.server.put('a');
      await h.settled();
      h.server.endWatches();
      for (const ms of [800, 1600, 3200]) await h.backOff(ms);
      await h.watching();
      expect(h.server.lists).to.have.length(1);
    });
  });

  describe('starts over when it is told that the server is back', () => {
    it('instead of waiting, and with the shortest delays again', async () => {
      await h.start();
      await h.watching();
      const fail = (_request: unknown, response: Parameters<typeof sendStatus>[0]): void =>
        sendStatus(response, 503, 'ServiceUnavailable');
      h.server.watchFaults.push(fail, fail);
      h.server.cut();
      for (const ms of [800, 1600]) await h.backOff(ms);
      await waitFor('the third back-off', () => h.clock.nextTimerInMs === 3200);
      h.server.put('a');
      h.informer.reconnect();
      await h.settled();
      expect(h.server.lists).to.have.length(1);
      h.server.cut();
      await h.backOff(800);
      await h.watching();
    });

    it('on a new connection, and hears what the old one did not bring', async () => {
      await h.start();
      await h.watching();
      h.server.stalled = true;
      h.server.put('a');
      h.server.stalled = false;
      h.informer.reconnect();
      await h.settled();
      await waitFor('the new watch alone', () => h.server.watchers === 1 && h.informer.connected);
      expect([h.heard, h.server.lists.length]).to.deep.equal([['+a'], 1]);
    });

    it('and tells of the time in between', async () => {
      await h.start();
      await h.watching();
      const changes: boolean[] = [];
      const stop = h.informer.onConnectionChange((connected) => changes.push(connected));
      h.informer.reconnect();
      await waitFor('both changes', () => changes.length === 2);
      stop();
      h.informer.reconnect();
      await waitFor('the next watch', () => h.server.watches.length === 3);
      await h.watching();
      expect(changes).to.deep.equal([false, true]);
    });

    it('but not before it runs or after it was stopped', async () => {
      h.create().reconnect();
      h.run();
      await h.synced();
      await h.watching();
      h.stop.abort();
      await waitFor('the end', () => !h.informer.connected);
      h.informer.reconnect();
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(h.server.watches).to.have.length(1);
    });
  });

  describe('lists again', () => {
    async function changeBehindItsBack(): Promise<void> {
      h.server.put('gone');
      h.server.put('stays');
      h.server.put('changes');
      await h.start();
      await h.watching();
      h.heard.length = 0;
      h.server.stalled = true;
      h.server.put('new');
      h.server.put('changes');
      h.server.remove('gone');
      h.server.compact();
    }

    async function expectDifferences(): Promise<void> {
      h.server.stalled = false;
      await h.settled();
      await h.watching();
      expect(h.heard.sort()).to.deep.equal(['+new', '-gone', '~changes']);
      expect(h.server.lists).to.have.length(2);
    }

    it('when the server has forgotten where we were (410), and tells only of differences', async () => {
      await changeBehindItsBack();
      h.server.cut();
      await h.backOff(800);
      await expectDifferences();
      expect(h.ends).to.deep.equal(['broken', 'expired']);
    });

    it('when it says so in the middle of a watch', async () => {
      await changeBehindItsBack();
      h.server.sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
      await expectDifferences();
      expect(h.ends).to.deep.equal(['expired']);
    });

    it('when events do not fit together', async () => {
      await changeBehindItsBack();
      const object = { metadata: { name: 'x', namespace: 'default', resourceVersion: '5' } };
      h.server.sendEvent('MODIFIED', object);
      await expectDifferences();
      expect(h.ends).to.deep.equal(['unordered']);
    });

    it('when the server does not know such a high version', async () => {
      await changeBehindItsBack();
      const details = { causes: [{ reason: 'ResourceVersionTooLarge' }] };
      h.server.sendEvent('ERROR', { kind: 'Status', code: 504, reason: 'Timeout', details });
      await expectDifferences();
    });

    it('when versions begin again', async () => {
      h.server.put('a');
      h.server.put('b');
      await h.start();
      await h.watching();
      h.server.remove('b');
      await h.settled();
      h.server.restore(50);
      await h.backOff(800);
      await h.watching();
      h.server.put('c');
      h.server.sendEvent('ERROR', {
        kind: 'Status',
        code: 504,
        reason: 'Timeout',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
      });
      await h.settled();
      h.server.put('a');
      await h.settled();
      expect(h.names()).to.deep.equal(['a', 'c']);
    });

    it('with delays when that does not help', async () => {
      await h.start();
      await h.watching();
      const expired = (_request: unknown, response: Parameters<typeof sendStatus>[0]): void =>
        sendStatus(response, 410, 'Expired');
      h.server.watchFaults.push(expired, expired, expired);
      h.server.put('a');
      await h.settled();
      h.server.endWatches();
      await h.backOff(800);
      await h.backOff(1600);
      await h.watching();
      expect(h.server.lists).to.have.length(4);
    });

    it('in one piece when the pages expire on the way', async () => {
      for (let i = 0; i < 5; i++) h.server.put(`p${i}`);
      h.server.listFaults.push(() => undefined);
      h.server.listFaults.length = 0;
      h.create({ pageSize: 2 });
      const original = h.server.http.handler;
      h.server.http.handler = (request, response) => {
        if (request.query.has('continue')) h.server.compact();
        return original(request, response);
      };
      h.run();
      await h.synced();
      expect(h.names()).to.have.length(5);
      expect(h.server.lists.map(({ query }) => query.get('limit'))).to.deep.equal(['2', '2', null]);
    });
  });

  describe('with a streamed list', () => {
    it('needs no list, and goes on with the same watch', async () => {
      h.server.put('a');
      h.server.put('b');
      await h.start({ watchList: true });
      await h.watching();
      h.server.put('c');
      await h.settled();
      expect(h.heard).to.deep.equal(['+a initial', '+b initial', '+c']);
      expect([h.server.lists.length, h.server.watches.length]).to.deep.equal([0, 1]);
      expect(h.server.watches[0]?.query.get('resourceVersionMatch')).to.equal('NotOlderThan');
    });

    it('falls back to pages when the server cannot', async () => {
      h.server.watchListEnabled = false;
      h.server.put('a');
      await h.start({ watchList: true });
      await h.watching();
      expect([h.names(), h.server.lists.length]).to.deep.equal([['a'], 1]);
    });

    it('takes nothing over from one that breaks off', async () => {
      h.server.put('a');
      h.server.watchFaults.push((_request, response) => {
        response.writeHead(200);
        response.write(`${JSON.stringify({ type: 'ADDED', object: h.server.list()[0] })}\n`);
        setTimeout(() => response.end(), 20);
      });
      h.create({ watchList: true });
      h.run();
      await waitFor('the end', () => h.ends.length === 1);
      expect([h.informer.store.size, h.informer.hasSynced]).to.deep.equal([0, false]);
      await h.backOff(800);
      await h.settled();
    });

    it('streams again after 410', async () => {
      h.server.put('a');
      await h.start({ watchList: true });
      await h.watching();
      h.server.sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
      await waitFor('the next watch', () => h.server.watches.length === 2);
      await h.watching();
      expect([h.server.lists.length, h.heard]).to.deep.equal([0, ['+a initial']]);
    });
  });
});
