import { expect } from 'chai';
import fc from 'fast-check';
import { isWell, planTrials, resultOf, trialKey, type Trial } from '../../../../src/kosmosctl/network/trial.js';
import { ALL_CLASSES, siteView } from '../../../support/network-results.js';

const plan = (...sites: Parameters<typeof planTrials>[0]): readonly Trial[] =>
  planTrials(sites, { classes: ALL_CLASSES });
const pods = (trials: readonly Trial[]): readonly Trial[] => trials.filter(({ to }) => to.kind === 'pod');

describe('what is tried', () => {
  it('is every node from every other one, in each family, once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }), (counts) => {
        const trials = pods(plan(...counts.map((nodes, index) => siteView(index, `c${index}`, nodes))));
        const nodes = counts.reduce((sum, count) => sum + count, 0);
        expect(new Set(trials.map(trialKey)).size).to.equal(trials.length);
        expect(trials).to.have.lengthOf(nodes * Math.max(0, nodes - 1) * 2);
      }),
    );
  });

  it('is also the Service of each cluster, and the DNS of the own one', () => {
    const trials = plan(siteView(1, 'east', 1), siteView(2, 'west', 1)).filter(({ from }) => from.cluster === 'east');
    const others = trials.filter(({ to }) => to.kind !== 'pod');
    expect(others.map(({ to, ip, probes }) => [to.kind, to.cluster, ip, probes])).to.deep.equal([
      ['service', 'east', '10.101.0.9', ['tcp']],
      ['service', 'west', '10.102.0.9', ['tcp']],
      ['dns', 'east', undefined, ['dns']],
    ]);
  });

  it('begins with another target on each node, so that none is asked by all at once', () => {
    const trials = pods(plan(siteView(1, 'east', 4), siteView(2, 'west', 4)));
    const firsts = ['n1', 'n2', 'n3', 'n4'].map((node) => {
      const first = trials.find(({ from }) => from.cluster === 'east' && from.node === node);
      return `${first?.ip}`;
    });
    expect(new Set(firsts).size).to.equal(4);
  });

  it('goes to global addresses from other clusters, and to real ones inside', () => {
    const map = { globalCIDRsMap: { '10.0.0.0/8': '242.0.0.0/8', 'fd00::/16': 'fdaa::/16' } };
    const trials = plan(siteView(1, 'east', 2, map), siteView(1, 'west', 1, map));
    const seen = (from: string, to: string): readonly (string | undefined)[] =>
      trials
        .filter((trial) => trial.from.cluster === from && trial.to.cluster === to && trial.to.kind === 'pod')
        .map(({ ip }) => ip);
    expect(seen('west', 'east')).to.have.members(['242.1.1.2', 'fdaa:1:1::2', '242.1.2.2', 'fdaa:1:2::2']);
    expect(seen('east', 'east')).to.have.members(['10.1.2.2', 'fd00:1:2::2', '10.1.1.2', 'fd00:1:1::2']);
    const service = trials.find(({ from, to }) => from.cluster === 'west' && to.kind === 'service');
    expect(service?.ip).to.equal('242.101.0.9');
  });

  it('is of the families that both clusters are linked by; inside of one, of all', () => {
    const families = (from: string, to: string): readonly unknown[] => {
      const trials = plan(siteView(1, 'east', 2, { ipFamily: 'ipv4' }), siteView(2, 'west', 2));
      const own = pods(trials).filter((trial) => trial.from.cluster === from && trial.to.cluster === to);
      return [...new Set(own.map(({ family }) => family))].sort();
    };
    expect(families('east', 'west')).to.deep.equal(['ipv4']);
    expect(families('west', 'east')).to.deep.equal(['ipv4']);
    expect(families('east', 'east')).to.deep.equal(['ipv4', 'ipv6']);
  });

  it('can be less', () => {
    const sites = [siteView(1, 'east', 2), siteView(2, 'west', 2), siteView(3, 'north', 2)];
    const sources = new Set(['east']);
    const targets = new Set(['west']);
    const trials = planTrials(sites, { classes: new Set(['udp', 'mtu']), sources, targets });
    expect(trials).to.have.lengthOf(2 * 2 * 2);
    for (const { from, to, probes } of trials) {
      expect([from.cluster, to.cluster]).to.deep.equal(['east', 'west']);
      expect(probes).to.deep.equal(['udp', 'mtu']);
    }
    expect(planTrials(sites, { classes: new Set(['dns']) }).map(({ to }) => to.kind)).to.deep.equal(
      Array(6).fill('dns'),
    );
  });
});

describe('a result', () => {
  const [trial] = plan(siteView(1, 'east', 1), siteView(2, 'west', 1));
  const service = plan(siteView(1, 'east', 1)).find(({ to }) => to.kind === 'service');

  it('has the same key whatever address the floater has', () => {
    expect(trialKey({ ...trial!, ip: '10.9.9.9' })).to.equal(trialKey(trial!));
    expect(trialKey(trial!)).to.equal('east/n1 > west/n1 ipv4');
    expect(trialKey(service!)).to.equal('east/n1 > service of east ipv4');
  });

  it('calls it a class of its own when a Service was reached', () => {
    const outcomes = { tcp: { ok: true, ms: 1 } };
    expect(resultOf(service!, { outcomes }).outcomes).to.deep.equal({ service: { ok: true, ms: 1 } });
    expect(resultOf(service!, { outcomes: {} }).outcomes).to.deep.equal({});
    expect(resultOf(trial!, { outcomes }).outcomes).to.deep.equal(outcomes);
  });

  it('is well only when something was tried, and nothing failed', () => {
    const [ok, bad] = [{ ok: true }, { ok: false }];
    expect(isWell({ ...trial!, outcomes: {} })).to.equal(false);
    expect(isWell({ ...trial!, outcomes: { icmp: ok, tcp: bad } })).to.equal(false);
    expect(isWell({ ...trial!, outcomes: { icmp: ok, tcp: ok } })).to.equal(true);
  });
});
