import { expect } from 'chai';
import { KubeletRig } from '../../../support/kubelet-rig.js';
import { waitFor } from '../../../support/wait-for.js';

const LIMITS = {
  maxHeaderBytes: 8_192,
  headersTimeoutMs: 300,
  requestTimeoutMs: 600,
  checkIntervalMs: 50,
  keepAliveMs: 5_000,
};

describe('a connection to the kubelet API', () => {
  let rig: KubeletRig;

  beforeEach(async () => {
    rig = await KubeletRig.start({ limits: LIMITS });
  });

  afterEach(() => rig.close());

  it('serves one request after the other', async () => {
    const socket = await rig.connect();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (let i = 1; i <= 3; i += 1) {
      socket.write('GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n');
      await waitFor('the answer', () => text.split('HTTP/1.1 200 OK').length === i + 1);
    }
    socket.destroy();
  });

  it('is cut off when its head trickles in', async () => {
    const socket = await rig.connect();
    let closed = false;
    socket.on('error', () => undefined).on('close', () => (closed = true));
    socket.resume().write('GET /healthz HTTP/1.1\r\nHost: node\r\n');
    const drip = setInterval(() => socket.write('X: y\r\n'), 50);
    await waitFor('the end', () => closed, 3_000);
    clearInterval(drip);
    expect(rig.reviews).to.deep.equal([]);
  });

  it('is cut off when it says nothing at all', async () => {
    const socket = await rig.connect();
    let closed = false;
    socket.on('error', () => undefined).on('close', () => (closed = true));
    socket.resume();
    await waitFor('the end', () => closed, 3_000);
  });

  it('is refused a head that is too long', async () => {
    const answer = await rig.raw(`GET /healthz HTTP/1.1\r\nHost: node\r\nX: ${'y'.repeat(9_000)}\r\n\r\n`);
    expect(answer).to.match(/^HTTP\/1\.1 431 /);
  });

  it('is refused what is no HTTP', async () => {
    expect(await rig.raw('\x16\x03\x01 no http\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /);
  });

  it('is refused when there are too many', async () => {
    rig.room = false;
    const failure = await rig.request('/healthz').then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(Error);
    expect(rig.events).to.include('refused: limit');
  });

  it('is counted as refused when no TLS is agreed on', async () => {
    const failure = await rig.request('/healthz', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(Error);
    await waitFor('the count', () => rig.events.includes('refused: handshake'));
  });

  it('goes on while a drain waits for its request, and is closed when idle', async () => {
    const socket = await rig.connect();
    let closed = false;
    socket.resume().on('close', () => (closed = true));
    socket.write('GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n');
    await waitFor('the answer', () => rig.events.length === 1);
    await rig.front.drain(3_000);
    await waitFor('the end', () => closed);
    expect(rig.front.connections).to.equal(0);
  });
});
