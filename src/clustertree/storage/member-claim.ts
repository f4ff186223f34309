import type { Claim } from '../../apis/core.js';
import { HOST_UID_ANNOTATION, RECLAIM_POLICY_ANNOTATION, SELECTED_NODE_ANNOTATION } from '../../apis/names.js';
import { definedOnly, diffMap } from '../../lib/merge-patch.js';
import { compareQuantity, parseQuantity } from '../../lib/quantity.js';
import { ownedKeys } from '../cluster/owned-keys.js';
import { ownershipLabels, type Ownership } from '../cluster/ownership.js';
import { requestOf } from './fields.js';

type Texts = Readonly<Record<string, string>>;

/** Annotations with which the host's own controllers talk to each other, and those that Kosmos gives a meaning. */
const HOST_PREFIXES = [
  ...['pv.kubernetes.io/', 'volume.kubernetes.io/', 'volume.beta.kubernetes.io/', 'kubectl.kubernetes.io/last-applied'],
  ...['kosmos.io/', 'kosmos-io/'],
];

/** What a claim in a member is made from. */
export interface MemberClaimInput {
  readonly hostClaim: Claim;
  readonly ownership: Ownership;
  /** Name of the member's class; empty for a volume without class. */
  readonly memberClass: string;
  /** Reclaim policy of the host's volume, as far as there is one. */
  readonly policy?: string | undefined;
  /** An existing volume of the member to bind to. */
  readonly volumeName?: string | undefined;
  /** The member node of the claim's pods, where they go past the member's scheduler. */
  readonly memberNode?: string | undefined;
  /** More annotations. */
  readonly annotations?: Texts | undefined;
}

/** The claim in the member for a claim of the host. */
export function desiredMemberClaim(input: MemberClaimInput): Claim {
  const { hostClaim, ownership, memberClass, volumeName, memberNode } = input;
  const { namespace, name, uid = '', labels, annotations } = hostClaim.metadata ?? {};
  const { accessModes, resources, volumeMode, dataSource, dataSourceRef, volumeAttributesClassName } =
    hostClaim.spec ?? {};
  const made = volumeName === undefined ? { dataSource, dataSourceRef } : { volumeName };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...{ namespace, name },
      labels: { ...withoutHosts(labels), ...ownershipLabels(ownership) },
      annotations: {
        ...withoutHosts(annotations),
        ...input.annotations,
        [HOST_UID_ANNOTATION]: uid,
        ...(input.policy !== undefined && { [RECLAIM_POLICY_ANNOTATION]: input.policy }),
        ...(memberNode !== undefined && volumeName === undefined && { [SELECTED_NODE_ANNOTATION]: memberNode }),
      },
    },
    spec: { accessModes, resources, volumeMode, volumeAttributesClassName, storageClassName: memberClass, ...made },
  };
}

/**
 * The merge patch that carries what may change about a claim to the member: size, attributes class, labels and
 * annotations, and the policy on record. Undefined when there is nothing to do.
 */
export function memberClaimPatch(hostClaim: Claim, memberClaim: Claim, policy: string | undefined): object | undefined {
  const { uid, labels, annotations } = memberClaim.metadata ?? {};
  const owned = ownedKeys(memberClaim);
  const wantedAnnotations = {
    ...withoutHosts(hostClaim.metadata?.annotations),
    ...(policy !== undefined && { [RECLAIM_POLICY_ANNOTATION]: policy }),
  };
  const metadata = {
    labels: diffMap(labels, withoutHosts(hostClaim.metadata?.labels), owned.labels.filter(isUsers)),
    annotations: diffMap(annotations, wantedAnnotations, owned.annotations.filter(isUsers)),
  };
  // API servers let only bound claims grow; this one grows as soon as it is.
  const spec = memberClaim.status?.phase === 'Bound' ? specPatch(hostClaim, memberClaim) : undefined;
  if (metadata.labels === undefined && metadata.annotations === undefined && spec === undefined) return undefined;
  return { metadata: { uid, ...metadata }, ...(spec && { spec }) };
}

function specPatch(hostClaim: Claim, memberClaim: Claim): object | undefined {
  const size = requestOf(hostClaim);
  const attributes = hostClaim.spec?.volumeAttributesClassName;
  const isSameSize = size === undefined || sameQuantity(size, requestOf(memberClaim));
  const isSameClass = attributes === undefined || attributes === memberClaim.spec?.volumeAttributesClassName;
  return definedOnly({
    resources: isSameSize ? undefined : { requests: { storage: size } },
    volumeAttributesClassName: isSameClass ? undefined : attributes,
  });
}

/** Whether both are the same amount, however written. */
export function sameQuantity(left: string | undefined, right: string | undefined): boolean {
  if (left === right) return true;
  if (left === undefined || right === undefined) return false;
  return compareQuantity(parseQuantity(left), parseQuantity(right)) === 0;
}

function isUsers(key: string): boolean {
  return !HOST_PREFIXES.some((prefix) => key.startsWith(prefix));
}

function withoutHosts(texts: Texts | undefined): Texts {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => isUsers(key)));
}
