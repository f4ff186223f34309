import type { Claim, ClaimCondition, PersistentVolume } from '../../apis/core.js';
import { MEMBER_VOLUME_ANNOTATION } from '../../apis/names.js';
import { definedOnly } from '../../lib/merge-patch.js';
import { sameJson } from '../../lib/same-json.js';
import { boundUidOf, claimSizeOf, nameOf, policyOf, sizeOf, uidOf } from './fields.js';
import { initialPolicy, memberVolumeName } from './host-volume.js';
import { sameQuantity } from './member-claim.js';

/** Conditions by which a resizer or modifier tells how far it is; all others are the host's own. */
const MEMBER_CONDITIONS: ReadonlySet<string> = new Set([
  ...['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError'],
  ...['ModifyingVolume', 'ModifyVolumeError'],
]);
/** Kinds of status that a host may be too old for: alone they are no reason for a patch, which would never end. */
const OPTIONAL_FIELDS = [
  ...(['allocatedResources', 'allocatedResourceStatuses', 'currentVolumeAttributesClassName'] as const),
  'modifyVolumeStatus',
] as const;

/** The member's volume, when it is bound to this very claim. */
export function boundVolume(
  memberClaim: Claim | undefined,
  memberVolume: PersistentVolume | undefined,
): PersistentVolume | undefined {
  const uid = memberClaim?.metadata?.uid;
  if (uid === undefined || memberClaim?.status?.phase !== 'Bound') return undefined;
  return boundUidOf(memberVolume) === uid ? memberVolume : undefined;
}

/** The reclaim policy that both sides should have; the host's, once both have agreed for the first time. */
export function wantedPolicy(hostVolume: PersistentVolume, memberVolume: PersistentVolume | undefined): string {
  const hostPolicy = policyOf(hostVolume);
  return memberVolumeName(hostVolume) === undefined
    ? initialPolicy(hostPolicy, memberVolume)
    : (hostPolicy ?? 'Delete');
}

/**
 * The merge patch that fills in the host's volume from the member's: name, size, access modes, and once the reclaim
 * policy. Undefined when there is nothing to do.
 */
export function hostVolumePatch(hostVolume: PersistentVolume, memberVolume: PersistentVolume): object | undefined {
  const name = nameOf(memberVolume);
  const spec = hostSpecPatch(hostVolume, memberVolume);
  const isNamed = memberVolumeName(hostVolume) === name;
  if (isNamed && spec === undefined) return undefined;
  const annotations = isNamed ? {} : { annotations: { [MEMBER_VOLUME_ANNOTATION]: name } };
  return { metadata: { uid: uidOf(hostVolume), ...annotations }, ...(spec && { spec }) };
}

function hostSpecPatch(hostVolume: PersistentVolume, memberVolume: PersistentVolume): object | undefined {
  const size = sizeOf(memberVolume);
  const modes = memberVolume.spec?.accessModes;
  const policy = wantedPolicy(hostVolume, memberVolume);
  return definedOnly({
    capacity: size === undefined || sameQuantity(size, sizeOf(hostVolume)) ? undefined : { storage: size },
    accessModes: sameJson(modes, hostVolume.spec?.accessModes) ? undefined : modes,
    persistentVolumeReclaimPolicy: policyOf(hostVolume) === policy ? undefined : policy,
  });
}

/** The merge patch that gives the member's volume the wanted reclaim policy; undefined when it has it. */
export function policyPatch(memberVolume: PersistentVolume, policy: string): object | undefined {
  if (policyOf(memberVolume) === policy) return undefined;
  return { metadata: { uid: uidOf(memberVolume) }, spec: { persistentVolumeReclaimPolicy: policy } };
}

/**
 * The merge patch that brings size and progress of the member's claim into the host claim's status. Undefined when
 * there is nothing to do, and until both are bound: then the host's own controller writes the first status.
 */
export function hostStatusPatch(hostClaim: Claim, memberClaim: Claim): object | undefined {
  const host = hostClaim.status ?? {};
  const member = memberClaim.status ?? {};
  if (host.phase !== 'Bound' || member.phase !== 'Bound') return undefined;
  const required = definedOnly({
    capacity: sizePatch(claimSizeOf(hostClaim), claimSizeOf(memberClaim)),
    conditions: conditionsPatch(host.conditions, member.conditions),
  });
  const optional = OPTIONAL_FIELDS.filter((field) => !sameJson(host[field], member[field]));
  const isSeen = optional.some((field) => host[field] !== undefined) || (optional.length > 0 && hasProgress(member));
  if (required === undefined && !isSeen) return undefined;
  const others = Object.fromEntries(optional.map((field) => [field, member[field] ?? null]));
  return { metadata: { uid: uidOf(hostClaim) }, status: { ...required, ...others } };
}

function sizePatch(host: string | undefined, member: string | undefined): object | undefined {
  return member === undefined || sameQuantity(host, member) ? undefined : { storage: member };
}

/** A resize is under way whose first sign may be in fields that the host lacks. */
function hasProgress({ allocatedResourceStatuses, modifyVolumeStatus }: NonNullable<Claim['status']>): boolean {
  return Object.keys(allocatedResourceStatuses ?? {}).length > 0 || modifyVolumeStatus !== undefined;
}

function conditionsPatch(
  host: readonly ClaimCondition[] = [],
  member: readonly ClaimCondition[] = [],
): readonly ClaimCondition[] | undefined {
  const own = host.filter(({ type }) => !MEMBER_CONDITIONS.has(type));
  const wanted = [...own, ...member.filter(({ type }) => MEMBER_CONDITIONS.has(type))];
  return sameJson(wanted, host) ? undefined : wanted;
}
