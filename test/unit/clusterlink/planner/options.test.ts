import { expect } from 'chai';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { compileLinkCluster } from '../../../../src/clusterlink/planner/link-cluster.js';
import { LINK_OPTIONS, linkOptionProblems, plannerSettings } from '../../../../src/clusterlink/planner/options.js';
import { agentSettings, DEFAULT_PLANNER_SETTINGS } from '../../../../src/clusterlink/planner/settings.js';
import { compileOptions, type OptionValues } from '../../../../src/runtime/options.js';
import { optionProblems } from '../../../support/option-problems.js';

type Options = OptionValues<typeof LINK_OPTIONS>;

function compile(...flags: string[]): Options {
  return compileOptions(LINK_OPTIONS, { flags, environment: {}, readFile: () => '' }, linkOptionProblems);
}

const problems = (...flags: string[]): readonly string[] => optionProblems(() => compile(...flags));

describe('options of the planner', () => {
  it("are Kosmos' numbers by default", () => {
    expect(plannerSettings(compile())).to.deep.equal(DEFAULT_PLANNER_SETTINGS);
  });

  it('each change one setting', () => {
    const { tunnels } = DEFAULT_PLANNER_SETTINGS;
    const cases: readonly (readonly [flag: string, changed: object])[] = [
      ['--link-route-table=201', { routeTable: 201 }],
      ['--link-rule-priority=1', { rulePriority: 1 }],
      ['--link-route-protocol=99', { routeProtocol: 99 }],
      ['--no-link-clamp-mss', { clampMss: false }],
      ['--link-probe-peers=3', { probePeers: 3 }],
      ['--link-mtu=1400', { mtu: 1400 }],
      ['--link-bridge-vni=7', { tunnels: { ...tunnels, bridge: { ...tunnels.bridge, ipv4: { vni: 7, port: 4876 } } } }],
      ['--link-local-port6=8', { tunnels: { ...tunnels, local: { ...tunnels.local, ipv6: { vni: 65, port: 8 } } } }],
    ];
    for (const [flag, changed] of cases) {
      expect(plannerSettings(compile(flag)), flag).to.deep.equal({ ...DEFAULT_PLANNER_SETTINGS, ...changed });
    }
  });

  it('take ranges of both families in any order', () => {
    const { prefixes } = plannerSettings(compile('--link-bridge-cidrs', 'fd00:1::/32,10.99.0.0/16'));
    expect(prefixes.bridge).to.deep.equal({ ip: '10.99.0.0/16', ip6: 'fd00:1::/32' });
    expect(prefixes.local).to.deep.equal(DEFAULT_PLANNER_SETTINGS.prefixes.local);
  });

  it('reach agents by their NodeConfigs', () => {
    const settings = plannerSettings(
      compile('--link-route-table=300', '--link-rule-priority=30', '--no-link-clamp-mss'),
    );
    expect(agentSettings(settings)).to.deep.equal({
      ...{ routeTable: 300, rulePriority: 30, routeProtocol: 98, clampMss: false },
    });
  });

  it("stand in for what a Cluster doesn't say, and for nothing else", () => {
    const settings = plannerSettings(compile('--link-mtu=1400', '--link-local-cidrs=10.98.0.0/16,fd00:2::/32'));
    const cluster = (clusterLinkOptions: Cluster['spec']['clusterLinkOptions']): Cluster => ({
      metadata: { name: 'a' },
      spec: { clusterLinkOptions },
    });
    const silent = compileLinkCluster(cluster({}), settings);
    expect([silent?.mtu, silent?.prefixes.local.ipv4?.length, silent?.prefixes.bridge.ipv4?.length]).to.deep.equal([
      ...[1400, 16, 8],
    ]);
    const own = cluster({ mtu: 1450, localCIDRs: { ip: '10.97.0.0/24', ip6: 'fd00:3::/64' } });
    const said = compileLinkCluster(own, settings);
    expect([said?.mtu, said?.prefixes.local.ipv4?.length]).to.deep.equal([1450, 24]);
  });

  const wrong: readonly (readonly [flags: readonly string[], says: RegExp])[] = [
    [['--link-bridge-vni=0'], /whole number, 1 to 16777215/],
    [['--link-bridge-vni=16777216'], /whole number, 1 to 16777215/],
    [['--link-local-port=65536'], /1 to 65535/],
    [['--link-rule-priority=32766'], /1 to 32765/],
    [['--link-route-protocol=4'], /5 to 255/],
    [['--link-route-table=254'], /--link-route-table: 254 is one that every machine has/],
    [['--link-mtu=1349'], /--link-mtu: must be 0, or at least 1350/],
    [['--link-probe-peers=0'], /1 to 10000/],
    [['--link-bridge-cidrs=220.0.0.0'], /--link-bridge-cidrs: "220.0.0.0" is not a range/],
    [['--link-bridge-cidrs=220.0.0.0/8'], /--link-bridge-cidrs: needs one range of IPv4 and one of IPv6/],
    [['--link-local-cidrs=10.0.0.0/8,11.0.0.0/8,fd00::/16'], /--link-local-cidrs: needs one range of IPv4/],
    [['--link-local-cidrs=220.1.0.0/16,9480::/16'], /220.0.0.0\/8 overlaps 220.1.0.0\/16 of --link-local-cidrs/],
    [['--link-bridge-vni6=65', '--link-bridge-port6=4867'], /--link-bridge-vni6: with the same port it must differ/],
  ];
  for (const [flags, says] of wrong) {
    it(`refuse ${flags.join(' ')}`, () => expect(problems(...flags).join('; ')).to.match(says));
  }

  it('allow one VNI at two ports', () => expect(problems('--link-bridge-vni=55')).to.deep.equal([]));

  it('report all that is wrong at once', () => {
    expect(problems('--link-mtu=10', '--link-route-table=255', '--link-bridge-cidrs=x,y')).to.have.length(4);
  });
});
