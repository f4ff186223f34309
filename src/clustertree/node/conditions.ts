import type { NodeCondition } from '../../apis/core.js';
import type { MemberNode, MemberNodeCondition, NodeConditionType } from './member-node.js';
import { NODE_CONDITION_TYPES } from './member-node.js';
import type { VirtualNodeFacts } from './node-facts.js';

/** Reasons of conditions of virtual nodes that aren't a mirror of the member's own. */
const NODE_REASONS = {
  ready: 'KubeletReady',
  noReadyNode: 'NoReadyNode',
  noNode: 'NoNode',
  routes: 'RouteCreated',
} as const;

type PressureType = Exclude<NodeConditionType, 'Ready'>;

/** Reason and message of a condition that is False, which is the good case of all but Ready. */
const HEALTHY: Readonly<Record<PressureType, { readonly reason: string; readonly message: string }>> = {
  MemoryPressure: { reason: 'KubeletHasSufficientMemory', message: 'the nodes behind have sufficient memory' },
  DiskPressure: { reason: 'KubeletHasNoDiskPressure', message: 'the nodes behind have no disk pressure' },
  PIDPressure: { reason: 'KubeletHasSufficientPID', message: 'the nodes behind have sufficient PIDs' },
  NetworkUnavailable: { reason: NODE_REASONS.routes, message: 'the nodes behind have their network' },
};

const PRESSURE_TYPES = NODE_CONDITION_TYPES.filter((type): type is PressureType => type !== 'Ready');

/**
 * The conditions of a virtual node, in a fixed order. In node mode they are the member node's own. Else the virtual
 * node is Ready while one node behind it is, and is under pressure only when all its ready nodes are: the member's own
 * scheduler avoids single ones.
 */
export function desiredNodeConditions(
  facts: Pick<VirtualNodeFacts, 'spec' | 'behind'>,
): readonly MemberNodeCondition[] {
  const { spec, behind } = facts;
  if (spec.mode === 'node') return NODE_CONDITION_TYPES.map((type) => mirroredCondition(type, behind[0]));
  const ready = behind.filter((node) => node.ready);
  return [aggregatedReady(behind, ready), ...PRESSURE_TYPES.map((type) => aggregatedPressure(type, ready))];
}

function mirroredCondition(type: NodeConditionType, member: MemberNode | undefined): MemberNodeCondition {
  return condition(member, type) ?? (type === 'Ready' ? noNode() : healthy(type));
}

function aggregatedReady(behind: readonly MemberNode[], ready: readonly MemberNode[]): MemberNodeCondition {
  if (behind.length === 0) return noNode();
  const message = `${ready.length} of ${behind.length} nodes are ready`;
  return ready.length > 0
    ? { type: 'Ready', status: 'True', reason: NODE_REASONS.ready, message }
    : { type: 'Ready', status: 'False', reason: NODE_REASONS.noReadyNode, message };
}

function noNode(): MemberNodeCondition {
  return {
    type: 'Ready',
    status: 'False',
    reason: NODE_REASONS.noNode,
    message: 'no node of the member stands behind',
  };
}

function aggregatedPressure(type: PressureType, sources: readonly MemberNode[]): MemberNodeCondition {
  const pressed = sources.map((node) => condition(node, type)).filter((found) => found?.status === 'True');
  const [first] = pressed;
  if (first !== undefined && pressed.length === sources.length) return first;
  return healthy(type);
}

function healthy(type: PressureType): MemberNodeCondition {
  return { type, status: 'False', ...HEALTHY[type] };
}

function condition(node: MemberNode | undefined, type: NodeConditionType): MemberNodeCondition | undefined {
  return node?.conditions.find((candidate) => candidate.type === type);
}

/** When conditions are written. */
export interface ConditionTimes {
  /** RFC 3339. */
  readonly now: string;
  /** Whether heartbeats are to be renewed although nothing changed, as a kubelet does every five minutes. */
  readonly heartbeatDue: boolean;
}

/**
 * The conditions that have to be written; none when all is as wanted and no heartbeat is due. A transition time moves
 * only when the status changes. Conditions of other types are never touched.
 */
export function conditionsToWrite(
  actual: readonly NodeCondition[],
  wanted: readonly MemberNodeCondition[],
  times: ConditionTimes,
): readonly NodeCondition[] {
  return wanted.flatMap((next) => {
    const present = actual.find(({ type }) => type === next.type);
    if (present !== undefined && isSame(present, next) && !times.heartbeatDue) return [];
    const lastTransitionTime = present?.status === next.status ? (present.lastTransitionTime ?? times.now) : times.now;
    return [{ ...next, lastHeartbeatTime: times.now, lastTransitionTime }];
  });
}

function isSame(present: NodeCondition, next: MemberNodeCondition): boolean {
  return (
    present.status === next.status && (present.reason ?? '') === next.reason && (present.message ?? '') === next.message
  );
}
