import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { ServerStream } from '../../../src/kube/server-stream.js';
import { createTransport, type KubeTransport } from '../../../src/kube/transport.js';
import type { TransportError } from '../../../src/kube/transport-error.js';
import { accessTo, HttpApiServer } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

describe('a stream from the server', () => {
  let server: HttpApiServer;
  let transport: KubeTransport;
  let response: ServerResponse | undefined;

  beforeEach(async () => {
    response = undefined;
    server = await HttpApiServer.start();
    server.handler = (_request, received) => {
      response = received;
      received.writeHead(200);
      received.flushHeaders();
    };
    transport = createTransport({ access: accessTo(server) });
  });

  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  async function errorOf(promise: Promise<unknown>): Promise<TransportError> {
    return promise.then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error as TransportError,
    );
  }

  async function readAll(stream: ServerStream): Promise<string> {
    let text = '';
    for (let chunk = await stream.read(); chunk; chunk = await stream.read()) text += chunk.toString();
    return text;
  }

  it('gives bytes as they come, and ends with the answer', async () => {
    const stream = await transport.stream({ path: '/' });
    response?.write('one ');
    expect((await stream.read())?.toString()).to.equal('one ');
    response?.end('two');
    expect(await readAll(stream)).to.equal('two');
    expect(await stream.read()).to.equal(undefined);
  });

  it('has a connection of its own, which is closed at the end', async () => {
    const streams = await Promise.all([transport.stream({ path: '/' }), transport.stream({ path: '/' })]);
    expect(server.connections).to.equal(2);
    await Promise.all(streams.map((stream) => stream.close()));
    await waitFor('the end of the connections', () => server.openConnections === 0);
  });

  it('fails when the connection is cut, after all bytes before that', async () => {
    const stream = await transport.stream({ path: '/' });
    response?.write('half');
    expect((await stream.read())?.toString()).to.equal('half');
    server.cutConnections();
    expect((await errorOf(stream.read())).code).to.equal('API_UNREACHABLE');
  });

  it('ends a read that waits when it is closed', async () => {
    const stream = await transport.stream({ path: '/' });
    const read = errorOf(stream.read());
    const reason = new Error('closed on purpose');
    await stream.close(reason);
    expect(await read).to.equal(reason);
  });

  it('is closed by the signal, at any time', async () => {
    const giveUp = new AbortController();
    const stream = await transport.stream({ path: '/', signal: giveUp.signal });
    const read = errorOf(stream.read());
    const reason = new Error('stop');
    giveUp.abort(reason);
    expect(await read).to.equal(reason);
    await waitFor('the end of the connection', () => server.openConnections === 0);
  });

  it('can be given up before the answer begins', async () => {
    server.handler = () => undefined;
    const giveUp = new AbortController();
    const opening = errorOf(transport.stream({ path: '/', signal: giveUp.signal }));
    await waitFor('the request', () => server.requests.length === 1);
    const reason = new Error('stop');
    giveUp.abort(reason);
    expect(await opening).to.equal(reason);
    await waitFor('the end of the connection', () => server.openConnections === 0);
  });

  it('has a time limit for the head of the answer, and none afterwards', async () => {
    const stream = await transport.stream({ path: '/', timeoutMs: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    response?.end('late');
    expect(await readAll(stream)).to.equal('late');
    server.handler = () => undefined;
    const error = await errorOf(transport.stream({ path: '/', timeoutMs: 50 }));
    expect(error.code).to.equal('API_TIMEOUT');
    await waitFor('the end of the connection', () => server.openConnections === 0);
  });

  it('holds the sender back while nobody reads, and loses nothing', async () => {
    const stream = await transport.stream({ path: '/' });
    const block = 'x'.repeat(64 * 1024);
    let sent = 0;
    let blocked = false;
    const send = (): void => {
      while (sent < 400) {
        sent += 1;
        if (response?.write(block)) continue;
        blocked = true;
        response?.once('drain', send);
        return;
      }
      response?.end();
    };
    send();
    await waitFor('back-pressure', () => stream.paused);
    expect(blocked).to.equal(true);
    expect(await readAll(stream)).to.have.length(400 * block.length);
  });

  it('tells of activity, for watchdogs', async () => {
    const stream = await transport.stream({ path: '/' });
    let calls = 0;
    stream.onActivity = () => {
      calls += 1;
    };
    response?.write('x');
    await waitFor('the activity', () => calls > 0);
    expect(calls).to.equal(1);
  });

  it('fails with all others when the transport is closed', async () => {
    const stream = await transport.stream({ path: '/' });
    const read = errorOf(stream.read());
    await transport.close();
    expect((await read).message).to.equal('the client is closed');
  });
});
