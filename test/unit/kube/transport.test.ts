import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { createTransport, type KubeTransport, type TransportOptions } from '../../../src/kube/transport.js';
import { TransportError } from '../../../src/kube/transport-error.js';
import type { WriteGate } from '../../../src/kube/write-gate.js';
import { FederationError } from '../../../src/lib/errors.js';
import { FakeClock } from '../../support/fake-clock.js';
import { accessTo, HttpApiServer, type RequestHandler, sendJson, sendStatus } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

const OK: RequestHandler = (_request, response) => sendJson(response, { ok: true });

describe('a transport', () => {
  let server: HttpApiServer;
  let transport: KubeTransport;

  beforeEach(async () => {
    server = await HttpApiServer.start();
    server.handler = OK;
  });

  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  function connect(options: Partial<TransportOptions> = {}): KubeTransport {
    transport = createTransport({ access: accessTo(server), ...options });
    return transport;
  }

  async function errorOf(promise: Promise<unknown>): Promise<TransportError> {
    return promise.then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error as TransportError,
    );
  }

  describe('sends requests', () => {
    it('with method, path, body and content type', async () => {
      await connect().request({ method: 'POST', path: '/api?x=1', body: '{"a":1}', contentType: 'application/json' });
      const [request] = server.requests;
      expect(request).to.include({ method: 'POST', path: '/api', body: '{"a":1}' });
      expect(request?.query.get('x')).to.equal('1');
      expect(request?.headers).to.include({ 'content-type': 'application/json', accept: 'application/json' });
      expect(request?.headers['user-agent']).to.equal('kosmos');
    });

    it('below the path of the server URL', async () => {
      connect({ access: accessTo({ url: `${server.url}/k8s/clusters/c-1/` }) });
      await transport.request({ method: 'GET', path: '/version' });
      expect(server.requests[0]?.path).to.equal('/k8s/clusters/c-1/version');
    });

    it('over kept-alive connections, as many as requests at once', async () => {
      connect({ connections: 4 });
      const lots = Array.from({ length: 40 }, () => transport.request({ method: 'GET', path: '/' }));
      await Promise.all(lots);
      for (let i = 0; i < 10; i++) await transport.request({ method: 'GET', path: '/' });
      expect(server.connections).to.equal(4);
    });

    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      it(`one after the other over the same connection: ${method}`, async () => {
        connect({ connections: 1 });
        const body = method === 'GET' ? undefined : '{}';
        for (let i = 0; i < 3; i++)
          await transport.request({ method, path: '/', body, contentType: 'application/json' });
        expect(server.requests).to.have.length(3);
        expect(server.connections).to.equal(1);
      });
    }

    it('with headers for impersonation, several groups too', async () => {
      const impersonation = [
        ['impersonate-user', 'jane'],
        ['impersonate-group', 'a'],
        ['impersonate-group', 'b'],
      ] as const;
      connect({ access: accessTo(server, { impersonation }) });
      await transport.request({ method: 'GET', path: '/' });
      expect(server.requests[0]?.headers['impersonate-user']).to.equal('jane');
      expect(server.requests[0]?.headers['impersonate-group']).to.equal('a, b');
    });

    it('and gives failures back as answers', async () => {
      server.handler = (_request, response) => sendStatus(response, 404, 'NotFound');
      const answer = await connect().request({ method: 'GET', path: '/' });
      expect(answer.statusCode).to.equal(404);
      expect(answer.body.toString()).to.contain('NotFound');
    });

    it('and reads answers that come in many pieces', async () => {
      const text = 'x'.repeat(3_000_000);
      server.handler = (_request, response) => void response.end(text);
      expect((await connect().request({ method: 'GET', path: '/' })).body.toString()).to.equal(text);
    });
  });

  describe('gives up', () => {
    it('with API_TIMEOUT when the server does not answer in time', async () => {
      server.handler = () => undefined;
      const error = await errorOf(connect().request({ method: 'GET', path: '/', timeoutMs: 30 }));
      expect([error.code, error.message]).to.deep.equal(['API_TIMEOUT', 'no answer within 30 ms']);
    });

    it('with API_TIMEOUT when the answer stops half-way', async () => {
      server.handler = (_request, response) => void response.write('{"half":');
      const error = await errorOf(connect().request({ method: 'GET', path: '/', timeoutMs: 50 }));
      expect(error.code).to.equal('API_TIMEOUT');
    });

    it("with the caller's reason when it is told to, and closes the connection", async () => {
      server.handler = () => undefined;
      const giveUp = new AbortController();
      const promise = errorOf(connect().request({ method: 'GET', path: '/', signal: giveUp.signal }));
      await waitFor('the request', () => server.requests.length === 1);
      const reason = new Error('enough');
      giveUp.abort(reason);
      expect(await promise).to.equal(reason);
      await waitFor('the end of the connection', () => server.openConnections === 0);
    });

    it('before anything is sent when it is told to beforehand', async () => {
      const reason = new Error('never mind');
      const signal = AbortSignal.abort(reason);
      expect(await errorOf(connect().request({ method: 'GET', path: '/', signal }))).to.equal(reason);
      expect(server.requests).to.have.length(0);
    });

    it('while it waits for a free connection, and never sends that request', async () => {
      const held: (() => void)[] = [];
      server.handler = (_request, response) => void held.push(() => sendJson(response, {}));
      connect({ connections: 1 });
      const first = transport.request({ method: 'GET', path: '/first' });
      await waitFor('the first request', () => held.length === 1);
      const error = await errorOf(transport.request({ method: 'POST', path: '/second', timeoutMs: 20 }));
      expect(error.code).to.equal('API_TIMEOUT');
      held[0]?.();
      await first;
      server.handler = OK;
      await transport.request({ method: 'GET', path: '/third' });
      expect(server.requests.map((request) => request.path)).to.deep.equal(['/first', '/third']);
    });

    it('and is as good as new afterwards', async () => {
      server.handler = () => undefined;
      connect({ connections: 2 });
      const lost = Array.from({ length: 10 }, () => transport.request({ method: 'GET', path: '/', timeoutMs: 30 }));
      await Promise.allSettled(lost);
      server.handler = OK;
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => transport.request({ method: 'GET', path: '/', timeoutMs: 2000 })),
      );
      expect(answers.every((answer) => answer.statusCode === 200)).to.equal(true);
    });
  });

  describe('without a server', () => {
    it('says API_UNREACHABLE, and that nothing was sent', async () => {
      connect();
      await server.close();
      const error = await errorOf(transport.request({ method: 'POST', path: '/' }));
      expect(error).to.be.instanceOf(TransportError);
      expect([error.code, error.mayHaveArrived]).to.deep.equal(['API_UNREACHABLE', false]);
    });

    it('limits the time of connecting', async () => {
      // It takes the connection and never says a word: the TLS handshake hangs, as it does behind a dead balancer.
      const blocked = createServer();
      const sockets: Socket[] = [];
      await new Promise<void>((resolve) => blocked.listen({ port: 0, host: '127.0.0.1' }, resolve));
      blocked.on('connection', (socket) => sockets.push(socket));
      const { port } = blocked.address() as AddressInfo;
      connect({ access: accessTo({ url: `https://127.0.0.1:${port}` }), connectTimeoutMs: 100 });
      const startedAt = performance.now();
      const error = await errorOf(transport.request({ method: 'GET', path: '/' }));
      expect(error.code).to.equal('API_UNREACHABLE');
      expect(performance.now() - startedAt).to.be.lessThan(5000);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => blocked.close(resolve));
    });

    it('works again as soon as there is one', async () => {
      const { port } = server;
      connect();
      await transport.request({ method: 'GET', path: '/' });
      await server.close();
      for (let i = 0; i < 5; i++) await errorOf(transport.request({ method: 'GET', path: '/' }));
      server = await HttpApiServer.start(undefined, port);
      server.handler = OK;
      expect((await transport.request({ method: 'GET', path: '/' })).statusCode).to.equal(200);
    });
  });

  describe('when a connection breaks under a request', () => {
    function breakFirst(times: number): void {
      server.handler = (request, response) => {
        if (server.requests.length > times) sendJson(response, { path: request.path });
        else response.socket?.destroy();
      };
    }

    it('repeats a read once', async () => {
      breakFirst(1);
      expect((await connect().request({ method: 'GET', path: '/' })).statusCode).to.equal(200);
      expect(server.requests).to.have.length(2);
    });

    it('does not repeat a read for ever', async () => {
      breakFirst(10);
      const error = await errorOf(connect().request({ method: 'GET', path: '/' }));
      expect([error.code, error.mayHaveArrived, server.requests.length]).to.deep.equal(['API_UNREACHABLE', true, 2]);
    });

    it('does not repeat a read whose answer had begun', async () => {
      server.handler = (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.socket?.destroy());
      };
      const error = await errorOf(connect().request({ method: 'GET', path: '/' }));
      expect([error.code, server.requests.length]).to.deep.equal(['API_UNREACHABLE', 1]);
    });

    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      it(`never repeats a ${method}, and says that it may have arrived`, async () => {
        breakFirst(1);
        const error = await errorOf(connect().request({ method, path: '/' }));
        expect([error.code, error.mayHaveArrived, server.requests.length]).to.deep.equal(['API_UNREACHABLE', true, 1]);
      });
    }

    it('sends a write on another connection when the old one was closed while idle', async () => {
      connect({ connections: 1 });
      await transport.request({ method: 'GET', path: '/' });
      server.cutConnections();
      await waitFor('the end of the connection', () => server.openConnections === 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect((await transport.request({ method: 'POST', path: '/' })).statusCode).to.equal(200);
      expect(server.connections).to.equal(2);
    });
  });

  describe('when the server asks to come back later', () => {
    it('repeats 429 and 503 with Retry-After, writes too, after that time', async () => {
      const clock = new FakeClock();
      for (const code of [429, 503]) {
        server.requests.length = 0;
        server.handler = (request, response) => {
          if (server.requests.length > 1) sendJson(response, { path: request.path });
          else sendStatus(response, code, 'x', { headers: { 'retry-after': '2' } });
        };
        const answer = connect({ clock }).request({ method: 'POST', path: '/' });
        await waitFor('the first try', () => server.requests.length === 1 && clock.nextTimerInMs === 2000);
        await clock.advance(2000);
        expect((await answer).statusCode).to.equal(200);
        expect(server.requests).to.have.length(2);
        await transport.close();
      }
    });

    it('gives the refusal back at once when the deadline would pass before', async () => {
      server.handler = (_request, response) => sendStatus(response, 429, 'x', { headers: { 'retry-after': '60' } });
      const answer = await connect().request({ method: 'GET', path: '/', timeoutMs: 5000 });
      expect([answer.statusCode, server.requests.length]).to.deep.equal([429, 1]);
    });

    it('tries ten times more, not for ever', async () => {
      server.handler = (_request, response) => sendStatus(response, 429, 'x', { headers: { 'retry-after': '0' } });
      const answer = await connect().request({ method: 'GET', path: '/' });
      expect([answer.statusCode, server.requests.length]).to.deep.equal([429, 11]);
    });

    it('gives other failures back at once, and 429 without a time too', async () => {
      const headers = { 'retry-after': '0' };
      for (const [code, options] of [
        [500, { headers }],
        [409, { headers }],
        [429, {}],
        [503, {}],
      ] as const) {
        server.requests.length = 0;
        server.handler = (_request, response) => sendStatus(response, code, 'x', options);
        const answer = await connect().request({ method: 'GET', path: '/' });
        expect([answer.statusCode, server.requests.length]).to.deep.equal([code, 1]);
        await transport.close();
      }
    });

    it('lets others use the connection meanwhile', async () => {
      server.handler = (request, response) => {
        if (request.path === '/busy') sendStatus(response, 429, 'x', { headers: { 'retry-after': '5' } });
        else void OK(request, response);
      };
      connect({ connections: 1 });
      const giveUp = new AbortController();
      const busy = errorOf(transport.request({ method: 'GET', path: '/busy', signal: giveUp.signal }));
      await waitFor('the refusal', () => server.requests.length === 1);
      expect((await transport.request({ method: 'GET', path: '/' })).statusCode).to.equal(200);
      giveUp.abort(new Error('done'));
      await busy;
    });
  });

  it('keeps to its rate limit', async () => {
    const clock = new FakeClock();
    connect({ qps: 10, burst: 2, clock });
    const answers = [1, 2, 3].map(() => transport.request({ method: 'GET', path: '/' }));
    await Promise.all(answers.slice(0, 2));
    expect(server.requests).to.have.length(2);
    await clock.advance(101);
    await answers[2];
    expect(server.requests).to.have.length(3);
  });

  describe('behind a gate', () => {
    class Gate implements WriteGate {
      readonly controller = new AbortController();
      asked = 0;
      closeAfter = Infinity;
      readonly signal = this.controller.signal;
      assertOpen(): void {
        this.asked += 1;
        if (this.signal.aborted || this.asked > this.closeAfter)
          throw new FederationError('NOT_LEADER', 'not the leader');
      }
    }

    it('sends no write once the gate is closed, and reads all the same', async () => {
      const gate = new Gate();
      gate.controller.abort();
      connect();
      expect((await errorOf(transport.request({ method: 'POST', path: '/', gate }))).code).to.equal('NOT_LEADER');
      expect((await transport.request({ method: 'GET', path: '/', gate })).statusCode).to.equal(200);
      expect(server.requests.map((request) => request.method)).to.deep.equal(['GET']);
    });

    it('stops a write at the last moment, after all waiting', async () => {
      const gate = new Gate();
      gate.closeAfter = 1;
      expect((await errorOf(connect().request({ method: 'POST', path: '/', gate }))).code).to.equal('NOT_LEADER');
      expect(server.requests).to.have.length(0);
    });

    it('ends writes that are under way when the gate closes', async () => {
      const gate = new Gate();
      server.handler = () => undefined;
      const write = errorOf(connect().request({ method: 'POST', path: '/', gate }));
      await waitFor('the write', () => server.requests.length === 1);
      gate.controller.abort(new Error('lease lost'));
      const error = await write;
      expect([error.code, (error.cause as Error).message]).to.deep.equal(['NOT_LEADER', 'lease lost']);
    });

    it('stops a write that waits to be repeated', async () => {
      const gate = new Gate();
      server.handler = (_request, response) => sendStatus(response, 429, 'x', { headers: { 'retry-after': '5' } });
      const write = errorOf(connect().request({ method: 'POST', path: '/', gate }));
      await waitFor('the write', () => server.requests.length === 1);
      gate.controller.abort();
      expect((await write).code).to.equal('NOT_LEADER');
      expect(server.requests).to.have.length(1);
    });

    it('leaves writes without gate on the same transport alone', async () => {
      const gate = new Gate();
      gate.controller.abort();
      connect();
      await errorOf(transport.request({ method: 'POST', path: '/', gate }));
      expect((await transport.request({ method: 'POST', path: '/' })).statusCode).to.equal(200);
    });
  });

  describe('when it is closed', () => {
    it('fails what is under way', async () => {
      server.handler = () => undefined;
      const request = errorOf(connect().request({ method: 'GET', path: '/' }));
      await waitFor('the request', () => server.requests.length === 1);
      await transport.close();
      expect((await request).message).to.equal('the client is closed');
      await waitFor('the end of the connections', () => server.openConnections === 0);
    });

    it('takes nothing more, and can be closed again', async () => {
      await connect().close();
      await transport.close();
      expect((await errorOf(transport.request({ method: 'GET', path: '/' }))).message).to.equal('the client is closed');
      expect((await errorOf(transport.stream({ path: '/' }))).message).to.equal('the client is closed');
    });
  });

  it('leaves no timer behind', async () => {
    const clock = new FakeClock();
    await connect({ clock }).request({ method: 'GET', path: '/' });
    const stream = await transport.stream({ path: '/' });
    await stream.close();
    expect(clock.pendingTimers).to.equal(0);
  });
});
