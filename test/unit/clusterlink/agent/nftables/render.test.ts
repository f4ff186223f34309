import { expect } from 'chai';
import type { NodeConfigNat } from '../../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { renderRemoval, renderTable } from '../../../../../src/clusterlink/agent/nftables/render.js';
import { spec } from '../specs.js';

function lines(change: object = {}): readonly string[] {
  return (renderTable({ ...spec, ...change }).text ?? '').split('\n').map((line) => line.trim());
}

function nat(...rules: readonly NodeConfigNat[]): ReturnType<typeof renderTable> {
  return renderTable({ ...spec, nat: rules });
}

describe('renderTable', () => {
  it('replaces the whole table in one transaction', () => {
    expect(lines().slice(0, 3)).to.deep.equal(['table inet kosmos', 'delete table inet kosmos', 'table inet kosmos {']);
    expect(renderRemoval()).to.equal('delete table inet kosmos\n');
  });

  it('is nothing without devices', () => {
    expect(renderTable({ ...spec, devices: [] })).to.deep.equal({ text: undefined, problems: [] });
    expect(renderTable({}).text).to.equal(undefined);
  });

  it('is the same text for the same config in another order', () => {
    expect(lines({ devices: [...spec.devices!].reverse() })).to.deep.equal(lines());
  });

  it('lets packets of tunnels pass', () => {
    expect(lines()).to.include('iifname { "vx-bridge", "vx-bridge-6" } accept');
    expect(lines()).to.include('oifname { "vx-bridge", "vx-bridge-6" } accept');
  });

  it('clamps the size of TCP segments unless it is told not to', () => {
    const clamps = (change: object): number => lines(change).filter((line) => line.includes('maxseg')).length;
    expect([
      clamps({}),
      clamps({ settings: { clampMss: false } }),
      clamps({ settings: { clampMss: true } }),
    ]).to.deep.equal([1, 0, 1]);
  });

  it('masquerades by source, on one device or on any', () => {
    const { text = '' } = nat(
      { type: 'masquerade', family: 'ipv4', source: '210.0.0.0/8', outDev: 'vx-bridge' },
      { type: 'masquerade', family: 'ipv6', source: '9470::/16' },
    );
    expect(text).to.contain('ip saddr 210.0.0.0/8 oifname "vx-bridge" masquerade\n');
    expect(text).to.contain('ip6 saddr 9470::/16 masquerade\n');
    expect(text.indexOf('masquerade')).to.be.lessThan(text.indexOf('snat ip to ip saddr'));
  });

  it('swaps prefixes and keeps host bits, without connection tracking', () => {
    const { text = '', problems } = nat(
      { type: 'prefixDnat', family: 'ipv4', destination: '242.10.0.0/16', to: '10.10.0.0/16', inDev: 'vx-bridge' },
      { type: 'prefixSnat', family: 'ipv4', source: '10.10.128.0/20', to: '242.10.128.0/20', outDev: 'vx-bridge' },
      { type: 'prefixSnat', family: 'ipv6', source: 'fd11:10::/64', to: 'fd42:10::/64', outDev: 'vx-bridge-6' },
    );
    expect(problems).to.deep.equal([]);
    expect(text).to.match(
      /hook prerouting priority -350; policy accept;\n {4}iifname "vx-bridge" ip daddr 242\.10\.0\.0\/16 ip daddr set ip daddr & 0\.0\.255\.255 \| 10\.10\.0\.0\n/,
    );
    expect(text).to.contain('ip saddr 10.10.128.0/20 ip saddr set ip saddr & 0.0.15.255 | 242.10.128.0\n');
    expect(text).to.contain('ip6 saddr set ip6 saddr & ::ffff:ffff:ffff:ffff | fd42:10::\n');
  });

  it('makes a Service reachable on nodes whose answers take another way', () => {
    const p2p = 'iifname { "vx-bridge", "vx-bridge-6" } ct status dnat masquerade';
    expect(lines()).to.include(p2p);
    const local = { ...spec.devices![0]!, name: 'vx-local' };
    expect(lines({ devices: [...spec.devices!, local] }).filter((line) => line.includes('ct status'))).to.deep.equal(
      [],
    );
  });

  const wrong: readonly (readonly [string, NodeConfigNat, string])[] = [
    ['without a prefix', { type: 'masquerade', family: 'ipv4' }, 'a prefix is missing'],
    [
      'with a prefix of the other family',
      { type: 'masquerade', family: 'ipv4', source: '9470::/16' },
      'not of the family ipv4',
    ],
    [
      'between prefixes of different lengths',
      { type: 'prefixSnat', family: 'ipv4', source: '10.0.0.0/8', to: '10.0.0.0/9' },
      'differ in length',
    ],
    [
      'for a device that can have no such name',
      { type: 'masquerade', family: 'ipv4', source: '10.0.0.0/8', outDev: 'x" accept' },
      'is no name of a device',
    ],
  ];
  for (const [what, rule, problem] of wrong) {
    it(`leaves out NAT ${what}, and says so`, () => {
      const { problems, text } = nat(rule);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.contain(problem);
      expect(text).to.contain('hook forward');
    });
  }

  it('says that NAT in the form of iptables alone is not applied', () => {
    const { nat: _nat, ...rest } = spec;
    const iptables = [{ table: 'nat', chain: 'POSTROUTING', rule: '-s 220.0.0.0/8 -j MASQUERADE' }];
    expect(renderTable({ ...rest, iptables }).problems[0]).to.contain('only the list `nat` is applied');
    expect(renderTable({ ...spec, iptables }).problems).to.deep.equal([]);
  });
});
