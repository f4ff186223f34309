import { expect } from 'chai';
import fc from 'fast-check';
import { covers, includesIp, ipWithPrefix, mapCidr, overlaps, parseCidr, parseIp } from '../../../src/lib/cidr.js';

const cidr = (text: string): NonNullable<ReturnType<typeof parseCidr>> => parseCidr(text)!;
const ip = (text: string): NonNullable<ReturnType<typeof parseIp>> => parseIp(text)!;

describe('parseIp', () => {
  for (const [text, family, canonical] of [
    ['172.18.1.11', 'ipv4', '172.18.1.11'],
    ['0.0.0.0', 'ipv4', '0.0.0.0'],
    ['fd00:18::1:11', 'ipv6', 'fd00:18::1:11'],
    ['FD00:0018:0:0::1', 'ipv6', 'fd00:18::1'],
    ['2409:8c2f:3800:0011::0a18:0000', 'ipv6', '2409:8c2f:3800:11::a18:0'],
    ['::', 'ipv6', '::'],
  ] as const) {
    it(`reads ${text}`, () => expect(parseIp(text)).to.include({ family, text: canonical }));
  }

  for (const text of [
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '0x0a.0.0.1',
    '10',
    'fe80::1%eth0',
    ':::',
    'node',
    ' ::',
  ]) {
    it(`refuses "${text}"`, () => expect(parseIp(text)).to.equal(undefined));
  }
});

describe('parseCidr', () => {
  for (const [text, canonical] of [
    ['10.237.6.0/18', '10.237.0.0/18'],
    ['2409:8c2f:3800:0011::0a18:0000/114', '2409:8c2f:3800:11::a18:0/114'],
    ['9480::0/16', '9480::/16'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::1/128', '::1/128'],
  ] as const) {
    it(`reads ${text} as ${canonical}`, () => expect(parseCidr(text)?.text).to.equal(canonical));
  }

  for (const text of ['10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/-1', '10.0.0.0/08', '/8', '10.0.0.0/8/8']) {
    it(`refuses "${text}"`, () => expect(parseCidr(text)).to.equal(undefined));
  }
});

describe('overlaps', () => {
  for (const [a, b, expected] of [
    ['10.233.0.0/16', '10.233.0.0/18', true],
    ['10.233.1.0/23', '10.233.0.0/16', true],
    ['10.222.0.0/16', '10.223.0.0/16', false],
    ['2409::/16', '2400::/12', true],
    ['192.168.1.0/25', '192.168.1.128/25', false],
    ['fd00::/64', 'fd00:0:0:1::/64', false],
    ['0.0.0.0/0', '::/0', false],
  ] as const) {
    it(`is ${expected} for ${a} and ${b}, either way round`, () => {
      expect(overlaps(cidr(a), cidr(b))).to.equal(expected);
      expect(overlaps(cidr(b), cidr(a))).to.equal(expected);
    });
  }
});

describe('covers', () => {
  it('is about all of the inner range', () => {
    expect(covers(cidr('10.0.0.0/8'), cidr('10.1.0.0/16'))).to.be.true;
    expect(covers(cidr('10.0.0.0/8'), cidr('10.0.0.0/8'))).to.be.true;
    expect(covers(cidr('10.1.0.0/16'), cidr('10.0.0.0/8'))).to.be.false;
    expect(covers(cidr('::/0'), cidr('10.0.0.0/8'))).to.be.false;
  });
});

describe('includesIp', () => {
  it('has the first and the last address, and none of the other family', () => {
    expect(includesIp(cidr('10.1.0.0/16'), ip('10.1.0.0'))).to.be.true;
    expect(includesIp(cidr('10.1.0.0/16'), ip('10.1.255.255'))).to.be.true;
    expect(includesIp(cidr('10.1.0.0/16'), ip('10.2.0.0'))).to.be.false;
    expect(includesIp(cidr('::/0'), ip('10.1.0.0'))).to.be.false;
  });
});

describe('ipWithPrefix', () => {
  for (const [prefix, address, expected] of [
    ['220.0.0.0/8', '172.18.1.11', '220.18.1.11'],
    ['210.0.0.0/8', '100.10.10.1', '210.10.10.1'],
    ['9480::/16', '2409:7c85:6200::a0e:1702', '9480:7c85:6200::a0e:1702'],
    ['100.64.0.0/10', '10.200.1.2', '100.72.1.2'],
  ] as const) {
    it(`makes ${expected} of ${address} in ${prefix}`, () => {
      expect(ipWithPrefix(cidr(prefix), ip(address)).text).to.equal(expected);
    });
  }
});

describe('mapCidr', () => {
  for (const [part, from, to, expected] of [
    ['10.10.0.64/26', '10.10.0.0/16', '242.10.0.0/16', '242.10.0.64/26'],
    ['10.10.0.0/16', '10.10.0.0/16', '242.10.0.0/16', '242.10.0.0/16'],
    ['10.234.12.13/32', '10.234.0.0/16', '10.238.0.0/16', '10.238.12.13/32'],
    ['2001:0:0:cd30::1/128', '2001:0:0:cd30::/60', '4292:0:0:cd30::/60', '4292:0:0:cd30::1/128'],
  ] as const) {
    it(`makes ${expected} of ${part}`, () => {
      expect(mapCidr(cidr(part), cidr(from), cidr(to)).text).to.equal(expected);
    });
  }

  it('can be undone', () => {
    const range = fc.tuple(fc.nat(0xffffff), fc.integer({ min: 8, max: 16 }));
    fc.assert(
      fc.property(range, fc.integer({ min: 16, max: 32 }), ([bits, length], partLength) => {
        const from = cidr(`10.${bits >> 16}.${(bits >> 8) & 255}.${bits & 255}/${length}`);
        const to = cidr(`100.64.0.0/${length}`);
        const part = cidr(`${from.text.split('/')[0]}/${partLength}`);
        expect(mapCidr(mapCidr(part, from, to), to, from)).to.deep.equal(part);
      }),
    );
  });
});
