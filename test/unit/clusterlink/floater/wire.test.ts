import { expect } from 'chai';
import {
  answerTo,
  encodeEcho,
  encodeSizeQuestion,
  internetChecksum,
  isEchoReply,
  isSizeAnswer,
  SMALLEST_SIZE,
  socketAddress,
} from '../../../../src/clusterlink/floater/wire.js';

const CONTENT = Buffer.from('kosmos');

/** What the kernel makes of a question: the same bytes with the type of an answer. */
function replyTo(question: Buffer, type: number): Buffer {
  const reply = Buffer.from(question);
  reply[0] = type;
  return reply;
}

describe('addresses of sockets', () => {
  it('are laid out as the C library has them', () => {
    expect(socketAddress('10.1.2.3', 0x1234).toString('hex')).to.equal('020012340a0102030000000000000000');
    expect(socketAddress('fd00::1', 80).toString('hex')).to.equal(`0a00005000000000${'fd00'.padEnd(31, '0')}100000000`);
    expect(() => socketAddress('name', 80)).to.throw('"name" is no IP address');
  });
});

describe('ICMP echo', () => {
  it('has a checksum with which whoever receives it gets zero', () => {
    const packet = encodeEcho('ipv4', 0x0b36, 1, Buffer.alloc(8, 0x6b));
    expect(packet.toString('hex')).to.equal('08003f1b0b3600016b6b6b6b6b6b6b6b');
    expect(internetChecksum(packet)).to.equal(0);
  });

  it('is summed up over an odd number of bytes too', () => {
    expect(internetChecksum(Buffer.from([0x01]))).to.equal(0xfeff);
    expect(internetChecksum(Buffer.from('0001f203f4', 'hex'))).to.equal(0x19fa);
    // The example of RFC 1071.
    expect(internetChecksum(Buffer.from('0001f203f4f5f6f7', 'hex'))).to.equal(0x220d);
  });

  it('leaves the checksum of ICMPv6 to the kernel, which knows the addresses', () => {
    const bytes = encodeEcho('ipv6', 7, 9, CONTENT);
    expect(bytes.subarray(0, 8).toString('hex')).to.equal('8000000000070009');
  });

  for (const [family, type] of [
    ['ipv4', 0],
    ['ipv6', 129],
  ] as const) {
    it(`knows its answer by ${family}, whatever the identifier has become`, () => {
      const reply = replyTo(encodeEcho(family, 7, 9, CONTENT), type);
      reply.writeUInt16BE(4711, 4);
      expect(isEchoReply(family, reply, 9, CONTENT)).to.equal(true);
    });

    it(`takes nothing else for it by ${family}`, () => {
      const question = encodeEcho(family, 7, 9, CONTENT);
      const reply = replyTo(question, type);
      expect(isEchoReply(family, question, 9, CONTENT)).to.equal(false);
      expect(isEchoReply(family, reply, 8, CONTENT)).to.equal(false);
      expect(isEchoReply(family, reply, 9, Buffer.from('kosmoS'))).to.equal(false);
      expect(isEchoReply(family, reply.subarray(0, 7), 9, CONTENT)).to.equal(false);
      expect(isEchoReply(family, Buffer.alloc(0), 9, CONTENT)).to.equal(false);
    });
  }

  it('knows the answer behind the head of IPv4 that raw sockets show, with options too', () => {
    const reply = replyTo(encodeEcho('ipv4', 7, 9, CONTENT), 0);
    for (const words of [5, 7]) {
      const head = Buffer.alloc(words * 4);
      head[0] = 0x40 | words;
      expect(isEchoReply('ipv4', Buffer.concat([head, reply]), 9, CONTENT)).to.equal(true);
    }
  });
});

describe('questions about sizes', () => {
  for (const [family, heads] of [
    ['ipv4', 28],
    ['ipv6', 48],
  ] as const) {
    it(`make a packet of the wanted size by ${family}`, () => {
      expect(encodeSizeQuestion(family, 1450, 1)).to.have.lengthOf(1450 - heads);
      expect(encodeSizeQuestion(family, SMALLEST_SIZE[family], 1)).to.have.lengthOf(8);
    });
  }

  it('are answered with their head, so that only one direction is measured', () => {
    const answer = answerTo(encodeSizeQuestion('ipv4', 1450, 77));
    expect(answer).to.have.lengthOf(8);
    expect(isSizeAnswer(answer, 77)).to.equal(true);
    expect(isSizeAnswer(answer, 78)).to.equal(false);
    expect(isSizeAnswer(encodeSizeQuestion('ipv4', 1450, 77), 77)).to.equal(false);
  });

  it('are told from everything else, which comes back whole', () => {
    for (const text of ['', 'K', 'KSMM', 'KSMM123', 'some words']) {
      expect(answerTo(Buffer.from(text)).toString()).to.equal(text);
    }
  });
});
