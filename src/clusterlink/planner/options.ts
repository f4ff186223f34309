import type { VxlanCidrs } from '../../apis/kosmos/v1alpha1/cluster.js';
import { IP_FAMILIES, overlaps, parseCidr, type Cidr, type IpFamily } from '../../lib/cidr.js';
import { booleanOption, integerOption, listOption, optionNames } from '../../runtime/option-spec.js';
import type { OptionValues } from '../../runtime/options.js';
import { DEFAULT_PLANNER_SETTINGS, VXLAN_OVERHEAD, type PlannerSettings, type TunnelKind } from './settings.js';

const { tunnels, prefixes, routeTable, rulePriority, routeProtocol, clampMss, probePeers } = DEFAULT_PLANNER_SETTINGS;

const VNI = { min: 1, max: 2 ** 24 - 1 };
const PORT = { min: 1, max: 65535 };
/** The smallest MTU of IPv6 (RFC 8200, section 5) has to be left inside of a tunnel. */
const MIN_MTU = 1280 + VXLAN_OVERHEAD.ipv6;
/** `default`, `main` and `local` of every machine. */
const RESERVED_TABLES: readonly number[] = [253, 254, 255];
const TUNNEL_KINDS: readonly TunnelKind[] = ['bridge', 'local'];

/** What holds for all linked clusters, as options of the manager. Agents get it with their NodeConfigs. */
export const LINK_OPTIONS = {
  linkBridgeVni: integerOption({
    ...{ ...VNI, default: tunnels.bridge.ipv4.vni, help: 'VNI of tunnels between clusters over IPv4.' },
  }),
  linkBridgeVni6: integerOption({ ...VNI, default: tunnels.bridge.ipv6.vni, help: 'The same over IPv6.' }),
  linkBridgePort: integerOption({
    ...{ ...PORT, default: tunnels.bridge.ipv4.port, help: 'UDP port of tunnels between clusters over IPv4.' },
  }),
  linkBridgePort6: integerOption({ ...PORT, default: tunnels.bridge.ipv6.port, help: 'The same over IPv6.' }),
  linkBridgeCidrs: listOption({
    default: [prefixes.bridge.ip, prefixes.bridge.ip6],
    help: "Ranges of the addresses of tunnels between clusters, one of each family, for Clusters that don't say `bridgeCIDRs`.",
  }),
  linkLocalVni: integerOption({
    ...{ ...VNI, default: tunnels.local.ipv4.vni },
    help: 'VNI of tunnels inside a cluster, between its nodes and its gateway, over IPv4.',
  }),
  linkLocalVni6: integerOption({ ...VNI, default: tunnels.local.ipv6.vni, help: 'The same over IPv6.' }),
  linkLocalPort: integerOption({
    ...{ ...PORT, default: tunnels.local.ipv4.port, help: 'UDP port of tunnels inside a cluster over IPv4.' },
  }),
  linkLocalPort6: integerOption({ ...PORT, default: tunnels.local.ipv6.port, help: 'The same over IPv6.' }),
  linkLocalCidrs: listOption({
    default: [prefixes.local.ip, prefixes.local.ip6],
    help: "Ranges of the addresses of tunnels inside a cluster, one of each family, for Clusters that don't say `localCIDRs`.",
  }),
  linkMtu: integerOption({
    ...{ min: 0, max: 65535, default: 0 },
    help: `Bytes that the network under the tunnels carries, at least ${MIN_MTU}, for Clusters that don't say \`mtu\`; 0 leaves it to what network interfaces say.`,
  }),
  linkRouteTable: integerOption({
    ...{ min: 1, max: 2 ** 31 - 1, default: routeTable, help: "Routing table of the agents' routes." },
  }),
  linkRulePriority: integerOption({
    // The rule for the table main has 32766: ours has to come first.
    ...{ min: 1, max: 32_765, default: rulePriority, help: 'Priority of the rule that leads to this table.' },
  }),
  linkRouteProtocol: integerOption({
    // Up to 4 (RTPROT_STATIC) they are the kernel's and the administrator's.
    ...{ min: 5, max: 255, default: routeProtocol },
    help: "Protocol number by which the agents know their routes; no other program's on the nodes.",
  }),
  linkClampMss: booleanOption({
    default: clampMss,
    help: 'Clamp the MSS of forwarded TCP connections to what the tunnels carry.',
  }),
  linkProbePeers: integerOption({
    ...{ min: 1, max: 10_000, default: probePeers, help: 'How many peers a node probes at most.' },
  }),
};

