import { expect } from 'chai';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { namesToTry, probeDns } from '../../../../src/clusterlink/floater/dns-probe.js';
import { systemClock as clock } from '../../../../src/lib/clock.js';

const NXDOMAIN = 3;
const SERVFAIL = 2;

/** Reads the name that is asked for. */
function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; (question[at] ?? 0) > 0; at += (question[at] ?? 0) + 1) {
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)));
  }
  return labels.join('.');
}

/** An answer with one address (or none, of the other kind), or with an error code. */
function answerTo(question: Buffer, code: number): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const isA = question.readUInt16BE(end - 4) === 1;
  const record = code === 0 && isA ? Buffer.from('c00c000100010000003c00040a000001', 'hex') : Buffer.alloc(0);
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(record.length > 0 ? 1 : 0, 6);
  head.writeUInt16BE(0, 10);
  return Buffer.concat([head, record]);
}

describe('a probe of DNS', () => {
  const resolvConf = 'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\n';
  let server: Socket;
  let asked: string[];
  /** The code of the answer; undefined for none. */
  let codeOf: (name: string) => number | undefined;

  beforeEach(async () => {
    asked = [];
    server = createSocket('udp4');
    server.on('message', (question, { port, address }) => {
      const name = nameIn(question);
      if (asked.at(-1) !== name) asked.push(name);
      const code = codeOf(name);
      if (code !== undefined) server.send(answerTo(question, code), port, address);
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => server.close());

  const probe = (name: string): ReturnType<typeof probeDns> => {
    const servers = [`127.0.0.1:${server.address().port}`];
    return probeDns(name, { clock, timeoutMs: 100, resolvConf, servers });
  };

  it('tries the name with the search list, until there is an answer', async () => {
    codeOf = (name) => (name === 'kubernetes.default.svc.cluster.local' ? 0 : NXDOMAIN);
    const outcome = await probe('kubernetes.default.svc');
    expect(outcome.ok).to.equal(true);
    expect(outcome.ms).to.be.greaterThan(0);
    expect(asked).to.deep.equal([
      'kubernetes.default.svc.shop.svc.cluster.local',
      'kubernetes.default.svc.svc.cluster.local',
      'kubernetes.default.svc.cluster.local',
    ]);
  });

  it('says that there is no such name', async () => {
    codeOf = () => NXDOMAIN;
    expect(await probe('nothing')).to.deep.equal({ ok: false, error: 'ENOTFOUND' });
    expect(asked.at(-1)).to.equal('nothing');
  });

  it('says that nobody answers, and tries no other name then', async () => {
    codeOf = () => undefined;
    expect(await probe('kubernetes.default.svc')).to.deep.equal({ ok: false, error: 'TIMEOUT' });
    expect(new Set(asked).size).to.equal(1);
  });

  it('says that the server itself fails', async () => {
    codeOf = () => SERVFAIL;
    expect(await probe('kubernetes.default.svc')).to.deep.equal({ ok: false, error: 'ESERVFAIL' });
  });
});

describe('names that a resolver tries', () => {
  it('are the name with each suffix of the last search list, then the name alone', () => {
    expect(namesToTry('a.b', 'search one\nnameserver ::1\nsearch\ttwo  three \n')).to.deep.equal([
      'a.b.two',
      'a.b.three',
      'a.b',
    ]);
    expect(namesToTry('a.b', 'nameserver ::1\n')).to.deep.equal(['a.b']);
  });
});
