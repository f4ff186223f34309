import type { Claim, KubeObject } from '../../apis/core.js';
import {
  CLUSTER_OWNERS_ANNOTATION,
  MEMBER_CLUSTER_ANNOTATION,
  MEMBER_CSI_DRIVER,
  ONE_WAY_ANNOTATION,
} from '../../apis/names.js';
import { isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { claims, objectKey, splitKey, volumes } from '../../kube/resource.js';
import { deleteByUid } from './drain.js';
import type { Member } from './member.js';
import { hostUidOf, isOwned, ownedSelector } from './ownership.js';

/** What a Cluster that leaves has of volumes. */
export interface ClaimRemains {
  /** About to go. */
  readonly going: readonly string[];
  /** Data that somebody in the host still has a claim to: it stays in the member, for when that joins again. */
  readonly kept: readonly string[];
}

/**
 * Removes one-way copies of claims and volumes from a member, and tells what else is there. Claims that the host no
 * longer has are the storage feature's to remove, which knows what becomes of their data.
 */
export async function leaveClaims(member: Member, host: KubeClient, signal: AbortSignal): Promise<ClaimRemains> {
  const selector = { labelSelector: ownedSelector(member.ownership), signal };
  const isOurs = (object: KubeObject): boolean => isOwned(object, member.ownership);
  const ours = (await member.client.list(claims, selector)).items.filter(isOurs);
  const copies = [
    ...ours.filter(isCopy).map((object) => ({ type: claims, object })),
    ...(await member.client.list(volumes, selector)).items.filter(isOurs).map((object) => ({ type: volumes, object })),
  ];
  await Promise.all(copies.map(({ type, object }) => deleteByUid(member.client, type, object, signal)));
  const going = copies.map(({ type, object }) => `${type.kind} ${objectKey(object)}`);
  const kept: string[] = [];
  for (const claim of ours.filter((object) => !isCopy(object))) {
    const isWanted = await hasHostClaim(host, claim, signal);
    (isWanted ? kept : going).push(`${claims.kind} ${objectKey(claim)}${isWanted ? ' with its data' : ''}`);
  }
  return { going: [...going, ...(await recordsOf(member.config.name, host, signal))], kept };
}

function isCopy({ metadata }: KubeObject): boolean {
  return metadata?.annotations?.[ONE_WAY_ANNOTATION] === 'true';
}

async function hasHostClaim(host: KubeClient, memberClaim: Claim, signal: AbortSignal): Promise<boolean> {
  if (memberClaim.metadata?.deletionTimestamp !== undefined) return false;
  try {
    const hostClaim = await host.get(claims, splitKey(objectKey(memberClaim)), { signal });
    return hostClaim.metadata?.uid === hostUidOf(memberClaim);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Volumes of the host that no other member may use while this one is on record as using them. */
async function recordsOf(cluster: string, host: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await host.list(volumes, { signal });
  const isHeld = items.filter(({ metadata, spec }) => {
    const { [CLUSTER_OWNERS_ANNOTATION]: owners = '', [MEMBER_CLUSTER_ANNOTATION]: adopted } =
      metadata?.annotations ?? {};
    const standsForMembers = spec?.csi?.driver === MEMBER_CSI_DRIVER || adopted !== undefined;
    return !standsForMembers && owners.split(',').includes(cluster);
  });
  return isHeld.map((volume) => `the use of ${volumes.kind} ${objectKey(volume)}`);
}
