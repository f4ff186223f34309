import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { request } from 'undici';
import { systemClock } from '../../../src/lib/clock.js';
import { silentLogger, type LogFields, type Logger } from '../../../src/lib/logger.js';
import { HealthServer, type HealthServerOptions } from '../../../src/runtime/health-server.js';

describe('HealthServer', () => {
  let server: HealthServer;
  let logged: LogFields[];
  let base: string;

  const logger: Logger = { ...silentLogger, warn: (_message, fields = {}) => logged.push(fields) };

  async function start(options: Partial<HealthServerOptions> = {}): Promise<void> {
    server = new HealthServer({ address: '127.0.0.1', port: 0, clock: systemClock, logger, ...options });
    const { port } = await server.listen();
    base = `http://127.0.0.1:${port}`;
  }

  async function get(path: string): Promise<{ status: number; type: string; body: string }> {
    const response = await request(base + path, { headers: { connection: 'close' } });
    const type = String(response.headers['content-type']);
    return { status: response.statusCode, type, body: await response.body.text() };
  }

  beforeEach(() => (logged = []));
  afterEach(() => server.close());

  for (const path of ['/healthz', '/livez', '/readyz']) {
    it(`answers ${path} with ok when all is well`, async () => {
      await start();
      expect(await get(path)).to.deep.equal({ status: 200, type: 'text/plain; charset=utf-8', body: 'ok' });
    });
  }

  it('asks each check only for its probes', async () => {
    await start();
    server.addCheck('caches', ['readyz'], () => Promise.reject(new Error('not synced')));
    expect([(await get('/livez')).status, (await get('/readyz')).status, (await get('/healthz')).status]).to.deep.equal(
      [200, 500, 500],
    );
  });

  it('lists the checks like the API server when one fails, and tells the reason only to the log', async () => {
    await start();
    server.addCheck('caches', ['readyz'], () => {
      throw new Error('not synced: token abc');
    });
    server.addCheck('leader', ['readyz'], () => undefined);
    expect((await get('/readyz')).body).to.equal(
      '[+]ping ok\n[-]caches failed: reason withheld\n[+]leader ok\nreadyz check failed\n',
    );
    expect(logged).to.deep.equal([{ probe: 'readyz', check: 'caches', error: 'not synced: token abc' }]);
  });

  it('lists the checks on ?verbose, without those that are excluded', async () => {
    await start();
    server.addCheck('bad', ['livez'], () => Promise.reject(new Error('no')));
    expect(await get('/livez?verbose&exclude=bad')).to.include({
      status: 200,
      body: '[+]ping ok\nlivez check passed\n',
    });
    expect((await get('/livez?exclude=bad&exclude=ping')).status).to.equal(200);
  });

  it('answers for a single check', async () => {
    await start();
    server.addCheck('bad', ['readyz'], () => Promise.reject(new Error('no')));
    expect([
      (await get('/readyz/bad')).status,
      (await get('/readyz/ping')).status,
      (await get('/livez/bad')).status,
      (await get('/readyz/other')).status,
    ]).to.deep.equal([500, 200, 404, 404]);
  });

  it('removes a check, but not the one that took its name', async () => {
    await start();
    const fail = (): Promise<void> => Promise.reject(new Error('no'));
    const removeFirst = server.addCheck('x', ['readyz'], fail);
    const removeSecond = server.addCheck('x', ['readyz'], fail);
    removeFirst();
    expect((await get('/readyz')).status).to.equal(500);
    removeSecond();
    expect((await get('/readyz')).status).to.equal(200);
  });

  it('fails a check that takes too long, and aborts it', async () => {
    await start({ checkTimeoutMs: 20 });
    let aborted = false;
    server.addCheck('slow', ['livez'], (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => undefined);
    });
    expect([(await get('/livez')).status, aborted]).to.deep.equal([500, true]);
  });

  it('serves metrics', async () => {
    const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: () => Promise.resolve('a 1\n') };
    await start({ metrics });
    expect(await get('/metrics')).to.deep.equal({ status: 200, type: metrics.contentType, body: 'a 1\n' });
  });

  it('answers 404 for anything else, also for metrics when there are none', async () => {
    await start();
    expect([(await get('/metrics')).status, (await get('/')).status]).to.deep.equal([404, 404]);
  });

  it('takes no other method, and no more of a path than there is', async () => {
    await start();
    const post = await request(`${base}/livez`, { method: 'POST', headers: { connection: 'close' } });
    await post.body.dump();
    expect([post.statusCode, (await get('/livez/ping/more')).status, (await get('//livez')).status]).to.deep.equal([
      405, 404, 404,
    ]);
  });

  it('reports where it listens, and frees the port when it closes', async () => {
    await start();
    const { port } = server.address as AddressInfo;
    expect(base).to.contain(String(port));
    await server.close();
    expect(server.address).to.equal(undefined);
    await start({ port });
    expect((await get('/livez')).status).to.equal(200);
  });

  it('lets a request in flight end when it closes', async () => {
    await start();
    let finish = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      server.addCheck('slow', ['livez'], () => {
        resolve();
        return new Promise((done) => (finish = done));
      });
    });
    const answer = get('/livez');
    await asked;
    const closed = server.close();
    finish();
    expect((await answer).status).to.equal(200);
    await closed;
  });

  it('rejects when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const error: unknown = await start({ port }).catch((caught: unknown) => caught);
    await new Promise((resolve) => other.close(resolve));
    expect(error).to.have.property('code', 'EADDRINUSE');
  });
});
