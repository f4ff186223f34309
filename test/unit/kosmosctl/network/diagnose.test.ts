import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { diagnose, linkFinding, withoutResult } from '../../../../src/kosmosctl/network/diagnose.js';
import { resultsOf, siteView, type ProbeOf } from '../../../support/network-results.js';
import type { Outcome } from '../../../../src/clusterlink/floater/plan.js';

const SITES = [siteView(1, 'east', 2), siteView(2, 'west', 3)];
const ADDRESSED = ['icmp', 'tcp', 'udp'];

type Judge = (probe: ProbeOf) => Outcome | string | null | undefined;

/** Where, what, and whatever of message or cure matters. */
function found(judge: Judge, sites = SITES): readonly (readonly [where: string, what: string])[] {
  return diagnose(resultsOf(sites, judge), []).map(({ where, what }) => [where, what]);
}

const crosses = ({ from, to }: ProbeOf): boolean => from.split('/')[0] !== to.split('/')[0];
const only = (judge: Judge, sites = SITES) => {
  const findings = diagnose(resultsOf(sites, judge), []);
  expect(findings).to.have.lengthOf(1);
  return findings[0]!;
};

describe('what is wrong with a network', () => {
  it('is nothing when everything goes well', () => {
    expect(found(() => undefined)).to.deep.equal([]);
  });

  it('is one finding when a node is cut off from other clusters', () => {
    const cut = 'west/n2';
    const finding = only((probe) => {
      if (!crosses(probe) || (probe.from !== cut && probe.to !== cut)) return undefined;
      return probe.cls === 'mtu' ? null : 'TIMEOUT';
    });
    expect(finding).to.include({ where: cut, what: 'icmp,tcp,udp,service', level: 'problem' });
    expect(finding.message).to.equal('nothing gets through (no answer)');
    expect(finding.cure).to.match(/tunnels of this node.*agent.*NodeConfig.*4876/);
  });

  it('is one finding for each direction when two clusters are cut off from each other', () => {
    const judge: Judge = (probe) => (crosses(probe) ? (probe.cls === 'mtu' ? null : 'TIMEOUT') : undefined);
    expect(found(judge)).to.deep.equal([
      ['east > west', 'icmp,tcp,udp,service'],
      ['west > east', 'icmp,tcp,udp,service'],
    ]);
  });

  it('is the network of a cluster itself when that fails inside', () => {
    const finding = only((probe) => {
      if (crosses(probe) || !probe.from.startsWith('east')) return undefined;
      return probe.cls === 'mtu' ? null : ADDRESSED.includes(probe.cls) ? 'EHOSTUNREACH' : undefined;
    });
    expect(finding).to.include({ where: 'east', what: 'icmp,tcp,udp' });
    expect(finding.message).to.equal('nothing gets through (no route to host)');
    expect(finding.cure).to.contain('CNI');
  });

  it('is UDP alone on the node that drops it, for its own cluster and for others', () => {
    const finding = only(({ cls, to }) => {
      if (to !== 'west/n1') return undefined;
      return cls === 'udp' ? 'TIMEOUT' : cls === 'mtu' ? null : undefined;
    });
    expect(finding).to.include({ where: 'to west/n1', what: 'udp' });
    expect(finding.message).to.equal('udp does not get through (no answer), while icmp, tcp gets through');
    expect(finding.cure).to.contain('drops UDP');
  });

  it('is a Service whose ClusterIP nobody answers', () => {
    const finding = only((probe) =>
      probe.cls === 'service' && crosses(probe) && probe.to === 'west' ? 'TIMEOUT' : undefined,
    );
    expect(finding).to.include({ where: 'east > west', what: 'service' });
    expect(finding.cure).to.match(/kube-proxy on the gateway/);
  });

  it('is kube-proxy of a node from which no Service is reached', () => {
    const finding = only((probe) =>
      probe.cls === 'service' && probe.from === 'east/n1' && !crosses(probe) ? 'ECONNREFUSED' : undefined,
    );
    expect(finding).to.include({ where: 'east/n1 > east', what: 'service' });
    expect(finding.message).to.contain('refused');
    expect(finding.cure).to.equal('Look at kube-proxy on these nodes.');
  });

  it('is the DNS of a cluster, or of one node', () => {
    expect(found(({ cls, from }) => (cls === 'dns' && from.startsWith('west') ? 'TIMEOUT' : undefined))).to.deep.equal([
      ['west', 'dns'],
    ]);
    const finding = only(({ cls, from }) => (cls === 'dns' && from === 'west/n3' ? 'ESERVFAIL' : undefined));
    expect(finding).to.include({ where: 'west/n3', what: 'dns' });
    expect(finding.message).to.equal('names of the cluster are not resolved (the DNS server fails)');
  });

  it('is the size that really gets through, with the setting that cures it', () => {
    const hole: Judge = (probe) => {
      if (!crosses(probe)) return undefined;
      if (probe.cls === 'mtu') return { ok: false, bytes: probe.family === 'ipv4' ? 1322 : 1300, error: 'BLACK_HOLE' };
      return probe.cls === 'tcp' ? 'STALLED' : undefined;
    };
    const findings = diagnose(resultsOf(SITES, hole), []);
    expect(findings.map(({ where, what }) => [where, what])).to.deep.equal([
      ['east > west', 'tcp,mtu'],
      ['west > east', 'tcp,mtu'],
    ]);
    expect(findings[0]?.message).to.contain('packets of more than 1300 bytes vanish');
    expect(findings[0]?.cure).to.contain('Set clusterLinkOptions.mtu of these Clusters to 1370');
  });

  it('is the MTU of the CNI where packets vanish inside of a cluster', () => {
    const finding = only((probe) =>
      !crosses(probe) && probe.from === 'east/n1' && probe.cls === 'mtu'
        ? { ok: false, bytes: 1400, error: 'BLACK_HOLE' }
        : undefined,
    );
    expect(finding).to.include({ where: 'east/n1 > east/n2', what: 'mtu' });
    expect(finding.cure).to.equal(
      'The network of the cluster itself carries less than its interfaces say: lower the MTU of its CNI to 1400.',
    );
  });

  it('is one family only, if the other one is well', () => {
    const finding = only((probe) => {
      if (!crosses(probe) || probe.family !== 'ipv6' || probe.from.startsWith('west')) return undefined;
      return probe.cls === 'mtu' ? null : 'ENETUNREACH';
    });
    expect(finding.message).to.equal('nothing gets through (network unreachable); only by IPv6');
  });

  it('is between two nodes when others are well', () => {
    expect(
      found(({ cls, from, to }) => (cls === 'icmp' && from === 'east/n1' && to === 'west/n2' ? 'TIMEOUT' : undefined)),
    ).to.deep.equal([['east/n1 > west/n2', 'icmp']]);
  });

  it('is between two nodes when each cluster has one', () => {
    const sites = [siteView(1, 'east', 1), siteView(2, 'west', 1)];
    const judge: Judge = ({ cls, from, to }) => {
      if (from !== 'east/n1' || to !== 'west/n1') return undefined;
      return cls === 'mtu' ? null : 'TIMEOUT';
    };
    expect(found(judge, sites)).to.deep.equal([['east/n1 > west/n1', 'icmp,tcp,udp']]);
  });

  it('is what nothing special can be said about, in plain words', () => {
    const finding = only(({ cls, from, to, family }) =>
      ['icmp', 'udp'].includes(cls) && from === 'east/n1' && to === 'west/n2' && family === 'ipv4'
        ? cls === 'udp'
          ? 'EPERM'
          : 'TIMEOUT'
        : undefined,
    );
    expect(finding.message).to.equal(
      'icmp, udp do not get through (forbidden by a firewall of the node, no answer), while tcp, mtu gets through; only by IPv4',
    );
  });

  it('is only a warning when some packets get lost', () => {
    const findings = diagnose(
      resultsOf(SITES, ({ cls, from, to }) =>
        cls === 'udp' && from === 'east/n1' && to === 'west/n1' ? { ok: true, ms: 9, lost: 2 } : undefined,
      ),
      [],
    );
    expect(findings.map(({ level, message }) => [level, message])).to.deep.equal([
      ['warning', '4 of 10 packets got lost between 2 pairs'],
    ]);
  });

  it('is also what was not tried', () => {
    const results = resultsOf(SITES);
    const known = results.filter(({ from }) => from.node !== 'n3');
    const untried = withoutResult(results, known);
    expect(untried.every(({ from }) => from.cluster === 'west' && from.node === 'n3')).to.equal(true);
    const findings = diagnose(known, untried);
    expect(findings).to.have.lengthOf(1);
    expect(findings[0]).to.include({ where: 'from west/n3', what: 'floater', level: 'problem' });
    expect(findings[0]?.message).to.equal(`${untried.length} of its probes were not made`);
  });
});

describe('what the manager says of a link', () => {
  const cluster = (conditions: readonly object[]): Cluster =>
    ({ metadata: { name: 'east' }, spec: {}, status: { conditions } }) as unknown as Cluster;

  it('is passed on', () => {
    const ready = { type: 'ClusterLinkReady', status: 'True', reason: 'Linked', message: '' };
    expect(linkFinding(cluster([ready]))).to.include({ where: 'east', level: 'ok', message: 'Linked' });
    const overlap = { ...ready, status: 'False', reason: 'PlanProblem', message: '10.0.0.0/16 overlaps' };
    expect(linkFinding(cluster([overlap]))).to.include({
      level: 'problem',
      message: 'PlanProblem: 10.0.0.0/16 overlaps',
    });
    expect(linkFinding(cluster([]))).to.include({ level: 'problem', message: 'no manager has looked at it' });
  });
});
