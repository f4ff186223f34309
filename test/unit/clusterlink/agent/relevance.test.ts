import { expect } from 'chai';
import { encodeAddressAdd } from '../../../../src/clusterlink/agent/netlink/address.js';
import { encodeForwardingAdd, encodeNeighbourReplace } from '../../../../src/clusterlink/agent/netlink/neighbour.js';
import { readMessages } from '../../../../src/clusterlink/agent/netlink/reader.js';
import { encodeRouteReplace } from '../../../../src/clusterlink/agent/netlink/route.js';
import { encodeRuleAdd } from '../../../../src/clusterlink/agent/netlink/rule.js';
import type { EncodeRequest } from '../../../../src/clusterlink/agent/netlink/socket.js';
import { MessageWriter } from '../../../../src/clusterlink/agent/netlink/writer.js';
import { isAboutOwnTable, isRelevant } from '../../../../src/clusterlink/agent/relevance.js';
import { ANSWERED } from './netlink/captured.js';
import { captured } from './netlink/messages.js';

const interest = { names: new Set(['vx-bridge', 'eth0']), indexes: new Set([3, 4]), protocol: 98 };

function relevant(encode: EncodeRequest): boolean {
  const writer = new MessageWriter();
  encode(writer, 1);
  return [...readMessages(Buffer.from(writer.bytes))].some((message) => isRelevant(message, interest));
}

const peer = { ip: '10.0.0.1', mac: '02:00:00:00:00:01' };
const route = {
  family: 'ipv4',
  table: 254,
  destination: '10.0.0.0',
  gateway: '10.0.0.1',
  index: 9,
  metric: 0,
} as const;

describe('isRelevant', () => {
  it('looks at devices of ours and below them', () => {
    expect(captured(ANSWERED.links).map((message) => isRelevant(message, interest))).to.deep.equal([
      false,
      true,
      false,
    ]);
  });

  it('looks at what hangs on these devices', () => {
    for (const [index, expected] of [
      [4, true],
      [9, false],
    ] as const) {
      expect(relevant((writer, n) => encodeNeighbourReplace(writer, n, { ...peer, index }))).to.equal(expected);
      expect(relevant((writer, n) => encodeForwardingAdd(writer, n, { ...peer, index }))).to.equal(expected);
      expect(relevant((writer, n) => encodeAddressAdd(writer, n, { ip: '10.0.0.1', prefixLength: 8, index }))).to.equal(
        expected,
      );
    }
  });

  it('looks at routes of ours, and at default routes', () => {
    const about = (protocol: number, prefixLength: number): boolean =>
      relevant((writer, n) => encodeRouteReplace(writer, n, { ...route, protocol, prefixLength }));
    expect([about(98, 8), about(3, 0), about(3, 8)]).to.deep.equal([true, true, false]);
  });

  it('looks at every rule, and at nothing that it does not know', () => {
    expect(
      relevant((writer, n) => encodeRuleAdd(writer, n, { family: 'ipv4', priority: 1, table: 1, protocol: 0 })),
    ).to.equal(true);
    expect(isRelevant({ type: 999, flags: 0, sequence: 0, body: Buffer.alloc(0) }, interest)).to.equal(false);
  });
});

describe('isAboutOwnTable', () => {
  function notice(type: number, table: string): Parameters<typeof isAboutOwnTable>[0] {
    const writer = new MessageWriter();
    writer.message({ type: (10 << 8) | type, flags: 0, sequence: 0 }, () => {
      writer.u32(1);
      writer.textAttribute(1, table);
    });
    return [...readMessages(Buffer.from(writer.bytes))][0]!;
  }

  it('knows the table by its name in messages of all kinds', () => {
    expect([2, 5, 8, 14].map((type) => isAboutOwnTable(notice(type, 'kosmos')))).to.deep.equal([
      true,
      true,
      true,
      true,
    ]);
    expect(isAboutOwnTable(notice(2, 'kube-proxy'))).to.equal(false);
  });

  it('learns nothing from the end of a transaction', () => {
    expect(isAboutOwnTable(notice(15, 'kosmos'))).to.equal(false);
  });
});
