import { expect } from 'chai';
import { once } from 'node:events';
import { FakeStream } from '../../../support/fake-streams.js';
import { KubeletRig } from '../../../support/kubelet-rig.js';
import { waitFor } from '../../../support/wait-for.js';

const LOGS = '/containerLogs/default/web/main';

describe('/containerLogs', () => {
  let rig: KubeletRig;
  let log: FakeStream;

  beforeEach(async () => {
    rig = await KubeletRig.start();
    log = new FakeStream();
    rig.streams.onStream = () => log;
  });

  afterEach(() => rig.close());

  /** Begins to read; resolves with the first bytes. */
  async function follow(): Promise<{ socket: Awaited<ReturnType<KubeletRig['connect']>>; received: () => string }> {
    const socket = await rig.connect();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write(`GET ${LOGS}?follow=true HTTP/1.1\r\nHost: node\r\n\r\n`);
    await waitFor('the head', () => text.includes('\r\n\r\n'));
    return { socket, received: () => text };
  }

  it('gives the log as the member gives it', async () => {
    log.push('one\n').push('two\n').end();
    const { status, headers, body } = await rig.request(`${LOGS}?tailLines=2&previous=true`);
    expect([status, headers['content-type'], body]).to.deep.equal([200, 'text/plain', 'one\ntwo\n']);
    expect(rig.streams.requests[0]).to.include({
      path: '/api/v1/namespaces/default/pods/web/log?container=main&previous=true&tailLines=2',
    });
    await waitFor('the counts', () => rig.events.length === 4);
    expect(rig.events).to.have.members(['logs began', 'logs toClient 8', 'logs ended', 'member1 containerLogs 200']);
  });

  it('sends each line of a followed log at once', async () => {
    const { received } = await follow();
    log.push('one\n');
    await waitFor('the first line', () => received().includes('one\n'));
    log.push('two\n');
    await waitFor('the second line', () => received().includes('two\n'));
  });

  it('sends the end in a record of its own, since API servers lose what comes with it', async () => {
    log.push('one\n').end();
    const socket = await rig.connect();
    const records: string[] = [];
    socket.on('data', (chunk: Buffer) => records.push(chunk.toString('latin1')));
    socket.write(`GET ${LOGS} HTTP/1.1\r\nHost: node\r\n\r\n`);
    await waitFor('the end', () => records.join('').endsWith('0\r\n\r\n'));
    expect(records.at(-1)).to.equal('0\r\n\r\n');
    socket.destroy();
  });

  it('ends the request in the member when the client has gone', async () => {
    const { socket } = await follow();
    let aborted = false;
    rig.streams.requests[0]?.signal?.addEventListener('abort', () => (aborted = true));
    socket.destroy();
    await waitFor('the end', () => aborted);
    await log.close();
    await waitFor('the session', () => rig.sessions.count === 0);
  });

  it('reads no further than the client does', async () => {
    const socket = await rig.connect();
    socket.pause();
    const piece = 'x'.repeat(100_000);
    for (let i = 0; i < 300; i += 1) log.push(piece);
    log.end();
    socket.write(`GET ${LOGS} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n`);
    await waitFor('the first reads', () => log.reads > 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const readsWhilePaused = log.reads;
    expect(readsWhilePaused).to.be.lessThan(250);
    let size = 0;
    socket.on('data', (chunk: Buffer) => (size += chunk.length)).resume();
    await once(socket, 'close');
    expect(size).to.be.greaterThan(30_000_000);
    expect(log.reads).to.be.greaterThan(readsWhilePaused);
  });

  it('breaks the connection when the member breaks off, so that nobody takes half a log for all of it', async () => {
    log.push('one\n').end(new Error('reset'));
    const failure = await rig.request(LOGS).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(failure?.message).to.match(/aborted|hang up/);
    expect(rig.logs).to.include('a request to the kubelet API failed');
  });

  it('tells what the member says in plain words, as a kubelet does', async () => {
    const message = 'container "main" in pod "web" is waiting to start: ContainerCreating';
    log = new FakeStream(400).push(JSON.stringify({ kind: 'Status', code: 400, message })).end();
    const { status, body } = await rig.request(LOGS);
    expect([status, body]).to.deep.equal([400, `${message}\n`]);
  });

  const answers: readonly (readonly [number, number, RegExp])[] = [
    [401, 502, /refused the manager's credential/],
    [404, 404, /HTTP 404/],
    [302, 502, /answered with HTTP 302/],
    [500, 500, /HTTP 500/],
  ];
  for (const [theirs, ours, words] of answers) {
    it(`answers ${ours} to the member's ${theirs}`, async () => {
      log = new FakeStream(theirs).end();
      const { status, body } = await rig.request(LOGS);
      expect(status).to.equal(ours);
      expect(body).to.match(words);
    });
  }

  it('says that the member can not be reached', async () => {
    rig.streams.onStream = () => {
      throw new Error('timeout');
    };
    const { status, body } = await rig.request(LOGS);
    expect([status, body]).to.deep.equal([502, 'the member cluster can not be reached: timeout\n']);
  });

  it('refuses bad options as kubelet does, without asking the member', async () => {
    expect((await rig.request(`${LOGS}?tailLines=x`)).status).to.equal(400);
    expect((await rig.request(`${LOGS}?tailLines=-1`)).status).to.equal(422);
    expect((await rig.request('/containerLogs/default/we_b/main')).status).to.equal(404);
    expect(rig.streams.requests).to.deep.equal([]);
  });

  it('ends when the server stops', async () => {
    const { socket } = await follow();
    rig.sessions.close();
    await log.close(new Error('the server stops'));
    await once(socket, 'close');
  });
});
