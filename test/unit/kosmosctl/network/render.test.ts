import { expect } from 'chai';
import { renderResults, renderSummary, renderTotal, summarize } from '../../../../src/kosmosctl/network/render.js';
import { resultsOf, siteView } from '../../../support/network-results.js';

const SITES = [siteView(1, 'east', 2), siteView(2, 'west', 1)];

describe('the overview of a network', () => {
  it('has a row for each direction and family, and one for the DNS of each cluster', () => {
    const rows = summarize(resultsOf(SITES));
    expect(rows.map(({ from, to, family }) => `${from} ${to} ${family ?? 'dns'}`)).to.have.members([
      ...['east east ipv4', 'east east ipv6', 'east east dns'],
      ...['east west ipv4', 'east west ipv6', 'west east ipv4', 'west east ipv6'],
      ...['west west ipv4', 'west west dns'],
    ]);
  });

  it('counts what went well, and tells the smallest MTU and the slowest answer', () => {
    const rows = summarize(
      resultsOf(SITES, ({ cls, from, to, family }) => {
        if (from !== 'east/n2' || to !== 'west/n1' || family !== 'ipv4') return undefined;
        if (cls === 'mtu') return { ok: true, bytes: 1400 };
        return cls === 'udp' ? { ok: true, ms: 0.9 } : cls === 'icmp' ? 'TIMEOUT' : undefined;
      }),
    );
    const row = rows.find(({ from, to, family }) => from === 'east' && to === 'west' && family === 'ipv4');
    expect(row).to.deep.equal({
      ...{ from: 'east', to: 'west', family: 'ipv4', mtu: 1400, rtt: { average: 0.6, highest: 0.9 } },
      classes: {
        icmp: { ok: 1, total: 2 },
        tcp: { ok: 2, total: 2 },
        udp: { ok: 2, total: 2 },
        mtu: { ok: 2, total: 2 },
        service: { ok: 2, total: 2 },
      },
    });
  });

  it('is a table', () => {
    const rows = summarize(resultsOf(SITES)).filter(({ from }) => from === 'west');
    expect(renderSummary(rows)).to.equal(
      [
        'FROM   TO     FAMILY   ICMP   TCP   UDP   SERVICE   DNS   MTU    RTT AVG/MAX',
        'west   east   ipv4     2/2    2/2   2/2   1/1       -     1450   0.3/0.3 ms',
        'west   east   ipv6     2/2    2/2   2/2   -         -     1450   0.3/0.3 ms',
        'west   west   ipv4     -      -     -     1/1       -     -      -',
        'west   west   -        -      -     -     -         1/1   -      -',
        '',
      ].join('\n'),
    );
  });
});

describe('all results', () => {
  it('begin with the failures, with the error in the place of the time', () => {
    const results = resultsOf([siteView(1, 'east', 1), siteView(2, 'west', 1)], ({ cls, from }) => {
      if (from !== 'west/n1') return undefined;
      if (cls === 'mtu') return { ok: false, bytes: 1300, error: 'BLACK_HOLE' };
      return cls === 'tcp' ? 'STALLED' : undefined;
    });
    const lines = renderResults(results).trimEnd().split('\n');
    expect(lines).to.have.lengthOf(results.length + 1);
    expect(lines.slice(1, 3).find((line) => line.includes('10.1.1.2'))).to.match(
      /^west\/n1 +east\/n1 +10\.1\.1\.2 +0\.2 ms +STALLED +0\.3 ms +BLACK_HOLE 1300 +- +-$/,
    );
    expect(lines.slice(3).join('\n')).not.to.match(/STALLED|BLACK_HOLE/);
    expect(lines.join('\n'))
      .to.match(/east\/n1 +service of west +10\.102\.0\.9 +- +- +- +- +2 ms +-/)
      .and.match(/east\/n1 +dns of east +- +- +- +- +- +- +3 ms/);
  });
});

describe('the last line', () => {
  it('counts probes', () => {
    const results = resultsOf(SITES, ({ cls }) => (cls === 'dns' ? 'TIMEOUT' : undefined));
    const total = results.flatMap(({ outcomes }) => Object.keys(outcomes)).length;
    expect(renderTotal(results, 0, 12.34)).to.equal(`${total} probes in 12.3 s: ${total - 3} ok, 3 failed\n`);
    expect(renderTotal([], 4, 0.5)).to.equal('0 probes in 0.5 s: 0 ok, 0 failed, 4 not made\n');
  });
});
