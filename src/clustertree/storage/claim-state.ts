import type { Claim, PersistentVolume, StorageClass } from '../../apis/core.js';
import { MEMBER_PROVISIONER, ONE_WAY_ANNOTATION, SELECTED_NODE_ANNOTATION } from '../../apis/names.js';
import { hostUidOf, isOwned, type Ownership } from '../cluster/ownership.js';
import { annotationOf, boundUidOf, nameOf, uidOf } from './fields.js';
import { siteOf } from './host-volume.js';
import type { ClassService } from './served-class.js';

/** What is known of a StorageClass of the member. */
export type MemberClass = Pick<StorageClass, 'volumeBindingMode'>;

/** All that a reconcile of one claim name in one member knows. */
export interface ClaimState {
  readonly ownership: Ownership;
  readonly hostClaim?: Claim | undefined;
  /** The volume that the host claim is bound to. */
  readonly hostVolume?: PersistentVolume | undefined;
  readonly hostClass?: StorageClass | undefined;
  /** The volume that was made in the host for this claim, bound or not. */
  readonly madeVolume?: PersistentVolume | undefined;
  /** The host volume of the claim that `memberClaim` was made for; that claim may be an earlier one of the name. */
  readonly lastVolume?: PersistentVolume | undefined;
  /** The one-way volume for a claim of this name that this Cluster is on record as using. */
  readonly heldVolume?: PersistentVolume | undefined;
  readonly memberClaim?: Claim | undefined;
  /**
   * The volume of the member claim; without one, that on record in the host's volume, or a one-way copy for this claim.
   */
  readonly memberVolume?: PersistentVolume | undefined;
  /** Who makes the volumes of `hostClass`. */
  readonly service: ClassService;
  /** Name in the member of the claim's class. */
  readonly memberClassName: string;
  /** That class, when the member has it. */
  readonly memberClass?: MemberClass | undefined;
  /** Where the source of a clone is: the host volume of the claim that `dataSource` names. */
  readonly sourceVolume?: PersistentVolume | undefined;
  /** The cache of that side is complete and its connection stands. */
  readonly hostSynced: boolean;
  readonly memberSynced: boolean;
  /** `hostClaim` (or its absence) was read from the API server in this very reconcile. */
  readonly hostLive?: boolean | undefined;
  /** Likewise `memberVolume`. */
  readonly memberLive?: boolean | undefined;
  /** Whether a node is one of the Cluster's virtual nodes. */
  readonly isOurNode: (node: string) => boolean;
  /** Nothing new is made in the member any more. */
  readonly leaving: boolean;
  /** A pod of the host on one of them uses the claim. */
  readonly used: boolean;
}

/** What a claim is to one member. */
export type Placement =
  /** Its volume is in the member. */
  | { readonly kind: 'here'; readonly volume: PersistentVolume }
  /** Its volume is in the host, and the member can reach it. */
  | { readonly kind: 'one-way'; readonly volume: PersistentVolume }
  /** The member is to make its volume, for pods on this virtual node. */
  | { readonly kind: 'chosen'; readonly node: string }
  /** Bound to a volume that is not known (yet), so nothing can be said. */
  | { readonly kind: 'unknown' }
  /** The scheduler has not chosen a node yet, or another one; or somebody else makes its volume. */
  | { readonly kind: 'unbound' }
  /** Its volume is where the member can't reach it. */
  | { readonly kind: 'elsewhere'; readonly reason: string; readonly message: string };

/** What a host claim is to the member. */
export function placementOf(state: ClaimState, hostClaim: Claim): Placement {
  if (hostClaim.spec?.volumeName) return boundPlacement(state, hostClaim);
  const node = annotationOf(hostClaim, SELECTED_NODE_ANNOTATION);
  if (node === undefined || !state.isOurNode(node) || state.service.kind === 'other') return { kind: 'unbound' };
  return { kind: 'chosen', node };
}

function boundPlacement(state: ClaimState, hostClaim: Claim): Placement {
  const { hostVolume: volume, hostClass, ownership } = state;
  const { clusterName: cluster } = ownership;
  // A volume may name the claim before the claim names it, not the other way round.
  if (volume === undefined || boundUidOf(volume) !== uidOf(hostClaim)) return { kind: 'unknown' };
  const site = siteOf(volume, hostClass);
  switch (site.kind) {
    case 'member':
      if (site.cluster === cluster) return { kind: 'here', volume };
      return { kind: 'elsewhere', ...inOtherCluster(hostClaim, site.cluster, cluster) };
    case 'one-way':
      if (site.reaches(cluster)) return { kind: 'one-way', volume };
      return { kind: 'elsewhere', ...outOfReach(hostClaim, cluster) };
    case 'host':
      return { kind: 'elsewhere', ...onlyInHost(hostClaim, volume, site.driver, cluster) };
  }
}

/** Why a pod can't have a claim. */
interface Why {
  readonly reason: string;
  readonly message: string;
}

function inOtherCluster(hostClaim: Claim, cluster: string, wanted: string): Why {
  const message =
    `Claim ${nameOf(hostClaim)} is stored in member cluster ${cluster}, and the pod is bound to ${wanted}. Run the pod ` +
    'there, or use another claim.';
  return { reason: 'VolumeInOtherCluster', message };
}

function outOfReach(hostClaim: Claim, cluster: string): Why {
  const message =
    `Claim ${nameOf(hostClaim)} is stored in the host, and ${cluster} is not among the member clusters that its ` +
    'StorageClass or volume says can reach it.';
  return { reason: 'VolumeNotReachable', message };
}

function onlyInHost(hostClaim: Claim, volume: PersistentVolume, driver: string, cluster: string): Why {
  const message =
    `Claim ${nameOf(hostClaim)} is bound to volume ${nameOf(volume)} (${driver}) of the host, which member cluster ` +
    `${cluster} does not have. Use a StorageClass with provisioner ${MEMBER_PROVISIONER}, or keep the pod on nodes of ` +
    `the host. If members can reach this storage, say so with the annotation ${ONE_WAY_ANNOTATION}.`;
  return { reason: 'VolumeNotReachable', message };
}

/** The member claim when it is ours, whichever host claim it was made for. */
export function ownClaim({ memberClaim, ownership }: ClaimState): Claim | undefined {
  return memberClaim && isOwned(memberClaim, ownership) ? memberClaim : undefined;
}

/** The member claim when it was made for this very host claim. */
export function copyOf(state: ClaimState, hostClaim: Claim): Claim | undefined {
  const claim = ownClaim(state);
  return claim && hostUidOf(claim) === uidOf(hostClaim) ? claim : undefined;
}
