import { expect } from 'chai';
import {
  BLOCK_COUNT,
  CLUSTERS_PER_BLOCK,
  NODES_PER_CLUSTER,
  clientAddresses,
  clusterRanges,
  hostAddresses,
  isIpv6,
  nodeAddresses,
  prefixLength,
  urlHost,
  type Family,
} from '../../../hack/lab/addresses.js';

function number(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

const FIRST = number('198.18.0.0');
const LAST = number('198.19.255.255');

describe('addresses of lab machines', () => {
  it('starts at 198.18.0.1 with the root namespace', () => {
    expect(hostAddresses(0, 'ipv4')).to.deep.equal(['198.18.0.1']);
    expect(clientAddresses(0, 'ipv4')).to.deep.equal(['198.18.0.2']);
    expect(nodeAddresses(0, 'ipv4', 0, 0)).to.deep.equal(['198.18.0.16']);
    expect(nodeAddresses(0, 'ipv4', 1, 2)).to.deep.equal(['198.18.0.34']);
  });

  it('gives each block 512 addresses of its own', () => {
    expect(hostAddresses(1, 'ipv4')).to.deep.equal(['198.18.2.1']);
    expect(hostAddresses(128, 'ipv4')).to.deep.equal(['198.19.0.1']);
  });

  it('never gives the same address twice, nor one outside 198.18.0.0/15', () => {
    const seen = new Set<string>();
    let count = 0;
    const add = (address: string | undefined): void => {
      count += 1;
      seen.add(address ?? '');
      expect(number(address ?? '')).to.be.within(FIRST, LAST);
    };
    for (const block of [0, 1, 127, 128, BLOCK_COUNT - 1]) {
      add(hostAddresses(block, 'ipv4')[0]);
      add(clientAddresses(block, 'ipv4')[0]);
      for (let cluster = 0; cluster < CLUSTERS_PER_BLOCK; cluster += 1) {
        for (let node = 0; node < NODES_PER_CLUSTER; node += 1) add(nodeAddresses(block, 'ipv4', cluster, node)[0]);
      }
    }
    expect(seen.size).to.equal(count);
  });

  it('never gives a network or broadcast address of a block', () => {
    const last = nodeAddresses(0, 'ipv4', CLUSTERS_PER_BLOCK - 1, NODES_PER_CLUSTER - 1);
    expect(number(last[0] ?? '') - FIRST).to.be.below(511);
  });

  const families: [Family, string[]][] = [
    ['ipv4', ['198.18.14.1']],
    ['ipv6', ['fd4b:6f73:7::1']],
    ['dual', ['198.18.14.1', 'fd4b:6f73:7::1']],
  ];
  for (const [family, expected] of families) {
    it(`has the addresses of ${family} in that order`, () => {
      expect(hostAddresses(7, family)).to.deep.equal(expected);
    });
  }

  it('refuses clusters and nodes beyond the block', () => {
    expect(() => nodeAddresses(0, 'ipv4', CLUSTERS_PER_BLOCK, 0)).to.throw(RangeError, 'at most 30 clusters');
    expect(() => nodeAddresses(0, 'ipv4', 0, NODES_PER_CLUSTER)).to.throw(RangeError, 'at most 16 nodes');
  });
});

describe('notation of addresses', () => {
  it('tells the families apart', () => {
    expect(['198.18.0.1', '10.0.0.0/14', 'fd00::1', 'fd10::/48'].map(isIpv6)).to.deep.equal([false, false, true, true]);
  });

  it('knows the length of the prefix on the lab network', () => {
    expect([prefixLength('198.18.0.1'), prefixLength('fd00::1')]).to.deep.equal([23, 64]);
  });

  it('puts brackets around IPv6 addresses in URLs only', () => {
    expect([urlHost('198.18.0.1'), urlHost('fd00::1')]).to.deep.equal(['198.18.0.1', '[fd00::1]']);
  });
});

describe('address ranges inside lab clusters', () => {
  it('has pods, services, the API service and DNS for IPv4', () => {
    expect(clusterRanges('ipv4', 1)).to.deep.equal({
      pods: ['10.8.0.0/14'],
      services: ['10.12.0.0/16'],
      apiServiceAddress: '10.12.0.1',
      dnsServiceAddress: '10.12.0.10',
    });
  });

  it('has the same for IPv6', () => {
    expect(clusterRanges('ipv6', 17)).to.deep.equal({
      pods: ['fd10:0:11::/48'],
      services: ['fd20:0:11::/112'],
      apiServiceAddress: 'fd20:0:11::1',
      dnsServiceAddress: 'fd20:0:11::a',
    });
  });

  it('has one range per family with both, and service addresses of the first', () => {
    const ranges = clusterRanges('dual', 2);
    expect(ranges.pods).to.deep.equal(['10.16.0.0/14', 'fd10:0:2::/48']);
    expect(ranges.services).to.deep.equal(['10.20.0.0/16', 'fd20:0:2::/112']);
    expect(ranges.apiServiceAddress).to.equal('10.20.0.1');
  });

  it('has no overlap between the clusters of a lab', () => {
    const spans: [number, number][] = [];
    for (let index = 0; index < CLUSTERS_PER_BLOCK; index += 1) {
      const { pods, services } = clusterRanges('ipv4', index);
      for (const cidr of [...pods, ...services]) {
        const [base = '', length = ''] = cidr.split('/');
        const start = number(base);
        expect(Number.isNaN(start)).to.equal(false);
        spans.push([start, start + 2 ** (32 - Number(length)) - 1]);
      }
    }
    spans.sort(([first], [second]) => first - second);
    for (const [index, [start]] of spans.entries()) {
      if (index > 0) expect(start).to.be.above(spans[index - 1]![1]);
    }
    expect(spans.at(-1)?.[1]).to.be.at.most(number('10.255.255.255'));
  });
});
