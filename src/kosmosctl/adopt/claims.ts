import type { Claim, PersistentVolume } from '../../apis/core.js';
import {
  CLUSTER_LABEL,
  CLUSTER_OWNERS_ANNOTATION,
  FORMER_COPY_ANNOTATION,
  HOSTNAME_LABEL,
  MEMBER_CLUSTER_ANNOTATION,
  MEMBER_PROVISIONER,
  MEMBER_VOLUME_ANNOTATION,
  PROVISIONED_BY_ANNOTATION,
} from '../../apis/names.js';
import { isLabelled, type Ownership } from '../../clustertree/cluster/ownership.js';
import { boundUidOf, isDeleting, nameOf, policyOf, uidOf } from '../../clustertree/storage/fields.js';
import { nodeOf, ownersOf, siteOf } from '../../clustertree/storage/host-volume.js';
import { desiredMemberClaim } from '../../clustertree/storage/member-claim.js';
import { claims, volumes } from '../../kube/resource.js';
import { ADOPTED, marked, otherOwner, problem, stays, type Change, type Judgement } from './judgement.js';

/** A claim on both sides, with its volumes. */
export interface ClaimPair {
  readonly hostClaim: Claim | undefined;
  readonly hostVolume: PersistentVolume | undefined;
  readonly memberClaim: Claim;
  readonly memberVolume: PersistentVolume | undefined;
  /** Names of the Cluster's virtual nodes. */
  readonly virtualNodes: readonly string[];
}

/** Protects volumes that are in use, in every cluster. */
const PROTECTION_FINALIZER = 'kubernetes.io/pv-protection';

/** What becomes of a claim and its volume; undefined when they are nobody's business. */
export function judgeClaim(pair: ClaimPair, ownership: Ownership): Judgement | undefined {
  const { hostClaim, memberClaim } = pair;
  if (isLabelled(memberClaim, ownership)) return ADOPTED;
  if (memberClaim.metadata?.annotations?.[FORMER_COPY_ANNOTATION] !== 'true') return undefined;
  const other = otherOwner(memberClaim, ownership);
  if (other !== undefined) return stays(`belongs to ${other}`);
  if (hostClaim === undefined) return stays('the host has no such claim; it stays with its data');
  if (isDeleting(hostClaim) || isDeleting(memberClaim)) return stays('is being deleted');
  const why = volumeProblem(pair, hostClaim, ownership);
  if (why !== undefined) return problem(`${why}; pods that run keep it, new ones can't have it`);
  return { kind: 'adopt', changes: changesOf(pair, hostClaim, ownership) };
}

/** Why the volume of the host can't stand for that of the member. */
function volumeProblem(pair: ClaimPair, hostClaim: Claim, { clusterName }: Ownership): string | undefined {
  const { hostVolume, memberClaim, memberVolume, virtualNodes } = pair;
  if (memberVolume === undefined || boundUidOf(memberVolume) !== uidOf(memberClaim))
    return 'is not bound in the member';
  if (hostVolume === undefined || boundUidOf(hostVolume) !== uidOf(hostClaim)) return 'is not bound in the host';
  const isPair = nameOf(hostVolume) === nameOf(memberVolume) && ownersOf(hostVolume).includes(clusterName);
  if (!isPair) return `is bound to volume ${nameOf(hostVolume)} in the host, which is not that of the member`;
  const site = siteOf(hostVolume, undefined);
  if (site.kind === 'member' && site.cluster !== clusterName) return `is stored in member ${site.cluster}`;
  const node = nodeOf(hostVolume);
  if (node === undefined || virtualNodes.includes(node)) return undefined;
  return `has a volume in the host that is pinned to ${node}, which is no virtual node of ${clusterName}`;
}

/** The volume first: a claim of ours whose volume is not in the member would be taken away with its data. */
function changesOf(pair: ClaimPair, hostClaim: Claim, ownership: Ownership): readonly Change[] {
  const { hostVolume, memberClaim, memberVolume } = pair;
  const policy = keptPolicy(hostVolume, memberVolume) ?? policyOf(hostVolume);
  const { metadata = {} } = desiredMemberClaim({ hostClaim, ownership, memberClass: '', policy });
  return [
    {
      ...{ where: 'host', type: volumes, ref: { name: nameOf(hostVolume) }, how: 'merge' },
      body: volumePatch(pair, ownership),
    },
    marked(claims, memberClaim, metadata),
  ];
}

/**
 * Says where the data is, and keeps provisioners of the host off it, which might know the volume by the name of one of
 * theirs. Of both reclaim policies the one that keeps data wins, as for all volumes when they are seen for the first time.
 */
function volumePatch({ hostVolume, memberVolume, virtualNodes }: ClaimPair, { clusterName }: Ownership): object {
  const { uid, resourceVersion, finalizers = [] } = hostVolume?.metadata ?? {};
  const policy = keptPolicy(hostVolume, memberVolume);
  const [node, ...others] = virtualNodes;
  const isFree = hostVolume?.spec?.nodeAffinity === undefined && others.length === 0;
  const expression = { key: HOSTNAME_LABEL, operator: 'In', values: [node] };
  const spec = {
    ...(policy !== undefined && { persistentVolumeReclaimPolicy: policy }),
    ...(isFree && { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } } }),
  };
  return {
    metadata: {
      ...{ uid, resourceVersion },
      labels: { [CLUSTER_LABEL]: clusterName },
      annotations: {
        [MEMBER_CLUSTER_ANNOTATION]: clusterName,
        [MEMBER_VOLUME_ANNOTATION]: nameOf(memberVolume),
        [PROVISIONED_BY_ANNOTATION]: MEMBER_PROVISIONER,
        [CLUSTER_OWNERS_ANNOTATION]: clusterName,
      },
      finalizers: finalizers.filter((finalizer) => finalizer === PROTECTION_FINALIZER),
    },
    ...(Object.keys(spec).length > 0 && { spec }),
  };
}

/** What the host's volume has to get, that it doesn't have. */
function keptPolicy(
  hostVolume: PersistentVolume | undefined,
  memberVolume: PersistentVolume | undefined,
): string | undefined {
  return policyOf(memberVolume) === 'Retain' && policyOf(hostVolume) !== 'Retain' ? 'Retain' : undefined;
}
