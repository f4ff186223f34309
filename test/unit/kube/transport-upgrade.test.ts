import { expect } from 'chai';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AuthMaterial } from '../../../src/kube/credential.js';
import { Secret } from '../../../src/kube/secret.js';
import type { UpgradeOutcome } from '../../../src/kube/server-stream.js';
import { createTransport, type KubeTransport, type UpgradeRequest } from '../../../src/kube/transport.js';
import { createAuthority, type KeyPair, type TestAuthority } from '../../support/certificates.js';
import { ConnectProxy } from '../../support/connect-proxy.js';
import { accessTo } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

const REQUEST: UpgradeRequest = {
  method: 'POST',
  path: '/exec?a=b',
  protocol: 'SPDY/3.1',
  headers: { 'x-stream-protocol-version': ['v5', 'v4'] },
};
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream: v4\r\n\r\n';

describe('a transport that switches protocols', () => {
  let authority: TestAuthority;
  let server: Server;
  let transport: KubeTransport;
  let seen: IncomingMessage[];
  let sockets: Duplex[];
  /** What the server does with the next request. */
  let onUpgrade: (socket: Duplex, request: IncomingMessage) => void;

  before(() => {
    authority = createAuthority();
  });

  afterEach(async () => {
    await transport.close();
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function serve(pair?: KeyPair): Promise<string> {
    [seen, sockets] = [[], []];
    onUpgrade = (socket) => void socket.write(`${SWITCHED}hello`);
    server = pair === undefined ? createServer() : createSecureServer({ cert: pair.certificate, key: pair.key });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      seen.push(request);
      sockets.push(socket);
      socket.on('error', () => undefined);
      onUpgrade(socket, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return `${pair === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  async function connect(more: Parameters<typeof accessTo>[1] = {}, pair?: KeyPair): Promise<KubeTransport> {
    const url = await serve(pair);
    transport = createTransport({ access: accessTo({ url }, more) });
    return transport;
  }

  async function switchedSocket(outcome: Promise<UpgradeOutcome>): Promise<Duplex> {
    const result = await outcome;
    if (!result.switched) throw new Error(`answered with ${result.answer.statusCode}`);
    result.socket.on('error', () => undefined);
    return result.socket;
  }

  async function firstBytes(socket: Duplex): Promise<string> {
    const [chunk] = (await socket.take(1).toArray()) as Buffer[];
    return chunk?.toString() ?? '';
  }

  it('sends the handshake, each line of a repeated header by itself', async () => {
    await connect();
    const outcome = await transport.upgrade(REQUEST);
    expect(outcome).to.deep.include({ switched: true, statusCode: 101 });
    expect(outcome.switched && outcome.headers['x-stream']).to.equal('v4');
    const { rawHeaders, method, url, headers } = seen[0]!;
    expect([method, url, headers.upgrade, headers.connection]).to.deep.equal([
      ...['POST', '/exec?a=b', 'SPDY/3.1', 'upgrade'],
    ]);
    const lines = rawHeaders.filter((_, i) => rawHeaders[i - 1]?.toLowerCase() === 'x-stream-protocol-version');
    expect(lines).to.deep.equal(['v5', 'v4']);
    if (outcome.switched) outcome.socket.destroy();
  });

  it('gives the connection with all that came behind the head', async () => {
    await connect();
    const socket = await switchedSocket(transport.upgrade(REQUEST));
    expect(await firstBytes(socket)).to.equal('hello');
    socket.destroy();
  });

  it('leaves a switched connection to its owner', async () => {
    await connect();
    const abort = new AbortController();
    const socket = await switchedSocket(transport.upgrade({ ...REQUEST, signal: abort.signal }));
    socket.on('data', () => undefined);
    abort.abort();
    await transport.close();
    let echoed = '';
    sockets[0]?.on('data', (chunk: Buffer) => (echoed += chunk.toString()));
    socket.write('still there');
    await waitFor('the bytes', () => echoed === 'still there');
    socket.destroy();
  });

  it('gives any other answer with its body', async () => {
    await connect();
    onUpgrade = (socket) => void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const outcome = await transport.upgrade(REQUEST);
    if (outcome.switched) throw new Error('it should not have switched');
    expect([outcome.answer.statusCode, (await outcome.answer.read())?.toString()]).to.deep.equal([403, 'no']);
    await outcome.answer.close();
  });

  it('tries again, once, with a new credential', async () => {
    let token = 'old';
    const material = (): AuthMaterial => ({ authorization: new Secret(`Bearer ${token}`) });
    const url = await serve();
    const credential = { current: () => Promise.resolve(material()), refused: () => void (token = 'new') };
    transport = createTransport({ access: accessTo({ url }, {}, credential) });
    onUpgrade = (socket, { headers }) => {
      const isNew = headers.authorization === 'Bearer new';
      socket.write(isNew ? SWITCHED : 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    };
    (await switchedSocket(transport.upgrade(REQUEST))).destroy();
    onUpgrade = (socket) => void socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    const outcome = await transport.upgrade(REQUEST);
    expect(outcome.switched).to.be.false;
    expect(seen).to.have.length(4);
    if (!outcome.switched) await outcome.answer.close();
  });

  it('fails when the connection breaks, or the signal is aborted, before the answer', async () => {
    await connect();
    onUpgrade = (socket) => socket.destroy();
    const broken = await transport.upgrade(REQUEST).then(String, (error: unknown) => (error as { code: string }).code);
    expect(broken).to.equal('API_UNREACHABLE');
    const abort = new AbortController();
    onUpgrade = () => abort.abort(new Error('given up'));
    const aborted = await transport.upgrade({ ...REQUEST, signal: abort.signal }).then(String, String);
    expect(aborted).to.equal('Error: given up');
  });

  it('works over TLS, also through a proxy', async () => {
    const pair = authority.issue('server');
    await connect({ certificateAuthority: authority.certificate }, pair);
    const direct = await switchedSocket(transport.upgrade(REQUEST));
    expect(await firstBytes(direct)).to.equal('hello');
    direct.destroy();
    await transport.close();
    const proxy = await ConnectProxy.start();
    const { port } = server.address() as AddressInfo;
    transport = createTransport({
      access: accessTo(
        { url: `https://127.0.0.1:${port}` },
        {
          certificateAuthority: authority.certificate,
          proxyUrl: new Secret(`http://127.0.0.1:${proxy.port}`),
        },
      ),
    });
    const tunnelled = await switchedSocket(transport.upgrade(REQUEST));
    expect(await firstBytes(tunnelled)).to.equal('hello');
    expect(proxy.tunnels).to.deep.equal([`127.0.0.1:${port}`]);
    const { headers } = seen.at(-1)!;
    expect(headers['x-stream-protocol-version']).to.equal('v5, v4');
    tunnelled.destroy();
    await transport.close();
    await proxy.close();
  });
});
