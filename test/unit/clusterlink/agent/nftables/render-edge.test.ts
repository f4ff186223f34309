import { expect } from 'chai';
import fc from 'fast-check';
import type { NodeConfigDevice, NodeConfigNat } from '../../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { bytesToIp } from '../../../../../src/clusterlink/agent/netlink/ip-bytes.js';
import { renderTable } from '../../../../../src/clusterlink/agent/nftables/render.js';
import { spec } from '../specs.js';

const bridge = spec.devices![0]!;

function render(change: object): { readonly lines: readonly string[]; readonly problems: readonly string[] } {
  const { text = '', problems } = renderTable({ ...spec, ...change });
  return { lines: text.split('\n').map((line) => line.trim()), problems };
}

function nat(...rules: readonly NodeConfigNat[]): ReturnType<typeof render> {
  return render({ nat: rules });
}

/** The rules of a chain. */
function chainOf(lines: readonly string[], name: string): readonly string[] {
  const start = lines.indexOf(`chain ${name} {`);
  return start < 0 ? [] : lines.slice(start + 2, lines.indexOf('}', start));
}

describe('the table for devices with unusual names', () => {
  const named = (...names: readonly string[]): readonly NodeConfigDevice[] =>
    names.map((name) => ({ ...bridge, name }));

  it('takes any name that the kernel and nft agree on', () => {
    const { lines } = render({ devices: named('vx-a.100', 'vx_b@1', 'fifteen-letters') });
    expect(lines).to.include('iifname { "fifteen-letters", "vx-a.100", "vx_b@1" } accept');
  });

  const wrong = ['sixteen--letters', 'a b', 'x"; accept; "', '', 'vx/bridge', '$dev', 'a\nb'];
  for (const name of wrong) {
    it(`is made for the other devices when one is called ${JSON.stringify(name)}`, () => {
      const { lines } = render({ devices: [...named(name), bridge] });
      expect(lines).to.include('iifname { "vx-bridge" } accept');
      expect(lines.join('\n')).to.not.contain(`"${name}"`);
    });
  }

  it('is nothing when no device can have its name', () => {
    expect(renderTable({ ...spec, devices: named('sixteen--letters') }).text).to.equal(undefined);
  });
});

describe('chains', () => {
  it('are left out when there is nothing in them', () => {
    const { lines } = render({ settings: { clampMss: false } });
    expect(lines.filter((line) => line.startsWith('chain'))).to.deep.equal(['chain forward {', 'chain postrouting {']);
  });

  it('keep NAT of a type together, in the order of the config', () => {
    const sources = ['10.1.0.0/16', '10.3.0.0/16', '10.2.0.0/16'];
    const { lines } = nat(
      ...sources.map((source) => ({ type: 'masquerade' as const, family: 'ipv4' as const, source })),
    );
    expect(chainOf(lines, 'postrouting').slice(0, 3)).to.deep.equal(
      sources.map((source) => `ip saddr ${source} masquerade`),
    );
  });

  it('let every packet pass that no rule is about', () => {
    const { lines } = nat({ type: 'prefixDnat', family: 'ipv4', destination: '242.0.0.0/8', to: '10.0.0.0/8' });
    const hooks = lines.filter((line) => line.startsWith('type '));
    expect(hooks).to.have.length(4);
    expect(hooks.every((line) => line.endsWith('; policy accept;'))).to.equal(true);
  });

  it('translate prefixes of incoming packets before, and of outgoing ones after everything else', () => {
    const { lines } = nat(
      { type: 'prefixDnat', family: 'ipv4', destination: '242.0.0.0/8', to: '10.0.0.0/8' },
      { type: 'prefixSnat', family: 'ipv4', source: '10.0.0.0/8', to: '242.0.0.0/8' },
    );
    expect(chainOf(lines, 'prerouting')).to.deep.equal([
      'ip daddr 242.0.0.0/8 ip daddr set ip daddr & 0.255.255.255 | 10.0.0.0',
    ]);
    expect(chainOf(lines, 'postrouting-prefixes')).to.deep.equal([
      'ip saddr 10.0.0.0/8 ip saddr set ip saddr & 0.255.255.255 | 242.0.0.0',
    ]);
  });

  it('keep sources of both families, in both directions, but not what kube-proxy masquerades', () => {
    const kept = chainOf(render({}).lines, 'postrouting').filter((line) => line.includes('snat'));
    expect(kept).to.have.length(4);
    expect(kept.every((line) => line.includes('meta mark & 0x4000 == 0 fib saddr type != local'))).to.equal(true);
  });
});

