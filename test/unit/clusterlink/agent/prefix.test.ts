import { expect } from 'chai';
import fc from 'fast-check';
import { bytesToIp } from '../../../../src/clusterlink/agent/netlink/ip-bytes.js';
import { containsIp, hostMask, networkOf, parsePrefix } from '../../../../src/clusterlink/agent/prefix.js';

describe('prefixes', () => {
  it('are parsed with any length that the family has', () => {
    expect(parsePrefix('10.10.0.0/16')).to.deep.equal({ ip: '10.10.0.0', prefixLength: 16 });
    expect(parsePrefix('9470:0018::1/128')).to.deep.equal({ ip: '9470:18::1', prefixLength: 128 });
    for (const text of [
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '::/129',
      '10.0.0.0/-1',
      'x/8',
      '10.0.0.0/1e1',
    ]) {
      expect(() => parsePrefix(text), text).to.throw();
    }
  });

  it('lose their host bits', () => {
    expect(networkOf('10.10.255.255', 18)).to.equal('10.10.192.0');
    expect(networkOf('fd11:10:ffff::1', 36)).to.equal('fd11:10:f000::');
    expect(hostMask('10.0.0.0', 20)).to.equal('0.0.15.255');
    expect(hostMask('::', 0)).to.equal('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
  });

  it('contain addresses of their own family only', () => {
    expect(containsIp({ ip: '10.10.0.1', prefixLength: 16 }, '10.10.255.9')).to.equal(true);
    expect(containsIp({ ip: '10.10.0.1', prefixLength: 16 }, '10.11.0.1')).to.equal(false);
    expect(containsIp({ ip: '0.0.0.0', prefixLength: 0 }, '::1')).to.equal(false);
  });

  it('contain exactly what has the same network', () => {
    const ip = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(bytesToIp);
    fc.assert(
      fc.property(ip, ip, fc.integer({ min: 0, max: 32 }), (one, other, prefixLength) => {
        const same = networkOf(one, prefixLength) === networkOf(other, prefixLength);
        expect(containsIp({ ip: one, prefixLength }, other)).to.equal(same);
      }),
    );
  });
});
