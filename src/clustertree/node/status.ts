import type { Node, NodeCondition } from '../../apis/core.js';
import type { MapPatch } from '../../lib/merge-patch.js';
import { definedOnly, diffMap } from '../../lib/merge-patch.js';
import type { ResourceList } from '../../lib/resource-list.js';
import { formatResources } from '../../lib/resource-list.js';
import type { ConditionTimes } from './conditions.js';
import { conditionsToWrite, desiredNodeConditions } from './conditions.js';
import type { MemberNodeCondition, MemberNodeInfo } from './member-node.js';
import { NO_INFO } from './member-node.js';
import type { VirtualNodeFacts } from './node-facts.js';
import { agreed } from './node-facts.js';

export interface NodeAddress {
  readonly type: 'InternalIP';
  readonly address: string;
}

/** The status that a virtual node should have, without the times of its conditions. */
export interface DesiredNodeStatus {
  readonly capacity: ResourceList;
  readonly allocatable: ResourceList;
  readonly conditions: readonly MemberNodeCondition[];
  readonly addresses: readonly NodeAddress[];
  readonly daemonEndpoints: { readonly kubeletEndpoint: { readonly Port: number } };
  readonly nodeInfo: MemberNodeInfo;
}

/** Tells the API server to replace a list that it would merge: two addresses of a node may have the same type. */
const REPLACE = { $patch: 'replace' } as const;

/** A strategic merge patch of the status of a Node that names the object it was computed from. */
export interface NodeStatusPatch {
  readonly metadata: { readonly uid?: string };
  readonly status: {
    readonly capacity?: MapPatch;
    readonly allocatable?: MapPatch;
    readonly conditions?: readonly NodeCondition[];
    readonly addresses?: readonly (NodeAddress | typeof REPLACE)[];
    readonly daemonEndpoints?: DesiredNodeStatus['daemonEndpoints'];
    readonly nodeInfo?: Partial<MemberNodeInfo>;
  };
}

/**
 * The status of a virtual node. Its only addresses are those of the manager: API servers try host and DNS names first,
 * and would then miss the manager.
 */
export function desiredNodeStatus(facts: VirtualNodeFacts): DesiredNodeStatus {
  return {
    capacity: formatResources(facts.capacity.capacity),
    allocatable: formatResources(facts.capacity.allocatable),
    conditions: desiredNodeConditions(facts),
    addresses: facts.kubelet.addresses.map((address) => ({ type: 'InternalIP', address })),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubelet.port } },
    nodeInfo: desiredNodeInfo(facts),
  };
}

/** What all nodes behind agree on; the version falls back to that of the API server. */
function desiredNodeInfo(facts: VirtualNodeFacts): MemberNodeInfo {
  const fields = Object.keys(NO_INFO) as (keyof MemberNodeInfo)[];
  const info = Object.fromEntries(
    fields.map((field) => [field, agreed(facts.behind, (node) => node.info[field]) ?? '']),
  );
  return { ...NO_INFO, ...info, kubeletVersion: info['kubeletVersion'] || facts.memberVersion };
}

/** The status to create a virtual node with, so that it is never seen without one. */
export function initialNodeStatus(desired: DesiredNodeStatus, now: string): NonNullable<Node['status']> {
  return {
    ...desired,
    conditions: conditionsToWrite([], desired.conditions, { now, heartbeatDue: true }),
    nodeInfo: { ...desired.nodeInfo, machineID: '', systemUUID: '', bootID: '', kubeProxyVersion: '' },
  };
}

/**
 * The patch (type `strategic`, subresource `status`) from what a virtual node has to what it should have; undefined
 * when there is nothing to do. Resources that are no longer wanted go away, conditions of others stay.
 */
export function nodeStatusPatch(
  actual: Node,
  desired: DesiredNodeStatus,
  times: ConditionTimes,
): NodeStatusPatch | undefined {
  const status = actual.status ?? {};
  const conditions = conditionsToWrite(status.conditions ?? [], desired.conditions, times);
  const changes = definedOnly({
    capacity: diffMap(status.capacity, desired.capacity),
    allocatable: diffMap(status.allocatable, desired.allocatable),
    conditions: conditions.length > 0 ? conditions : undefined,
    addresses: diffAddresses(actual, desired),
    daemonEndpoints: diffEndpoints(actual, desired),
    nodeInfo: diffInfo(actual, desired),
  });
  return changes && { metadata: { ...definedOnly({ uid: actual.metadata?.uid }) }, status: changes };
}

function diffAddresses(
  actual: Node,
  desired: DesiredNodeStatus,
): readonly (NodeAddress | typeof REPLACE)[] | undefined {
  const present = actual.status?.addresses ?? [];
  const same =
    present.length === desired.addresses.length &&
    desired.addresses.every(({ type, address }, i) => present[i]?.type === type && present[i].address === address);
  return same ? undefined : [...desired.addresses, REPLACE];
}

function diffEndpoints(actual: Node, desired: DesiredNodeStatus): DesiredNodeStatus['daemonEndpoints'] | undefined {
  const port = actual.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  return port === desired.daemonEndpoints.kubeletEndpoint.Port ? undefined : desired.daemonEndpoints;
}

function diffInfo(actual: Node, desired: DesiredNodeStatus): Partial<MemberNodeInfo> | undefined {
  const present: Partial<MemberNodeInfo> = actual.status?.nodeInfo ?? {};
  const changed = (Object.entries(desired.nodeInfo) as [keyof MemberNodeInfo, string][]).filter(
    ([key, value]) => (present[key] ?? '') !== value,
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
