import type { Node, NodeCondition, Taint } from '../../apis/core.js';
import type { Labels } from '../../lib/label-selector.js';
import type { Resources } from '../../lib/resource-list.js';
import { parseResources } from '../../lib/resource-list.js';

/** What the manager keeps of a node of a member: some hundred bytes instead of the node's images and history. */
export interface MemberNode {
  readonly metadata: { readonly name: string };
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  /** Ready, not cordoned and not being deleted: takes part in the capacity of the virtual node before it. */
  readonly available: boolean;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly allocatable: Resources;
  readonly conditions: readonly MemberNodeCondition[];
  readonly info: MemberNodeInfo;
}

/** A node condition without its times: those belong to the member's clock. */
export interface MemberNodeCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The part of `status.nodeInfo` that means something outside the member. */
export interface MemberNodeInfo {
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly kubeletVersion: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly containerRuntimeVersion: string;
}

export const NO_INFO: MemberNodeInfo = {
  architecture: '',
  operatingSystem: '',
  kubeletVersion: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
};

/** The conditions that every kubelet and route controller reports; a virtual node has exactly these. */
export const NODE_CONDITION_TYPES = [
  'Ready',
  'MemoryPressure',
  'DiskPressure',
  'PIDPressure',
  'NetworkUnavailable',
] as const;
export type NodeConditionType = (typeof NODE_CONDITION_TYPES)[number];

const KEPT_CONDITIONS: readonly string[] = NODE_CONDITION_TYPES;

/** Reduces a node to what virtual nodes need of it; meant to run while a watch is decoded. */
export function trimNode(node: Node): MemberNode {
  const { metadata = {}, spec = {}, status = {} } = node;
  const conditions = trimConditions(status.conditions ?? []);
  const ready = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  const unschedulable = spec.unschedulable === true;
  return {
    metadata: { name: metadata.name ?? '' },
    labels: metadata.labels ?? {},
    taints: spec.taints ?? [],
    available: ready && !unschedulable && metadata.deletionTimestamp === undefined,
    ready,
    unschedulable,
    allocatable: parseResources(status.allocatable),
    conditions,
    info: trimInfo(status.nodeInfo ?? NO_INFO),
  };
}

function trimConditions(conditions: readonly NodeCondition[]): readonly MemberNodeCondition[] {
  return conditions
    .filter(({ type }) => KEPT_CONDITIONS.includes(type))
    .map(({ type, status, reason = '', message = '' }) => ({ type, status, reason, message }));
}

function trimInfo(info: MemberNodeInfo): MemberNodeInfo {
  const { architecture, operatingSystem, kubeletVersion, kernelVersion, osImage, containerRuntimeVersion } = info;
  return { architecture, operatingSystem, kubeletVersion, kernelVersion, osImage, containerRuntimeVersion };
}
