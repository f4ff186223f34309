import { expect } from 'chai';
import { encodeAddressAdd, encodeAddressDelete } from '../../../../../src/clusterlink/agent/netlink/address.js';
import {
  encodeLinkChange,
  encodeLinkDelete,
  encodeVxlanAdd,
} from '../../../../../src/clusterlink/agent/netlink/link.js';
import {
  encodeForwardingAdd,
  encodeForwardingDelete,
  encodeNeighbourDelete,
  encodeNeighbourReplace,
} from '../../../../../src/clusterlink/agent/netlink/neighbour.js';
import {
  encodeRouteDelete,
  encodeRouteReplace,
  type GatewayRoute,
} from '../../../../../src/clusterlink/agent/netlink/route.js';
import { encodeRuleAdd, encodeRuleDelete } from '../../../../../src/clusterlink/agent/netlink/rule.js';
import type { EncodeRequest } from '../../../../../src/clusterlink/agent/netlink/socket.js';
import { SENT } from './captured.js';
import { encodedLike } from './messages.js';

const ETH0 = 3;
const BRIDGE = 4;
const BRIDGE_6 = 5;
const MAC = '02:02:01:00:00:b0';
const rule = { family: 'ipv4', priority: 200, table: 200, protocol: 98 } as const;
const route: GatewayRoute = {
  ...{ family: 'ipv4', table: 200, protocol: 98, destination: '10.20.0.0', prefixLength: 16 },
  ...{ gateway: '220.18.2.21', index: BRIDGE, metric: 1100 },
};
const route6: GatewayRoute = {
  ...{ family: 'ipv6', table: 200, protocol: 98, destination: 'fd11:20::', prefixLength: 64 },
  ...{ gateway: '9470:18::2:21', index: BRIDGE_6, metric: 1100 },
};
const vxlan = { name: 'vx-bridge', mac: '02:01:01:00:00:b0', mtu: 1450, vni: 54, port: 4876, underlay: ETH0 };
const vxlan6 = { name: 'vx-bridge-6', mac: '02:01:01:00:00:b6', mtu: 1430, vni: 64, port: 4866, underlay: ETH0 };

/** What is written, beside what `ip` and `bridge` wrote for the same. */
const cases: Readonly<Record<keyof typeof SENT, EncodeRequest>> = {
  'link-add': (writer, sequence) => encodeVxlanAdd(writer, sequence, { ...vxlan, local: '172.18.1.11' }),
  'link-add-6': (writer, sequence) => encodeVxlanAdd(writer, sequence, { ...vxlan6, local: 'fd00:18::1:11' }),
  'link-up': (writer, sequence) => encodeLinkChange(writer, sequence, BRIDGE, { up: true }),
  'link-mtu': (writer, sequence) => encodeLinkChange(writer, sequence, BRIDGE, { mtu: 1400 }),
  'link-alias': (writer, sequence) => encodeLinkChange(writer, sequence, BRIDGE, { alias: 'kosmos' }),
  'link-del': (writer, sequence) => encodeLinkDelete(writer, sequence, BRIDGE),
  'addr-add': (writer, sequence) =>
    encodeAddressAdd(writer, sequence, { index: BRIDGE, ip: '220.18.1.11', prefixLength: 8 }),
  'addr-add-6': (writer, sequence) =>
    encodeAddressAdd(writer, sequence, { index: BRIDGE_6, ip: '9470:18::1:11', prefixLength: 16 }),
  'addr-del': (writer, sequence) =>
    encodeAddressDelete(writer, sequence, { index: BRIDGE, ip: '220.18.1.11', prefixLength: 8 }),
  'rule-add': (writer, sequence) => encodeRuleAdd(writer, sequence, rule),
  'rule-add-6': (writer, sequence) => encodeRuleAdd(writer, sequence, { ...rule, family: 'ipv6' }),
  'rule-del': (writer, sequence) => encodeRuleDelete(writer, sequence, rule),
  'route-replace': (writer, sequence) => encodeRouteReplace(writer, sequence, route),
  'route-replace-6': (writer, sequence) => encodeRouteReplace(writer, sequence, route6),
  'route-table': (writer, sequence) =>
    encodeRouteReplace(writer, sequence, { ...route, destination: '10.21.0.0', table: 1000 }),
  'route-del': (writer, sequence) => encodeRouteDelete(writer, sequence, route),
  'route-del-6': (writer, sequence) => encodeRouteDelete(writer, sequence, route6),
  'fdb-append-zero': (writer, sequence) =>
    encodeForwardingAdd(writer, sequence, { index: BRIDGE, ip: '172.18.2.21', mac: '00:00:00:00:00:00' }),
  'fdb-replace': (writer, sequence) =>
    encodeForwardingAdd(writer, sequence, { index: BRIDGE, ip: '172.18.2.22', mac: MAC }),
  'fdb-append': (writer, sequence) => {
    // A unicast address has one destination: where `bridge` was told to append, the same entry is a replacement.
    encodeForwardingAdd(writer, sequence, { index: BRIDGE, ip: '172.18.2.21', mac: MAC });
    writer.clearFlags(0, 0x100);
    writer.setFlags(0, 0x800);
  },
  'fdb-del': (writer, sequence) =>
    encodeForwardingDelete(writer, sequence, { index: BRIDGE, ip: '172.18.2.21', mac: '00:00:00:00:00:00' }),
  'neigh-replace': (writer, sequence) =>
    encodeNeighbourReplace(writer, sequence, { index: BRIDGE, ip: '220.18.2.21', mac: MAC }),
  'neigh-replace-6': (writer, sequence) =>
    encodeNeighbourReplace(writer, sequence, { index: BRIDGE_6, ip: '9470:18::2:21', mac: '02:02:01:00:00:b6' }),
  'neigh-del': (writer, sequence) => encodeNeighbourDelete(writer, sequence, { index: BRIDGE, ip: '220.18.2.21' }),
};

describe('netlink requests', () => {
  for (const [name, encode] of Object.entries(cases)) {
    it(`are the bytes that iproute2 sends: ${name}`, () => {
      const sent = SENT[name as keyof typeof SENT];
      expect(encodedLike(sent, encode)).to.equal(sent);
    });
  }

  it('name a table that is too large for the head in an attribute, also in rules', () => {
    const hex = encodedLike(SENT['rule-add'], (writer, sequence) =>
      encodeRuleAdd(writer, sequence, { ...rule, table: 1000 }),
    );
    expect(hex).to.contain('08000f00e8030000');
  });

  it('follow each other in one buffer, which grows', () => {
    const one = SENT['route-replace'];
    const hex = encodedLike(one, (writer, sequence) => {
      for (let count = 0; count < 200; count++) encodeRouteReplace(writer, sequence, route);
    });
    expect(hex).to.equal(one.repeat(200));
  });

  it('refuse what is no address', () => {
    const encode = (ip: string, mac: string): string =>
      encodedLike(SENT['neigh-replace'], (writer, sequence) =>
        encodeNeighbourReplace(writer, sequence, { index: BRIDGE, ip, mac }),
      );
    expect(() => encode('220.18.2.256', MAC)).to.throw('"220.18.2.256" is no IP address');
    expect(() => encode('220.18.2', MAC)).to.throw('is no IP address');
    expect(() => encode('1.2.3.', MAC)).to.throw('is no IP address');
    expect(() => encode('220.18.2.21', '02:02')).to.throw('"02:02" is no Ethernet address');
  });
});
