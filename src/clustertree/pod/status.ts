import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '../../apis/core.js';
import { mergeConditions } from './conditions.js';
import { publishedIp, type AddressRules } from './published-address.js';
import { mayLeaveTerminated } from './restarts.js';
import { isTerminal } from './verdict.js';

export interface MergeOptions {
  /** The member pod has the host pod's present spec, and its kubelet has seen it (see {@link isObserved}). */
  readonly inStep: boolean;
  /** By which addresses others reach the member's pods; by their own when absent. */
  readonly addresses?: AddressRules | undefined;
}

/** Fields of a status that are one with the member's, whatever they say. */
const MIRRORED = ['phase', 'reason', 'message', 'resize', 'resources', 'allocatedResources'] as const;

type StatusList = 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses';

/** True when the member's kubelet has seen the latest spec of the member pod, as far as it says so. */
export function isObserved(memberPod: Pod): boolean {
  const observed = memberPod.status?.observedGeneration;
  return observed === undefined || observed === memberPod.metadata?.generation;
}

/**
 * The status that the host pod should have: the member pod's, except for what the host owns (QoS class, nominated node,
 * resource claims, and conditions as {@link mergeConditions} says). A pod that has ended stays ended.
 */
export function mergeStatus(hostPod: Pod, memberPod: Pod, options: MergeOptions): PodStatus {
  const host = hostPod.status ?? {};
  const member = memberPod.status ?? {};
  if (isTerminal(hostPod) && host.phase !== member.phase) return host;
  const observed = options.inStep ? hostPod.metadata?.generation : host.observedGeneration;
  return {
    ...host,
    ...Object.fromEntries(MIRRORED.map((field) => [field, member[field]])),
    phase: member.phase ?? host.phase,
    startTime: host.startTime ?? member.startTime,
    observedGeneration: observed,
    ...addresses(member, options.addresses),
    conditions: mergeConditions(hostPod, memberPod, options),
    containerStatuses: mergeContainers(hostPod, member, 'containerStatuses'),
    initContainerStatuses: mergeContainers(hostPod, member, 'initContainerStatuses'),
    ephemeralContainerStatuses: mergeContainers(hostPod, member, 'ephemeralContainerStatuses'),
  };
}

type Addresses = Pick<PodStatus, 'hostIP' | 'hostIPs' | 'podIP' | 'podIPs'>;

/** API servers want the single address to be the first of the list, and fill in the list of pod addresses themselves. */
function addresses(member: PodStatus, rules: AddressRules | undefined): Addresses {
  const hostIPs = member.hostIPs?.length ? member.hostIPs : listOf(member.hostIP);
  const own = member.podIPs?.length ? member.podIPs : listOf(member.podIP);
  const podIPs = rules === undefined ? own : published(own ?? [], hostIPs ?? [], rules);
  return { hostIP: hostIPs?.[0]?.ip, hostIPs, podIP: podIPs?.[0]?.ip, podIPs };
}

/** A pod in its node's network has addresses of the underlay, which are nobody's to map. */
function published(own: readonly HostIP[], hostIPs: readonly HostIP[], rules: AddressRules): HostIP[] | undefined {
  const ips = own.flatMap(({ ip }) => {
    const isNode = hostIPs.some((host) => host.ip === ip);
    const address = isNode ? ip : publishedIp(rules, ip);
    return address === undefined ? [] : [{ ip: address }];
  });
  return ips.length === 0 ? undefined : ips;
}

interface HostIP {
  readonly ip: string;
}

function listOf(ip: string | undefined): { ip: string }[] | undefined {
  return ip ? [{ ip }] : undefined;
}

/**
 * The statuses of the containers that the host pod has (the member's admission may have added others). One that the
 * host's API server would reject, because it brings a container back that may not restart, is not taken over.
 */
function mergeContainers(hostPod: Pod, member: PodStatus, list: StatusList): readonly ContainerStatus[] | undefined {
  const containers = containersOf(hostPod.spec, list);
  const old = hostPod.status?.[list] ?? [];
  const merged = (member[list] ?? []).flatMap((status) => {
    const container = containers.find(({ name }) => name === status.name);
    if (!container) return [];
    const before = old.find(({ name }) => name === status.name);
    const exitCode = before?.state?.terminated?.exitCode;
    const isIllegal =
      exitCode !== undefined &&
      !status.state?.terminated &&
      (list === 'ephemeralContainerStatuses' || !mayLeaveTerminated(hostPod, container, exitCode));
    return [isIllegal && before ? before : status];
  });
  return merged.length > 0 ? merged : undefined;
}

function containersOf(spec: PodSpec | undefined, list: StatusList): readonly Container[] {
  switch (list) {
    case 'containerStatuses':
      return spec?.containers ?? [];
    case 'initContainerStatuses':
      return spec?.initContainers ?? [];
    case 'ephemeralContainerStatuses':
      return spec?.ephemeralContainers ?? [];
  }
}
