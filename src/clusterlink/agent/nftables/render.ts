import type { NodeConfigNat, NodeConfigSpec } from '../../../apis/kosmos/v1alpha1/node-config.js';
import { errorMessage } from '../../../lib/errors.js';
import { isDeviceName } from '../device-name.js';
import { familyOf, type Family } from '../netlink/family.js';
import { KernelError } from '../netlink/kernel-error.js';
import { hostMask, networkOf, parsePrefix } from '../prefix.js';

/** The one table of the agent; nobody else's is touched. */
export const OWN_TABLE = { family: 'inet', name: 'kosmos' } as const;

/** Bit by which kube-proxy marks what it masquerades itself. */
const KUBE_MASQUERADE_MARK = '0x4000';
/** Devices that lead to a node's own gateway: only where there are some do answers come back through it. */
const LOCAL_DEVICE_PREFIX = 'vx-local';

const KEYWORD: Readonly<Record<Family, string>> = { ipv4: 'ip', ipv6: 'ip6' };

/** What is wanted in the agent's table; `text` is undefined when there should be none. */
export interface RenderedTable {
  readonly text: string | undefined;
  readonly problems: readonly string[];
}

/**
 * The whole of the agent's table for a config, as `nft` reads it: one transaction that replaces what there is.
 *
 * ```
 * prerouting   -350  prefixes of incoming packets, stateless, before conntrack and kube-proxy see them
 * forward      -150  size of TCP segments
 * forward        -5  packets of tunnels may pass
 * postrouting    95  masquerade; keep the source of all else, before a CNI's or kube-proxy's own NAT at 100
 * postrouting   200  prefixes of outgoing packets, stateless, after all NAT
 * ```
 */
export function renderTable(spec: NodeConfigSpec): RenderedTable {
  // Others can't be made, which is reported where they should be.
  const devices = (spec.devices ?? []).flatMap(({ name }) => (isDeviceName(name) ? [name] : [])).sort();
  if (devices.length === 0) return { text: undefined, problems: [] };
  const problems: string[] = [];
  const rules = (spec.nat ?? []).flatMap((nat) => {
    try {
      return [{ type: nat.type, text: renderNat(nat) }];
    } catch (error) {
      problems.push(`nat ${JSON.stringify(nat)}: ${errorMessage(error)}`);
      return [];
    }
  });
  if (spec.nat === undefined && (spec.iptables ?? []).length > 0) {
    problems.push('iptables: only the list `nat` is applied, and this config has none');
  }
  const of = (type: NodeConfigNat['type']): string[] =>
    rules.filter((rule) => rule.type === type).map(({ text }) => text);
  const tunnels = `{ ${devices.map(quote).join(', ')} }`;
  const chains = [
    chain('prerouting', 'type filter hook prerouting priority -350', of('prefixDnat')),
    chain('segment-size', 'type filter hook forward priority mangle', renderClamp(spec, tunnels)),
    chain('forward', 'type filter hook forward priority filter - 5', [
      `iifname ${tunnels} accept`,
      `oifname ${tunnels} accept`,
    ]),
    chain('postrouting', 'type nat hook postrouting priority srcnat - 5', [
      ...of('masquerade'),
      ...renderServices(devices, tunnels),
      ...renderKeepSource(tunnels),
    ]),
    chain('postrouting-prefixes', 'type filter hook postrouting priority srcnat + 100', of('prefixSnat')),
  ];
  const { family, name } = OWN_TABLE;
  const head = `table ${family} ${name}`;
  const text = [head, `delete ${head}`, `${head} {`, ...chains.flat(), '}', ''].join('\n');
  return { text, problems };
}

/** Takes the agent's table away; fails when there is none. */
export function renderRemoval(): string {
  const { family, name } = OWN_TABLE;
  return `delete table ${family} ${name}\n`;
}

function chain(name: string, hook: string, rules: readonly string[]): string[] {
  if (rules.length === 0) return [];
  return [`  chain ${name} {`, `    ${hook}; policy accept;`, ...rules.map((rule) => `    ${rule}`), '  }'];
}

function renderClamp({ settings }: NodeConfigSpec, tunnels: string): string[] {
  if (settings?.clampMss === false) return [];
  return [`oifname ${tunnels} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`];
}

/**
 * Where a node's answers go straight to the node that asked (P2P), the node that translated a Service's address would
 * never see them; so it has to be their destination.
 */
function renderServices(devices: readonly string[], tunnels: string): string[] {
  if (devices.some((name) => name.startsWith(LOCAL_DEVICE_PREFIX))) return [];
  return [`iifname ${tunnels} ct status dnat masquerade`];
}

/**
 * Translating a source to itself settles the matter: the kernel does no other source NAT for the connection then, so a
 * CNI that masquerades what leaves the cluster's own prefixes leaves packets of tunnels alone.
 */
function renderKeepSource(tunnels: string): string[] {
  const ordinary = `meta mark & ${KUBE_MASQUERADE_MARK} == 0 fib saddr type != local`;
  return (['ip', 'ip6'] as const).flatMap((keyword) => [
    `oifname ${tunnels} ${ordinary} snat ${keyword} to ${keyword} saddr`,
    `iifname ${tunnels} ${ordinary} snat ${keyword} to ${keyword} saddr`,
  ]);
}

function renderNat(nat: NodeConfigNat): string {
  const keyword = KEYWORD[nat.family];
  switch (nat.type) {
    case 'masquerade': {
      const source = prefix(nat.source, nat.family);
      const out = nat.outDev === undefined ? '' : ` oifname ${quote(nat.outDev)}`;
      return `${keyword} saddr ${source}${out} masquerade`;
    }
    case 'prefixDnat':
      return renderSwap(nat, { field: 'daddr', from: nat.destination, device: nat.inDev, direction: 'iifname' });
    case 'prefixSnat':
      return renderSwap(nat, { field: 'saddr', from: nat.source, device: nat.outDev, direction: 'oifname' });
  }
}

interface Swap {
  readonly field: 'saddr' | 'daddr';
  readonly from: string | undefined;
  readonly device: string | undefined;
  readonly direction: 'iifname' | 'oifname';
}

/** Writes another prefix into an address and keeps its host bits. */
function renderSwap({ family, to }: NodeConfigNat, { field, from, device, direction }: Swap): string {
  const keyword = KEYWORD[family];
  const old = prefix(from, family);
  const wanted = parsePrefix(prefix(to, family));
  if (parsePrefix(old).prefixLength !== wanted.prefixLength) throw new KernelError('the prefixes differ in length');
  const mask = hostMask(wanted.ip, wanted.prefixLength);
  const on = device === undefined ? '' : `${direction} ${quote(device)} `;
  const target = `${keyword} ${field}`;
  return `${on}${target} ${old} ${target} set ${target} & ${mask} | ${wanted.ip}`;
}

/** A prefix of the family, without host bits. */
function prefix(text: string | undefined, family: Family): string {
  if (text === undefined) throw new KernelError('a prefix is missing');
  const { ip, prefixLength } = parsePrefix(text);
  if (familyOf(ip) !== family) throw new KernelError(`"${text}" is not of the family ${family}`);
  return `${networkOf(ip, prefixLength)}/${prefixLength}`;
}

/** A device's name; the kernel allows characters in it that would mean something else here. */
function quote(name: string): string {
  if (!isDeviceName(name)) throw new KernelError(`${JSON.stringify(name)} is no name of a device`);
  return `"${name}"`;
}