describe('translating prefixes', () => {
  it('cuts off host bits that somebody wrote', () => {
    const { lines, problems } = nat({ type: 'masquerade', family: 'ipv4', source: '10.1.2.3/16' });
    expect(problems).to.deep.equal([]);
    expect(lines).to.include('ip saddr 10.1.0.0/16 masquerade');
    const swap = nat({ type: 'prefixSnat', family: 'ipv6', source: 'fd11::9/64', to: 'FD42:0::7/64' });
    expect(swap.lines.join('\n')).to.contain(
      'ip6 saddr fd11::/64 ip6 saddr set ip6 saddr & ::ffff:ffff:ffff:ffff | fd42::',
    );
  });

  it('swaps single addresses as a whole', () => {
    expect(
      nat({ type: 'prefixDnat', family: 'ipv4', destination: '242.0.0.1/32', to: '10.0.0.1/32' }).lines,
    ).to.include('ip daddr 242.0.0.1/32 ip daddr set ip daddr & 0.0.0.0 | 10.0.0.1');
    expect(nat({ type: 'prefixDnat', family: 'ipv6', destination: 'fd42::1/128', to: 'fd11::1/128' }).lines).to.include(
      'ip6 daddr fd42::1/128 ip6 daddr set ip6 daddr & :: | fd11::1',
    );
  });

  it('keeps exactly the host bits, for prefixes of any length', () => {
    const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), (from, to, length) => {
        const rule = { destination: `${bytesToIp(from)}/${length}`, to: `${bytesToIp(to)}/${length}` };
        const text = nat({ type: 'prefixDnat', family: 'ipv4', ...rule }).lines.join('\n');
        const [, mask = '', target = ''] = /set ip daddr & ([\d.]+) \| ([\d.]+)/.exec(text) ?? [];
        const bits = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        expect(bits(mask)).to.equal(2 ** (32 - length) - 1);
        // What is written beside the host bits must not touch them.
        expect(bits(target) % 2 ** (32 - length)).to.equal(0);
      }),
    );
  });

  const wrong: readonly (readonly [string, NodeConfigNat, string])[] = [
    ['no target', { type: 'prefixDnat', family: 'ipv4', destination: '10.0.0.0/8' }, 'a prefix is missing'],
    ['no source', { type: 'prefixSnat', family: 'ipv4', to: '10.0.0.0/8' }, 'a prefix is missing'],
    [
      'a target of the other family',
      { type: 'prefixSnat', family: 'ipv6', source: 'fd11::/8', to: '10.0.0.0/8' },
      '"10.0.0.0/8" is not of the family ipv6',
    ],
    ['an address without length', { type: 'masquerade', family: 'ipv4', source: '10.0.0.1' }, 'length of its prefix'],
    ['an empty prefix', { type: 'masquerade', family: 'ipv4', source: '' }, 'is no IP address'],
    [
      'a device with too long a name',
      { type: 'prefixDnat', family: 'ipv4', destination: '10.0.0.0/8', to: '11.0.0.0/8', inDev: 'a'.repeat(16) },
      'is no name of a device',
    ],
  ];
  for (const [what, rule, problem] of wrong) {
    it(`is left out with ${what}, and everything else is there`, () => {
      const good: NodeConfigNat = { type: 'masquerade', family: 'ipv4', source: '10.9.0.0/16' };
      const { lines, problems } = nat(rule, good);
      expect(problems).to.have.length(1);
      expect(problems[0])
        .to.contain(problem)
        .and.match(/^nat \{/);
      expect(lines).to.include('ip saddr 10.9.0.0/16 masquerade');
    });
  }
});
