import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { KubeObject } from '../../apis/core.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { clusterNodes, nodeConfigs } from '../../kube/kosmos-resources.js';
import { ipPools } from '../../kube/network-resources.js';
import { objectKey, type ResourceType } from '../../kube/resource.js';
import type { LinkMember } from './link-member.js';
import { isOwnPool } from './own-pools.js';

/** What of ClusterLink is left of a cluster that leaves; undefined when nothing is. */
export type LinkRemains = string | undefined;

/**
 * Takes away what ClusterLink made in a cluster: the NodeConfigs, whose end makes the agents clean up the kernel, and
 * Calico's pools. Call it again until nothing is left.
 */
export async function cleanLinkedCluster(
  member: Pick<LinkMember, 'client' | 'nodeConfigs' | 'network'>,
  signal: AbortSignal,
): Promise<LinkRemains> {
  const configs = member.nodeConfigs.store.list();
  const pools = member.network.facts.ipPools.objects.filter(isOwnPool);
  await Promise.all([
    ...configs.map((config) => deleteExactly(member.client, nodeConfigs, config, signal)),
    ...pools.map((pool) => deleteExactly(member.client, ipPools, pool, signal)),
  ]);
  const [first, ...others] = [...configs.map(named('NodeConfig')), ...pools.map(named('IPPool'))];
  return first === undefined ? undefined : `${first}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

/** Takes the nodes of a cluster out of the host. */
export async function removeClusterNodes(
  host: Pick<KubeClient, 'delete'>,
  nodes: readonly ClusterNode[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(nodes.map((node) => deleteExactly(host, clusterNodes, node, signal)));
}

/** Deletes this very object; one that is gone, or another one by now, is none of ours. */
export async function deleteExactly<T extends KubeObject>(
  client: Pick<KubeClient, 'delete'>,
  type: ResourceType<T>,
  { metadata }: T,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.delete(type, { name: metadata?.name ?? '' }, { preconditions: { uid: metadata?.uid }, signal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

function named(kind: string): (object: KubeObject) => string {
  return (object) => `${kind} ${objectKey(object)}`;
}
