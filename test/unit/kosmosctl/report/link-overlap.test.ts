import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { linkOverlap, rangesOf, type LinkRanges } from '../../../../src/kosmosctl/report/link-overlap.js';

const ranges = (name: string, cidrs: readonly string[], globalCidrs: Record<string, string> = {}): LinkRanges => ({
  ...{ name, cidrs, globalCidrs },
});

describe('linkOverlap', () => {
  const host = ranges('host', ['10.244.0.0/16', '10.96.0.0/12', 'fd00::/48']);
  const table: readonly (readonly [string, LinkRanges, string | undefined])[] = [
    ['other ranges', ranges('m', ['10.10.0.0/24', 'fd01::/64']), undefined],
    ['a part of a range', ranges('m', ['10.10.0.0/24', '10.244.3.0/24']), '10.244.3.0/24 10.244.0.0/16 host'],
    ['the same services', ranges('m', ['10.96.0.0/12']), '10.96.0.0/12 10.96.0.0/12 host'],
    ['the same in IPv6', ranges('m', ['fd00:0:0:1::/64']), 'fd00:0:0:1::/64 fd00::/48 host'],
    ['a part that is mapped', ranges('m', ['10.244.3.0/24'], { '10.244.0.0/16': '242.0.0.0/16' }), undefined],
    [
      'a map to what the other one has',
      ranges('m', ['10.1.3.0/24'], { '10.1.0.0/16': '10.244.0.0/16' }),
      '10.244.3.0/24 10.244.0.0/16 host',
    ],
    ['itself, joined before', ranges('host', ['10.244.0.0/16']), undefined],
  ];
  for (const [what, own, found] of table) {
    it(`${found === undefined ? 'finds none' : 'finds one'} with ${what}`, () => {
      const overlap = linkOverlap(own, [host]);
      expect(overlap && `${overlap.own} ${overlap.other} ${overlap.cluster}`).to.equal(found);
    });
  }

  it('sees the other one as others see it', () => {
    const mapped = ranges('host', ['10.244.0.0/16'], { '10.244.0.0/16': '242.0.0.0/16' });
    expect(linkOverlap(ranges('m', ['10.244.3.0/24']), [mapped])).to.equal(undefined);
    expect(linkOverlap(ranges('m', ['242.0.1.0/24']), [mapped])).to.include({ cluster: 'host' });
  });
});

describe('rangesOf', () => {
  const cluster: Cluster = {
    metadata: { name: 'm' },
    spec: { clusterLinkOptions: { podCIDRs: ['10.1.0.0/16'], globalCIDRsMap: { '10.1.0.0/16': '242.1.0.0/16' } } },
  };

  it('are those that the manager has found', () => {
    const status = { clusterLinkStatus: { podCIDRs: ['10.2.0.0/16'], serviceCIDRs: ['10.3.0.0/16'] } };
    expect(rangesOf({ ...cluster, status }).cidrs).to.deep.equal(['10.2.0.0/16', '10.3.0.0/16']);
  });

  it('are those that the Cluster states before anything was found', () => {
    expect(rangesOf(cluster)).to.deep.equal(ranges('m', ['10.1.0.0/16'], { '10.1.0.0/16': '242.1.0.0/16' }));
    expect(rangesOf({ metadata: {}, spec: {} })).to.deep.equal(ranges('', []));
  });
});
