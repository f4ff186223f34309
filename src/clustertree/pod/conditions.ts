import type { Pod, PodCondition } from '../../apis/core.js';
import { MEMBER_SCHEDULED_CONDITION } from '../../apis/names.js';

/** Conditions that a kubelet sets, and removes when they don't apply; their presence follows the member pod. */
const KUBELET_TYPES = new Set([
  'Initialized',
  'ContainersReady',
  'Ready',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);
/** Set in the host by its own scheduler and controllers. */
const SCHEDULED = 'PodScheduled';
/** Set on either side: by the host's eviction, or by the member's kubelet, eviction and preemption. */
const DISRUPTION = 'DisruptionTarget';

/** How generations of the member pod map to the host pod. */
export interface ConditionContext {
  /** The member pod reflects the host pod's present generation. */
  readonly inStep: boolean;
}

/**
 * The conditions that the host pod should have. Those of the member's kubelet are mirrored; those of readiness gates,
 * of the host's scheduler and of anybody else in the host stay as they are. Order: the host pod's, then new ones.
 */
export function mergeConditions(hostPod: Pod, memberPod: Pod, context: ConditionContext): readonly PodCondition[] {
  const present = hostPod.status?.conditions ?? [];
  const wanted = new Map(mirrored(hostPod, memberPod).map((condition) => [condition.type, condition]));
  const kept = present.flatMap((old) => {
    const condition = wanted.get(old.type);
    wanted.delete(old.type);
    if (condition) return [settle(condition, old, hostPod, context)];
    return followsMember(old.type) ? [] : [old];
  });
  return [...kept, ...[...wanted.values()].map((condition) => settle(condition, undefined, hostPod, context))];
}

/** Finds a condition by type. */
export function conditionOf(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

function followsMember(type: string): boolean {
  return KUBELET_TYPES.has(type) || type === MEMBER_SCHEDULED_CONDITION;
}

function mirrored(hostPod: Pod, memberPod: Pod): readonly PodCondition[] {
  const gates = new Set(hostPod.spec?.readinessGates?.map((gate) => gate.conditionType));
  const isMirrored = ({ type }: PodCondition): boolean => {
    if (type === 'Ready' || type === SCHEDULED || gates.has(type)) return false;
    if (type === DISRUPTION) return conditionOf(hostPod, DISRUPTION)?.status !== 'True';
    // Kubernetes' own types have no domain; a type with one belongs to somebody's controller in that cluster.
    return !type.includes('/');
  };
  const conditions = (memberPod.status?.conditions ?? []).filter(isMirrored);
  const ready = readyCondition(hostPod, memberPod);
  const scheduled = conditionOf(memberPod, SCHEDULED);
  return [
    ...conditions,
    ...(ready ? [ready] : []),
    ...(scheduled?.status === 'False' ? [{ ...scheduled, type: MEMBER_SCHEDULED_CONDITION }] : []),
  ];
}

/**
 * The member's own answer (its node controller may have said no while the containers are fine), and then the readiness
 * gates, which only the host knows. Reasons and messages are those of a kubelet.
 */
function readyCondition(hostPod: Pod, memberPod: Pod): PodCondition | undefined {
  const base = conditionOf(memberPod, 'Ready') ?? conditionOf(memberPod, 'ContainersReady');
  const gates = hostPod.spec?.readinessGates ?? [];
  if (!base || base.status !== 'True' || gates.length === 0) return base && { ...base, type: 'Ready' };
  const found = gates.map(({ conditionType: type }) => ({ type, condition: conditionOf(hostPod, type) }));
  const messages = found.flatMap(({ type, condition }) => {
    if (!condition) return [`corresponding condition of pod readiness gate "${type}" does not exist.`];
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${type}" is not "True", but ${condition.status}`];
  });
  const times = [base, ...found.map(({ condition }) => condition)].map((condition) => condition?.lastTransitionTime);
  const lastTransitionTime = times
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  const ready: PodCondition = { ...base, type: 'Ready', lastTransitionTime };
  if (messages.length === 0) return ready;
  return { ...ready, status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/** Keeps the time of the last transition while the status stays, and says which generation of the host pod is meant. */
function settle(
  condition: PodCondition,
  old: PodCondition | undefined,
  hostPod: Pod,
  context: ConditionContext,
): PodCondition {
  const isSame = old?.status === condition.status;
  const observed = context.inStep ? hostPod.metadata?.generation : old?.observedGeneration;
  return {
    type: condition.type,
    status: condition.status,
    ...(condition.reason && { reason: condition.reason }),
    ...(condition.message && { message: condition.message }),
    lastTransitionTime: isSame
      ? (old.lastTransitionTime ?? condition.lastTransitionTime)
      : condition.lastTransitionTime,
    ...(observed !== undefined && { observedGeneration: observed }),
  };
}
