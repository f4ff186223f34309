import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../apis/core.js';
import { MEMBER_SCHEDULED_CONDITION } from '../../apis/names.js';
import { conditionOf } from './conditions.js';

/** Why a host pod ends without its member pod saying so. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  /** The pod was taken away from its owner, who should replace it and not count it as an error of the program. */
  readonly disruption: boolean;
  /** Wall-clock time in milliseconds. */
  readonly now: number;
}

/** What a kubelet writes about a container that it can't find any more. */
const LOST_CONTAINER = { exitCode: 137, reason: 'ContainerStatusUnknown' } as const;

/** The status of a host pod that has failed: no container is left running, and nobody sends it traffic. */
export function failedStatus(hostPod: Pod, failure: Failure): PodStatus {
  const status = hostPod.status ?? {};
  const time = `${new Date(failure.now).toISOString().slice(0, 19)}Z`;
  const end = (statuses: PodStatus['containerStatuses']): PodStatus['containerStatuses'] =>
    statuses?.map((container) => endContainer(container, failure.message, time));
  return {
    ...status,
    phase: 'Failed',
    reason: failure.reason,
    message: failure.message,
    conditions: failedConditions(hostPod, failure, time),
    containerStatuses: end(status.containerStatuses),
    initContainerStatuses: end(status.initContainerStatuses),
    ephemeralContainerStatuses: end(status.ephemeralContainerStatuses),
  };
}

function endContainer(status: ContainerStatus, message: string, finishedAt: string): ContainerStatus {
  if (status.state?.terminated) return status;
  const { containerID } = status;
  const startedAt = status.state?.running?.startedAt;
  const terminated = {
    ...LOST_CONTAINER,
    message,
    finishedAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(containerID !== undefined && { containerID }),
  };
  return { ...status, ready: false, started: false, state: { terminated } };
}

function failedConditions(hostPod: Pod, failure: Failure, time: string): readonly PodCondition[] {
  const failed = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', reason: 'PodFailed' }));
  const disruption = { type: 'DisruptionTarget', status: 'True', reason: failure.reason, message: failure.message };
  const wanted: readonly PodCondition[] = failure.disruption ? [...failed, disruption] : failed;
  const types = new Set([MEMBER_SCHEDULED_CONDITION, ...wanted.map(({ type }) => type)]);
  const others = (hostPod.status?.conditions ?? []).filter(({ type }) => !types.has(type));
  return [...others, ...wanted.map((condition) => stamp(condition, conditionOf(hostPod, condition.type), time))];
}

function stamp(condition: PodCondition, old: PodCondition | undefined, time: string): PodCondition {
  const isSame = old?.status === condition.status;
  return {
    ...condition,
    lastTransitionTime: isSame ? (old.lastTransitionTime ?? time) : time,
    ...(old?.observedGeneration !== undefined && { observedGeneration: old.observedGeneration }),
  };
}
