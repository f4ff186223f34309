import type { Cluster, ClusterLinkOptions, ClusterLinkStatus, VxlanCidrs } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { NodeConfigDetection } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { Cidr, IpFamily } from '../../lib/cidr.js';
import { covers, IP_FAMILIES, mapCidr, parseCidr, parseIp } from '../../lib/cidr.js';
import type { PlanProblem } from './problems.js';
import { DEFAULT_PLANNER_SETTINGS, type PlannerSettings, type TunnelKind } from './settings.js';

/** One entry of `globalCIDRsMap`. */
export interface GlobalRange {
  readonly real: Cidr;
  readonly global: Cidr;
}

/** A Cluster that takes part, with defaults applied and everything parsed. */
export interface LinkCluster {
  readonly name: string;
  /** RFC 3339; the older of two Clusters wins where only one can. Empty for those that were never created. */
  readonly createdAt: string;
  readonly p2p: boolean;
  readonly families: readonly IpFamily[];
  /** Ranges of the tunnels' addresses; none for a family whose option can't be read. */
  readonly prefixes: Readonly<Record<TunnelKind, Readonly<Partial<Record<IpFamily, Cidr>>>>>;
  readonly globalRanges: readonly GlobalRange[];
  readonly podCIDRs: readonly Cidr[];
  readonly serviceCIDRs: readonly Cidr[];
  /** Bytes that the underlay carries, if it is less than what interfaces say. */
  readonly mtu: number | undefined;
  readonly detection: (nodeName: string) => NodeConfigDetection;
  readonly problems: readonly PlanProblem[];
  /** Equal for two states of a Cluster that the planner can't tell from each other. */
  readonly fingerprint: string;
}

/** Undefined for a Cluster that takes no part: without `clusterLinkOptions`, or with `enable: false`. */
export function compileLinkCluster(
  cluster: Cluster,
  settings: PlannerSettings = DEFAULT_PLANNER_SETTINGS,
): LinkCluster | undefined {
  const options = cluster.spec.clusterLinkOptions;
  if (options === undefined || options.enable === false) return undefined;
  const { name = '', creationTimestamp: createdAt = '' } = cluster.metadata ?? {};
  const problems: PlanProblem[] = [];
  const invalid = (option: string, text: string): void => {
    const message = `Cluster ${name}: ${option} "${text}" can't be read`;
    problems.push({ reason: 'InvalidOption', clusters: [name], message });
  };
  const ranges = rangesOf(options, cluster.status?.clusterLinkStatus);
  return {
    name,
    createdAt,
    p2p: options.networkType !== 'gateway',
    families: IP_FAMILIES.filter((family) => family === options.ipFamily || isAll(options.ipFamily)),
    prefixes: {
      bridge: prefixesOf('bridgeCIDRs', options.bridgeCIDRs ?? settings.prefixes.bridge, invalid),
      local: prefixesOf('localCIDRs', options.localCIDRs ?? settings.prefixes.local, invalid),
    },
    globalRanges: globalRangesOf(options, invalid),
    podCIDRs: cidrsOf('podCIDRs', ranges.pods, invalid),
    serviceCIDRs: cidrsOf('serviceCIDRs', ranges.services, invalid),
    mtu: options.mtu ?? settings.mtu,
    detection: (nodeName) => detectionOf(options, nodeName),
    problems,
    fingerprint: JSON.stringify([createdAt, options, ranges]),
  };
}

/** What other clusters call a range of this one: its part of the global range that is mapped to it, or itself. */
export function publishedCidr(cluster: LinkCluster, cidr: Cidr): Cidr {
  const range = cluster.globalRanges.find(({ real }) => covers(real, cidr));
  return range === undefined ? cidr : mapCidr(cidr, range.real, range.global);
}

/** Whether `a` was there before `b`; Clusters of one second are told apart by name. */
export function isOlder(a: LinkCluster, b: LinkCluster): boolean {
  return a.createdAt === b.createdAt ? a.name < b.name : a.createdAt < b.createdAt;
}

/** Kosmos takes every text that it doesn't know for `all`. */
function isAll(family: string | undefined): boolean {
  return family !== 'ipv4' && family !== 'ipv6';
}

type OnInvalid = (option: string, text: string) => void;

interface RangeTexts {
  readonly pods: readonly string[];
  readonly services: readonly string[];
}

/** What the Cluster says itself goes before what was found there. */
function rangesOf(options: ClusterLinkOptions, found: ClusterLinkStatus = {}): RangeTexts {
  return {
    pods: options.podCIDRs ?? found.podCIDRs ?? [],
    services: options.serviceCIDRs ?? found.serviceCIDRs ?? [],
  };
}

function cidrsOf(option: string, texts: readonly string[], invalid: OnInvalid): readonly Cidr[] {
  return texts.flatMap((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) invalid(option, text);
    return cidr ?? [];
  });
}

function prefixesOf(option: string, texts: VxlanCidrs, invalid: OnInvalid): Partial<Record<IpFamily, Cidr>> {
  const read = (text: string, family: IpFamily): Partial<Record<IpFamily, Cidr>> => {
    const cidr = parseCidr(text);
    if (cidr?.family === family) return { [family]: cidr };
    invalid(option, text);
    return {};
  };
  return { ...read(texts.ip, 'ipv4'), ...read(texts.ip6, 'ipv6') };
}

function globalRangesOf(options: ClusterLinkOptions, invalid: OnInvalid): readonly GlobalRange[] {
  return Object.entries(options.globalCIDRsMap ?? {}).flatMap(([from, to]) => {
    const real = parseCidr(from);
    const global = parseCidr(to);
    const equalSize = real?.family === global?.family && real?.length === global?.length;
    if (real !== undefined && global !== undefined && equalSize) return [{ real, global }];
    invalid('globalCIDRsMap', `${from}: ${to}`);
    return [];
  });
}

const CAN_REACH = 'can-reach=';

function detectionOf(options: ClusterLinkOptions, nodeName: string): NodeConfigDetection {
  const named = options.nicNodeNames?.find((entry) => entry.nodeName.includes(nodeName))?.interfaceName;
  const interfaceName = named ?? options.defaultNICName ?? '*';
  if (interfaceName !== '*' && interfaceName !== '') return { method: 'interface', interfaceName };
  const method = options.autodetectionMethod ?? '';
  const canReach = method.startsWith(CAN_REACH) ? parseIp(method.slice(CAN_REACH.length)) : undefined;
  return canReach === undefined ? { method: 'defaultRoute' } : { method: 'canReach', canReach: canReach.text };
}
