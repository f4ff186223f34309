import { expect } from 'chai';
import fc from 'fast-check';
import { decodeAcknowledgement, decodeDone } from '../../../../../src/clusterlink/agent/netlink/acknowledgement.js';
import { decodeAddress, encodeAddressAdd } from '../../../../../src/clusterlink/agent/netlink/address.js';
import { KernelError } from '../../../../../src/clusterlink/agent/netlink/kernel-error.js';
import { decodeLink } from '../../../../../src/clusterlink/agent/netlink/link.js';
import { decodeNeighbour, encodeForwardingAdd } from '../../../../../src/clusterlink/agent/netlink/neighbour.js';
import { readMessages } from '../../../../../src/clusterlink/agent/netlink/reader.js';
import { decodeRoute, encodeRouteReplace } from '../../../../../src/clusterlink/agent/netlink/route.js';
import { decodeRule } from '../../../../../src/clusterlink/agent/netlink/rule.js';
import { MessageWriter } from '../../../../../src/clusterlink/agent/netlink/writer.js';
import { bytesToIp, bytesToMac, canonicalIp } from '../../../../../src/clusterlink/agent/netlink/ip-bytes.js';
import { ANSWERED } from './captured.js';
import { captured } from './messages.js';

const DECODERS = [
  decodeLink,
  decodeAddress,
  decodeRoute,
  decodeRule,
  decodeNeighbour,
  decodeAcknowledgement,
  decodeDone,
];

describe("the kernel's answers", () => {
  it('tell of devices', () => {
    const [lo, bridge, bridge6] = captured(ANSWERED.links).map(decodeLink);
    expect(lo).to.include({ index: 1, name: 'lo', kind: undefined, mtu: 65536, up: true, loopback: true });
    expect(lo).to.include({ vxlan: undefined, alias: undefined });
    expect(bridge).to.include({ index: 4, name: 'vx-bridge', kind: 'vxlan', mac: '02:01:01:00:00:b0', mtu: 1400 });
    expect(bridge).to.include({ up: true, loopback: false, alias: 'kosmos' });
    expect(bridge?.vxlan).to.deep.equal({ vni: 54, port: 4876, local: '172.18.1.11', underlay: 3, learning: false });
    expect(bridge6?.vxlan).to.deep.equal({ vni: 64, port: 4866, local: 'fd00:18::1:11', underlay: 3, learning: false });
  });

  it('tell how many bytes a device has carried', () => {
    const [lo] = captured(ANSWERED.links).map(decodeLink);
    expect(lo?.bytes).to.deep.equal({ received: 0, sent: 0 });
  });

  it('tell of addresses, and which of them are not to be used', () => {
    const addresses = captured(ANSWERED.addresses).flatMap((message) => decodeAddress(message) ?? []);
    expect(addresses).to.deep.include({
      ...{ index: 3, ip: '172.18.1.11', prefixLength: 24, family: 'ipv4', scope: 0, unsuitable: false },
    });
    expect(addresses).to.deep.include({
      ...{ index: 5, ip: '9470:18::1:11', prefixLength: 16, family: 'ipv6', scope: 0, unsuitable: false },
    });
    const linkLocal = addresses.filter(({ ip }) => ip.startsWith('fe80'));
    expect(linkLocal.map(({ scope }) => scope)).to.deep.equal(linkLocal.map(() => 253));
    expect(linkLocal.some(({ unsuitable }) => unsuitable)).to.equal(true);
  });

  it('tell of routes', () => {
    expect(captured(ANSWERED.routes).map(decodeRoute)).to.deep.equal([
      {
        ...{ family: 'ipv4', table: 200, protocol: 98, type: 1, destination: '10.20.0.0', prefixLength: 16 },
        ...{ gateway: '220.18.2.21', index: 4, paths: [], metric: 1100, source: undefined },
      },
    ]);
    expect(captured(ANSWERED['routes-6']).map(decodeRoute)[0]).to.include({
      ...{ family: 'ipv6', table: 200, protocol: 98, destination: 'fd11:20::', prefixLength: 64 },
      ...{ gateway: '9470:18::2:21', index: 5, metric: 1100 },
    });
  });

  it('tell of routes of several paths', () => {
    const [four, six] = captured(ANSWERED['routes-several']).map(decodeRoute);
    const several = { destination: '0.0.0.0', prefixLength: 0, gateway: undefined, index: undefined, paths: [3, 5] };
    expect(four).to.deep.include({ ...several, family: 'ipv4', metric: 0 });
    expect(six).to.deep.include({ ...several, destination: '::', family: 'ipv6', metric: 1024 });
    expect(captured(ANSWERED.routes).map(decodeRoute)[0]?.paths).to.deep.equal([]);
  });

  it('of which a path is cut off are refused', () => {
    const [message] = captured(ANSWERED['routes-several']);
    const body = Buffer.from(message?.body ?? '');
    const first = body.indexOf(Buffer.from('1000000003000000', 'hex'));
    for (const length of [0, 7, 40]) {
      body.writeUInt16LE(length, first);
      expect(() => decodeRoute({ type: 24, flags: 0, sequence: 0, body })).to.throw(KernelError, 'cut off');
    }
  });

  it('tell of rules', () => {
    const rules = captured(ANSWERED.rules).map(decodeRule);
    expect(rules).to.deep.include({ family: 'ipv4', priority: 200, table: 200, protocol: 98, plain: true });
    expect(rules).to.deep.include({ family: 'ipv4', priority: 32766, table: 254, protocol: 2, plain: true });
  });

  it('tell of neighbours and forwarding entries', () => {
    const neighbours = captured(ANSWERED.neighbours).flatMap((message) => decodeNeighbour(message) ?? []);
    expect(neighbours).to.deep.include({
      ...{ index: 4, ip: '220.18.2.21', mac: '02:02:01:00:00:b0', forwarding: false, permanent: true },
    });
    const entries = captured(ANSWERED.forwarding).map(decodeNeighbour);
    expect(entries).to.have.deep.members([
      { index: 4, ip: '172.18.2.21', mac: '00:00:00:00:00:00', forwarding: true, permanent: true },
      { index: 4, ip: '172.18.2.22', mac: '02:02:01:00:00:b0', forwarding: true, permanent: true },
    ]);
  });

  it("give an error with the kernel's own words", () => {
    const [refusal] = captured(ANSWERED.refusal).map(decodeAcknowledgement);
    expect(refusal).to.include({ errno: 17, text: 'A VXLAN device with the specified VNI already exists' });
  });

  it('are nothing when they are about other families', () => {
    const body = Buffer.alloc(64);
    body[0] = 5;
    const message = { type: 0, flags: 0, sequence: 0, body };
    expect(
      [decodeLink, decodeAddress, decodeRoute, decodeRule, decodeNeighbour].map((decode) => decode(message)),
    ).to.deep.equal([undefined, undefined, undefined, undefined, undefined]);
  });

  it('say in their last message when a dump failed', () => {
    const body = Buffer.alloc(4);
    body.writeInt32LE(-2);
    expect(decodeDone({ type: 3, flags: 0, sequence: 7, body })).to.deep.equal({ sequence: 7, errno: 2, text: '' });
    expect(decodeDone({ type: 3, flags: 0, sequence: 7, body: Buffer.alloc(4) })).to.equal(undefined);
    expect(decodeDone({ type: 3, flags: 0, sequence: 7, body: Buffer.alloc(0) })).to.equal(undefined);
  });
});

