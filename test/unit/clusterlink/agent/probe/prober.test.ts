import { expect } from 'chai';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { encodeProbe } from '../../../../../src/clusterlink/agent/probe/packet.js';
import { Prober } from '../../../../../src/clusterlink/agent/probe/prober.js';
import { systemClock, systemRandom } from '../../../../../src/lib/clock.js';
import { silentLogger } from '../../../../../src/lib/logger.js';
import { eventually } from '../../../../support/eventually.js';

/** Loopback addresses stand for tunnel addresses. */
const ONE = '127.0.80.1';
const OTHER = '127.0.80.2';

describe('Prober', () => {
  const abort = new AbortController();
  const running: Promise<void>[] = [];
  let changes = 0;
  let port = 0;
  let one: Prober;
  let other: Prober;

  before(async () => {
    const probe = createSocket('udp4');
    probe.bind(0, ONE);
    await once(probe, 'listening');
    ({ port } = probe.address());
    probe.close();
    const options = { port, clock: systemClock, random: systemRandom, logger: silentLogger };
    one = new Prober({ ...options, onChange: () => changes++ });
    other = new Prober({ ...options, onChange: () => undefined });
    running.push(one.run(abort.signal), other.run(abort.signal));
    one.follow({ sources: [ONE], targets: [{ name: 'west/n1', ip: OTHER, source: ONE, gateway: true }] });
  });

  after(async () => {
    abort.abort();
    await Promise.all(running);
  });

  it('knows nothing at first', () => {
    expect([one.alive(OTHER), one.alive('127.0.80.9'), one.report()]).to.deep.equal([undefined, undefined, []]);
  });

  it('is answered by another one', async () => {
    other.follow({ sources: [OTHER], targets: [] });
    await eventually(() => expect(one.alive(OTHER)).to.equal(true), { timeoutMs: 3_000 });
    expect(one.report()[0]).to.include({ name: 'west/n1', ip: OTHER, reachable: true });
    expect(one.report()[0]?.rttMs).to.be.within(0, 500);
    await eventually(() => expect(changes).to.be.greaterThan(0));
  });

  it('notices soon that it is gone', async () => {
    other.follow({ sources: [], targets: [] });
    await eventually(() => expect(one.alive(OTHER)).to.equal(false), { timeoutMs: 4_000 });
    expect(one.report()[0]).to.include({ reachable: false });
  }).timeout(6_000);

  it('answers no longer than it was asked, and nothing but questions', async () => {
    const socket: Socket = createSocket('udp4');
    const answers: Buffer[] = [];
    socket.on('message', (message) => answers.push(message));
    for (const message of ['x'.repeat(1000), encodeProbe({ kind: 'answer', session: 1, sequence: 1 })])
      socket.send(message, port, ONE);
    socket.send(encodeProbe({ kind: 'question', session: 7, sequence: 9 }), port, ONE);
    await eventually(() => expect(answers).to.have.length(1));
    expect(answers[0]).to.deep.equal(encodeProbe({ kind: 'answer', session: 7, sequence: 9 }));
    socket.close();
  });

  it('tries an address again that was not there', async () => {
    one.follow({ sources: ['192.0.2.55'], targets: [] });
    await eventually(() => expect(one.report()).to.deep.equal([]));
    one.follow({ sources: [ONE], targets: [{ name: 'west/n1', ip: OTHER, source: ONE, gateway: false }] });
    other.follow({ sources: [OTHER], targets: [] });
    await eventually(() => expect(one.alive(OTHER)).to.equal(true), { timeoutMs: 5_000 });
  }).timeout(8_000);
});
