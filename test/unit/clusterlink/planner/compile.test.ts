import { expect } from 'chai';
import type { ClusterLinkOptions } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { LinkCluster } from '../../../../src/clusterlink/planner/link-cluster.js';
import { compileLinkCluster, isOlder, publishedCidr } from '../../../../src/clusterlink/planner/link-cluster.js';
import { compileLinkNode } from '../../../../src/clusterlink/planner/link-node.js';
import { isUsableMac, macOf } from '../../../../src/clusterlink/planner/mac.js';
import { smallest } from '../../../../src/clusterlink/planner/member.js';
import { parseCidr } from '../../../../src/lib/cidr.js';
import { linkNode } from '../../../support/link-plan.js';

const compiled = (clusterLinkOptions: ClusterLinkOptions, metadata: object = { name: 'east' }): LinkCluster =>
  compileLinkCluster({ metadata, spec: { clusterLinkOptions } })!;

describe('compileLinkCluster', () => {
  it('leaves out Clusters without a link, and those that are switched off', () => {
    expect(compileLinkCluster({ spec: {} })).to.equal(undefined);
    expect(compileLinkCluster({ spec: { clusterLinkOptions: { enable: false } } })).to.equal(undefined);
  });

  it('has the defaults of Kosmos', () => {
    const { p2p, families, prefixes, podCIDRs, problems } = compiled({});
    expect({ p2p, families, podCIDRs, problems }).to.deep.equal({
      ...{ p2p: true, families: ['ipv4', 'ipv6'], podCIDRs: [], problems: [] },
    });
    expect(prefixes.bridge.ipv4?.text).to.equal('220.0.0.0/8');
    expect(prefixes.bridge.ipv6?.text).to.equal('9470::/16');
    expect(prefixes.local.ipv4?.text).to.equal('210.0.0.0/8');
    expect(prefixes.local.ipv6?.text).to.equal('9480::/16');
  });

  for (const [ipFamily, families] of [
    ['ipv4', ['ipv4']],
    ['ipv6', ['ipv6']],
    ['all', ['ipv4', 'ipv6']],
    ['something', ['ipv4', 'ipv6']],
  ] as const) {
    it(`takes ${ipFamily} for ${families.join(' and ')}`, () => {
      expect(compiled({ ipFamily }).families).to.deep.equal(families);
    });
  }

  it('tells states apart that matter, and no others', () => {
    const state = (podCIDRs: readonly string[], extra: object = {}): string =>
      compileLinkCluster({
        metadata: { name: 'east', ...extra },
        spec: { clusterLinkOptions: {} },
        status: { clusterLinkStatus: { podCIDRs } },
      })!.fingerprint;
    expect(state(['10.0.0.0/8'])).to.equal(state(['10.0.0.0/8'], { resourceVersion: '2' }));
    expect(state(['10.0.0.0/8'])).not.to.equal(state(['10.0.0.0/9']));
  });
});

describe('publishedCidr', () => {
  const cluster = compiled({ globalCIDRsMap: { '10.10.0.0/16': '242.10.0.0/16', 'fd01:0::/64': 'fd99::/64' } });
  for (const [real, published] of [
    ['10.10.0.0/16', '242.10.0.0/16'],
    ['10.10.3.0/24', '242.10.3.0/24'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.11.0.0/16', '10.11.0.0/16'],
    ['fd01::/64', 'fd99::/64'],
  ] as const) {
    it(`of ${real} is ${published}`, () => {
      expect(publishedCidr(cluster, parseCidr(real)!).text).to.equal(published);
    });
  }
});

describe('isOlder', () => {
  it('goes by creation, then by name', () => {
    const born = (name: string, creationTimestamp?: string): LinkCluster => compiled({}, { name, creationTimestamp });
    expect(isOlder(born('b', '2026-01-01T00:00:00Z'), born('a', '2026-01-02T00:00:00Z'))).to.be.true;
    expect(isOlder(born('b', '2026-01-01T00:00:00Z'), born('a', '2026-01-01T00:00:00Z'))).to.be.false;
    expect(isOlder(born('a'), born('b'))).to.be.true;
  });
});

describe('compileLinkNode', () => {
  it('leaves out objects that do not say which node they are', () => {
    expect(compileLinkNode({ spec: {} })).to.equal(undefined);
    expect(compileLinkNode(linkNode('east', '', {}))).to.equal(undefined);
    expect(compileLinkNode(linkNode('', 'n1', {}))).to.equal(undefined);
  });

  it('leaves out addresses of the wrong family, and blocks that are none', () => {
    const node = compileLinkNode(
      linkNode('east', 'n1', { ip: 'fd00::1', ip6: '10.0.0.1', podCIDRs: ['x', '10.1.0.0/24'] }),
    );
    expect(node?.ips).to.deep.equal({});
    expect(node?.podCIDRs.map(({ text }) => text)).to.deep.equal(['10.1.0.0/24']);
  });

  it('knows the role however it is written, and no other role', () => {
    const gateway = (...roles: readonly string[]): boolean | undefined =>
      compileLinkNode(linkNode('east', 'n1', { roles }))?.gateway;
    expect([gateway('Gateway'), gateway('other', 'gateway'), gateway('gateways'), gateway()]).to.deep.equal([
      ...[true, true, false, false],
    ]);
  });

  it('takes an MTU of zero for unknown', () => {
    expect(compileLinkNode(linkNode('east', 'n1', { mtu: 0 }))?.mtu).to.equal(undefined);
    expect(compileLinkNode(linkNode('east', 'n1', { mtu: 1500 }))?.mtu).to.equal(1500);
  });
});

describe('macOf', () => {
  it('differs by cluster, node and device', () => {
    const mac = (cluster: string, node: string, device: string): string =>
      macOf(compileLinkNode(linkNode(cluster, node, {}))!, device);
    const macs = [mac('a', 'n', 'x'), mac('b', 'n', 'x'), mac('a', 'm', 'x'), mac('a', 'n', 'y'), mac('a', 'n', 'x')];
    expect(new Set(macs).size).to.equal(4);
    expect(macs.every(isUsableMac)).to.be.true;
  });
});

describe('isUsableMac', () => {
  for (const [mac, usable] of [
    ['02:01:01:00:00:b0', true],
    ['fe:ff:ff:ff:ff:ff', true],
    ['00:00:00:00:00:00', false],
    ['ff:ff:ff:ff:ff:ff', false],
    ['01:00:5e:00:00:01', false],
    ['02:01:01:00:00', false],
    ['', false],
  ] as const) {
    it(`is ${usable} for "${mac}"`, () => expect(isUsableMac(mac)).to.equal(usable));
  }
});

describe('smallest', () => {
  it('is that of the known ones', () => {
    expect(smallest([1500, undefined, 1400])).to.equal(1400);
    expect(smallest([undefined])).to.equal(undefined);
  });
});