describe('decoding', () => {
  /** Fails on anything but an orderly refusal. */
  function tolerate(read: () => unknown): void {
    try {
      read();
    } catch (error) {
      expect(error).to.be.instanceOf(KernelError);
    }
  }

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        tolerate(() => [...readMessages(Buffer.from(bytes))]);
        const message = { type: 0, flags: 0x200, sequence: 0, body: Buffer.from(bytes) };
        for (const decode of DECODERS) tolerate(() => decode(message));
      }),
      { numRuns: 2000 },
    );
  });

  it('survives real answers with any byte changed or cut off', () => {
    const answers = Object.values(ANSWERED);
    fc.assert(
      fc.property(fc.nat(answers.length - 1), fc.nat(), fc.nat(255), fc.nat(), (which, at, value, cut) => {
        const bytes = Buffer.from(answers[which]!, 'hex');
        bytes[at % bytes.length] = value;
        const damaged = bytes.subarray(0, bytes.length - (cut % 40));
        tolerate(() => {
          for (const message of readMessages(damaged)) for (const decode of DECODERS) tolerate(() => decode(message));
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses messages that are cut off, and lengths that lead nowhere', () => {
    expect(() => [...readMessages(Buffer.alloc(8))]).to.throw(KernelError, 'cut off');
    expect(() => [...readMessages(Buffer.alloc(16))]).to.throw(KernelError, 'cut off');
    const body = Buffer.alloc(24);
    body[0] = 2;
    body.writeUInt16LE(1, 12);
    expect(() => decodeRoute({ type: 24, flags: 0, sequence: 0, body })).to.throw(
      KernelError,
      'an attribute is cut off',
    );
    expect(() => bytesToIp(Buffer.alloc(5))).to.throw(KernelError, 'wrong length');
  });

  const ip4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(bytesToIp);
  const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToIp);
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(bytesToMac);
  const index = fc.integer({ min: 1, max: 0x7fffffff });
  const u32 = fc.integer({ min: 1, max: 0xffffffff });

  function written(encode: (writer: MessageWriter) => void): ReturnType<typeof captured>[number] {
    const writer = new MessageWriter();
    encode(writer);
    return captured(writer.bytes.toString('hex'))[0]!;
  }

  it('reads back every route, address and entry that can be written', () => {
    fc.assert(
      fc.property(fc.oneof(ip4, ip6), mac, index, u32, (ip, address, device, number) => {
        const family = ip.includes(':') ? 'ipv6' : 'ipv4';
        const entry = { index: device, ip, mac: address };
        expect(decodeNeighbour(written((writer) => encodeForwardingAdd(writer, 1, entry)))).to.include(entry);
        const own = { index: device, ip, prefixLength: 20 };
        expect(decodeAddress(written((writer) => encodeAddressAdd(writer, 1, own)))).to.include(own);
        const route = {
          ...({ family, table: number, protocol: 98, destination: ip, prefixLength: 32 } as const),
          ...{ gateway: ip, index: device, metric: number },
        };
        expect(decodeRoute(written((writer) => encodeRouteReplace(writer, 1, route)))).to.include(route);
      }),
    );
  });

  it('knows one text for each address', () => {
    expect(canonicalIp('FD00:0018:0:0::0001')).to.equal('fd00:18::1');
    expect(canonicalIp('10.1.2.3')).to.equal('10.1.2.3');
  });
});
