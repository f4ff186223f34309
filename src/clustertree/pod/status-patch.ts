import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../apis/core.js';
import { MEMBER_UID_ANNOTATION } from '../../apis/names.js';
import { sameJson } from '../../lib/same-json.js';

export interface StatusPatchExtra {
  /** Written into the host pod's annotation when that has none yet. */
  readonly memberUid?: string | undefined;
}

/** Replaced as one by a strategic merge patch, or plain values. */
const PLAIN = [
  'phase',
  'reason',
  'message',
  'hostIP',
  'podIP',
  'startTime',
  'containerStatuses',
  'initContainerStatuses',
  'ephemeralContainerStatuses',
  'resize',
  'observedGeneration',
] as const;
/** Lists that a strategic merge patch would merge by address. */
const ADDRESS_LISTS = ['hostIPs', 'podIPs'] as const;
/** Objects whose keys a merge patch would merge. */
const OBJECTS = ['resources', 'allocatedResources'] as const;

/**
 * Fields that an API server drops when they are newer than itself or their feature is off. When the host has none of
 * such a field, it alone is no reason for a patch: that would be sent for ever.
 */
const MAY_BE_DROPPED = new Set<string>(['hostIPs', 'resize', 'observedGeneration', ...OBJECTS]);
/** Every other field of a container status may be dropped likewise. */
const LASTING = ['name', 'state', 'lastState', 'ready', 'restartCount', 'image', 'imageID', 'containerID', 'started'];

type Fields = Record<string, unknown>;

/**
 * The strategic merge patch for `pods/status` that makes `wanted` of the host pod's status; undefined when there is no
 * difference. The patch names the host pod's UID, so that it fails for another pod of that name.
 */
export function statusPatch(hostPod: Pod, wanted: PodStatus, extra: StatusPatchExtra = {}): object | undefined {
  const present = hostPod.status ?? {};
  const status = diffFields(present, wanted);
  const isUnmarked = extra.memberUid !== undefined && !hostPod.metadata?.annotations?.[MEMBER_UID_ANNOTATION];
  if (!isUnmarked && !isWorthIt(present, wanted, status)) return undefined;
  const annotations = isUnmarked && { annotations: { [MEMBER_UID_ANNOTATION]: extra.memberUid } };
  return {
    metadata: { uid: hostPod.metadata?.uid, ...annotations },
    ...(Object.keys(status).length > 0 && { status }),
  };
}

function diffFields(present: PodStatus, wanted: PodStatus): Fields {
  const status: Fields = {};
  const put = (field: keyof PodStatus, patch: unknown): void => {
    if (sameJson(present[field], wanted[field])) return;
    status[field] = wanted[field] === undefined ? null : patch;
  };
  for (const field of PLAIN) put(field, wanted[field]);
  for (const field of ADDRESS_LISTS) put(field, [...(wanted[field] ?? []), { $patch: 'replace' }]);
  for (const field of OBJECTS) put(field, { ...wanted[field], $patch: 'replace' });
  const conditions = diffConditions(present.conditions ?? [], wanted.conditions ?? []);
  return conditions.length > 0 ? { ...status, conditions } : status;
}

function diffConditions(present: readonly PodCondition[], wanted: readonly PodCondition[]): object[] {
  const changed = wanted.flatMap((condition) => {
    const old = present.find(({ type }) => type === condition.type);
    if (old && sameCondition(old, condition)) return [];
    return [{ ...(old?.reason && { reason: null }), ...(old?.message && { message: null }), ...condition }];
  });
  const vanished = present.filter((old) => !wanted.some(({ type }) => type === old.type));
  return [...changed, ...vanished.map(({ type }) => ({ $patch: 'delete', type }))];
}

function sameCondition(left: PodCondition, right: PodCondition): boolean {
  return sameJson({ ...left, lastProbeTime: undefined }, { ...right, lastProbeTime: undefined });
}

/** False when all that differs is what the host's API server seems to drop. */
function isWorthIt(present: PodStatus, wanted: PodStatus, status: Fields): boolean {
  return Object.keys(status).some((field) => {
    if (field === 'conditions') {
      return diffConditions(lastingConditions(present, present), lastingConditions(wanted, present)).length > 0;
    }
    if (MAY_BE_DROPPED.has(field)) return present[field as keyof PodStatus] !== undefined;
    if (!field.endsWith('Statuses')) return true;
    const list = field as 'containerStatuses';
    return !sameJson(present[list], lastingStatuses(wanted[list], present[list]));
  });
}

/** Without the generations that the host's own conditions don't have. */
function lastingConditions(status: PodStatus, present: PodStatus): readonly PodCondition[] {
  const known = new Map(present.conditions?.map((condition) => [condition.type, condition]));
  return (status.conditions ?? []).map((condition) => {
    const hasGeneration = known.get(condition.type)?.observedGeneration !== undefined;
    return hasGeneration ? condition : { ...condition, observedGeneration: undefined };
  });
}

/** Without the newer fields that the host's own status of the container doesn't have. */
function lastingStatuses(
  wanted: readonly ContainerStatus[] | undefined,
  present: readonly ContainerStatus[] | undefined,
): readonly object[] | undefined {
  return wanted?.map((status, index) => {
    const old: Fields = { ...present?.[index] };
    const lasting = ([key]: [string, unknown]): boolean => LASTING.includes(key) || old[key] !== undefined;
    return Object.fromEntries(Object.entries(status).filter(lasting));
  });
}
