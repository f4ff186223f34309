import { expect } from 'chai';
import fc from 'fast-check';
import { addressBytes, bigInteger, decode, encode, pem, time } from '../../../src/pki/der.js';

describe('addressBytes', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['10.0.0.1', '0a000001'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['fd00::', `fd00${'0'.repeat(28)}`],
    ['2001:db8::1:2', '20010db8000000000000000000010002'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
  ];
  for (const [address, hex] of cases) {
    it(`reads ${address}`, () => expect(addressBytes(address).toString('hex')).to.equal(hex));
  }

  it('gives 16 bytes for any IPv6 address', () => {
    fc.assert(fc.property(fc.ipV6(), (address) => addressBytes(address).length === 16));
  });
});

describe('bigInteger', () => {
  it('is positive, whatever the first bit is', () => {
    expect(encode(bigInteger(Buffer.of(0x80))).toString('hex')).to.equal('02020080');
    expect(encode(bigInteger(Buffer.of(0x7f))).toString('hex')).to.equal('02017f');
  });
});

describe('time', () => {
  it('has two digits of the year before 2050, and four from then on', () => {
    expect(encode(time(new Date('2049-12-31T23:59:59Z'))).toString('latin1')).to.include('491231235959Z');
    expect(encode(time(new Date('2050-01-01T00:00:00Z'))).toString('latin1')).to.include('20500101000000Z');
  });
});

describe('decode', () => {
  it('reads what encode has written', () => {
    const bytes = Buffer.from('3006020101020102', 'hex');
    expect(encode(decode(bytes)).equals(bytes)).to.be.true;
  });
});

describe('pem', () => {
  it('has lines of 64 characters', () => {
    const lines = pem('X', Buffer.alloc(100)).trimEnd().split('\n');
    expect(lines.map(({ length }) => length)).to.deep.equal([17, 64, 64, 8, 15]);
  });
});