export type LinkOptions = OptionValues<typeof LINK_OPTIONS>;

/** What is wrong with the options together; empty when nothing is. */
export function linkOptionProblems(options: LinkOptions): readonly string[] {
  const { linkMtu, linkRouteTable } = options;
  return [
    ...TUNNEL_KINDS.flatMap((kind) => rangeProblems(kind, options)),
    ...overlapProblems(options),
    ...tunnelProblems(options),
    ...(linkMtu === 0 || linkMtu >= MIN_MTU ? [] : [`--link-mtu: must be 0, or at least ${MIN_MTU}`]),
    ...(RESERVED_TABLES.includes(linkRouteTable)
      ? [`--link-route-table: ${linkRouteTable} is one that every machine has (${RESERVED_TABLES.join(', ')})`]
      : []),
  ];
}

/** The planner's settings; the options must have no problems. */
export function plannerSettings(options: LinkOptions): PlannerSettings {
  const { linkMtu } = options;
  return {
    tunnels: {
      bridge: {
        ipv4: { vni: options.linkBridgeVni, port: options.linkBridgePort },
        ipv6: { vni: options.linkBridgeVni6, port: options.linkBridgePort6 },
      },
      local: {
        ipv4: { vni: options.linkLocalVni, port: options.linkLocalPort },
        ipv6: { vni: options.linkLocalVni6, port: options.linkLocalPort6 },
      },
    },
    prefixes: { bridge: prefixesOf('bridge', options), local: prefixesOf('local', options) },
    mtu: linkMtu === 0 ? undefined : linkMtu,
    routeTable: options.linkRouteTable,
    rulePriority: options.linkRulePriority,
    routeProtocol: options.linkRouteProtocol,
    clampMss: options.linkClampMss,
    probePeers: options.linkProbePeers,
  };
}

const RANGE_OPTIONS = { bridge: 'linkBridgeCidrs', local: 'linkLocalCidrs' } as const;

function flagOf(kind: TunnelKind): string {
  const name = RANGE_OPTIONS[kind];
  return optionNames(name, LINK_OPTIONS[name]).flag;
}

function rangesOf(kind: TunnelKind, options: LinkOptions): readonly (readonly [string, Cidr | undefined])[] {
  return options[RANGE_OPTIONS[kind]].map((text) => [text, parseCidr(text)]);
}

function prefixesOf(kind: TunnelKind, options: LinkOptions): VxlanCidrs {
  const of = (family: IpFamily): string =>
    rangesOf(kind, options).find(([, cidr]) => cidr?.family === family)?.[0] ?? '';
  return { ip: of('ipv4'), ip6: of('ipv6') };
}

function rangeProblems(kind: TunnelKind, options: LinkOptions): readonly string[] {
  const flag = flagOf(kind);
  const ranges = rangesOf(kind, options);
  const bad = ranges.filter(([, cidr]) => cidr === undefined);
  if (bad.length > 0) return bad.map(([text]) => `${flag}: "${text}" is not a range such as 220.0.0.0/8`);
  const isOneOfEach = IP_FAMILIES.every((family) => ranges.filter(([, cidr]) => cidr?.family === family).length === 1);
  return isOneOfEach ? [] : [`${flag}: needs one range of IPv4 and one of IPv6`];
}

function overlapProblems(options: LinkOptions): readonly string[] {
  return rangesOf('bridge', options).flatMap(([text, bridge]) =>
    rangesOf('local', options).flatMap(([other, local]) =>
      bridge !== undefined && local !== undefined && overlaps(bridge, local)
        ? [`${flagOf('bridge')}: ${text} overlaps ${other} of ${flagOf('local')}`]
        : [],
    ),
  );
}

/** Tunnels of a node that had number and port in common could not be told apart. */
function tunnelProblems(options: LinkOptions): readonly string[] {
  const { bridge, local } = plannerSettings(options).tunnels;
  return IP_FAMILIES.flatMap((family) => {
    const suffix = family === 'ipv4' ? '' : '6';
    const isSame = bridge[family].vni === local[family].vni && bridge[family].port === local[family].port;
    return isSame
      ? [`--link-bridge-vni${suffix}: with the same port it must differ from --link-local-vni${suffix}`]
      : [];
  });
}
