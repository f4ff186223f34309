import { expect } from 'chai';
import { duplexPair, type Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { UpgradeRequest } from '../../../../src/kube/transport.js';
import { FakeStream, switched } from '../../../support/fake-streams.js';
import { KubeletRig } from '../../../support/kubelet-rig.js';
import { waitFor } from '../../../support/wait-for.js';

const EXEC = '/exec/default/web/main?command=sh&input=1&output=1';

describe('a session in a pod', () => {
  let rig: KubeletRig;
  /** The member's end of the last session. */
  let member: Duplex;

  beforeEach(async () => {
    rig = await KubeletRig.start();
    rig.streams.onUpgrade = () => {
      const [ours, theirs] = duplexPair();
      member = theirs;
      return switched(ours, { 'x-stream-protocol-version': 'v4.channel.k8s.io' });
    };
  });

  afterEach(() => rig.close());

  /** Opens a session; `received` grows with what comes. */
  async function open(
    path = EXEC,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ socket: TLSSocket; received: () => string; closed: () => boolean }> {
    const socket = await rig.connect();
    let text = '';
    let closed = false;
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => (closed = true));
    socket.write(KubeletRig.handshake(path, headers));
    await waitFor('the answer', () => text.includes('\r\n\r\n'));
    return { socket, received: () => text.slice(text.indexOf('\r\n\r\n') + 4), closed: () => closed };
  }

  function asked(): UpgradeRequest {
    return rig.streams.requests.at(-1) as UpgradeRequest;
  }

  it('asks the member for the same in its own words', async () => {
    await open('/exec/default/web/main?command=sh&command=-c&input=1&tty=1', {
      'X-Stream-Protocol-Version': 'v5.channel.k8s.io',
      Authorization: 'Bearer stolen',
      'Impersonate-User': 'root',
      'X-Remote-User': 'root',
    });
    expect(asked()).to.deep.include({
      method: 'POST',
      protocol: 'SPDY/3.1',
      path: '/api/v1/namespaces/default/pods/web/exec?container=main&command=sh&command=-c&stdin=true&tty=true',
      headers: { 'x-stream-protocol-version': ['v5.channel.k8s.io'] },
    });
  });

  it('passes bytes both ways, as they are', async () => {
    const { socket, received } = await open();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const got: Buffer[] = [];
    member.on('data', (chunk: Buffer) => got.push(chunk));
    socket.write(bytes);
    member.write(bytes);
    await waitFor('the bytes', () => received().length >= 256 && Buffer.concat(got).length >= 256);
    expect(Buffer.concat(got).equals(bytes)).to.be.true;
    expect(Buffer.from(received(), 'latin1').equals(bytes)).to.be.true;
  });

  it('passes on what the client sent right behind its request', async () => {
    const socket = await rig.connect();
    socket.on('error', () => undefined);
    socket.write(`${KubeletRig.handshake(EXEC)}early`);
    await waitFor('the session', () => rig.sessions.count === 1);
    const [first] = (await member.take(1).toArray()) as Buffer[];
    expect(first?.toString()).to.equal('early');
  });

  it('is counted while it lasts, with its bytes at the end', async () => {
    const { socket, closed } = await open();
    expect(rig.sessions.count).to.equal(1);
    expect(rig.events).to.deep.equal(['exec began', 'member1 exec 101']);
    socket.write('abc');
    await waitFor('the bytes', () => member.readableLength === 3);
    member.resume();
    member.end('bye');
    await waitFor('the end', closed);
    await waitFor('the last word', () => rig.events.length === 5);
    expect(rig.sessions.count).to.equal(0);
    expect(rig.events).to.include('exec ended');
  });

  it('ends for the client after everything has arrived when the member ends it', async () => {
    const { received, closed } = await open();
    member.resume();
    member.end(Buffer.alloc(1_000_000, 'x'));
    await waitFor('the end', closed);
    expect(received()).to.have.length(1_000_000);
  });

  it('ends in the member when the client has gone', async () => {
    const { socket } = await open();
    // An API server closes as soon as its peer does.
    member.resume().on('end', () => member.end());
    socket.destroy();
    await waitFor('the end', () => rig.sessions.count === 0);
    expect(member.readableEnded || member.destroyed).to.be.true;
  });

  it('ends in an orderly way when the server stops', async () => {
    const { socket, closed } = await open();
    let ended = false;
    socket.on('end', () => (ended = true));
    rig.sessions.close();
    await waitFor('the end', closed);
    await waitFor('the session', () => rig.sessions.count === 0);
    expect(ended).to.be.true;
    expect(rig.logs).to.include('a session was ended');
  });

  describe('is not opened', () => {
    async function refusal(path = EXEC, headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
      const answer = await rig.raw(KubeletRig.handshake(path, headers));
      return [answer.split('\r\n')[0] ?? '', answer.slice(answer.indexOf('\r\n\r\n') + 4)];
    }

    it('when the member says no, and passes its words on', async () => {
      const status = '{"kind":"Status","code":403,"message":"exec is forbidden"}';
      const answer = new FakeStream(403, { 'content-type': 'application/json' }).push(status).end();
      rig.streams.onUpgrade = () => ({ switched: false, answer });
      expect(await refusal()).to.deep.equal(['HTTP/1.1 403 Forbidden', status]);
      expect(answer.closed).not.to.be.undefined;
    });

    it("when the member refuses the manager's credential, which is not the client's fault", async () => {
      rig.streams.onUpgrade = () => ({ switched: false, answer: new FakeStream(401).push('Unauthorized').end() });
      expect(await refusal()).to.deep.equal([
        'HTTP/1.1 502 Bad Gateway',
        "the member cluster refused the manager's credential",
      ]);
    });

    it('when the member does not answer', async () => {
      rig.streams.onUpgrade = () => {
        throw new Error('connection refused');
      };
      expect(await refusal()).to.deep.equal([
        'HTTP/1.1 502 Bad Gateway',
        'the member cluster can not be reached: connection refused',
      ]);
    });

    it('when there is no member', async () => {
      rig.isConnected = false;
      expect(await refusal()).to.deep.equal([
        'HTTP/1.1 503 Service Unavailable',
        'the member cluster of node "kosmos-member1" is not connected',
      ]);
    });

    it('when the pod is replaced meanwhile', async () => {
      rig.streams.onUpgrade = () => {
        const [ours, theirs] = duplexPair();
        member = theirs;
        rig.memberPods.delete('default/web');
        return switched(ours);
      };
      expect(await refusal()).to.deep.equal(['HTTP/1.1 404 Not Found', 'pod "web" does not exist']);
    });

    it('with another protocol', async () => {
      expect((await refusal(EXEC, { Upgrade: 'h2c' }))[0]).to.equal('HTTP/1.1 400 Bad Request');
      expect(rig.streams.requests).to.deep.equal([]);
    });

    it('at a path that has none', async () => {
      expect((await refusal('/healthz'))[0]).to.equal('HTTP/1.1 404 Not Found');
    });

    it('without an upgrade', async () => {
      for (const path of ['/exec/default/web/main', '/attach/default/web/main', '/portForward/default/web']) {
        const { status, body } = await rig.request(path, { method: 'POST' });
        expect([status, body]).to.deep.equal([400, 'Upgrade request required\n']);
      }
    });
  });
});
