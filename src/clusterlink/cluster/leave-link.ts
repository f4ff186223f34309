import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import type { NodeConfig } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { KubeObject } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { clusterNodes, nodeConfigs } from '../../kube/kosmos-resources.js';
import { ipPools } from '../../kube/network-resources.js';
import { objectKey, type ResourceType } from '../../kube/resource.js';
import type { LinkMember } from './link-member.js';
import { isOwnPool } from './own-pools.js';
import { withdrawalStep } from './withdrawal.js';

/** What of ClusterLink is left of a cluster that leaves; undefined when nothing is. */
export type LinkRemains = string | undefined;

/**
 * Takes away what ClusterLink made in a cluster: Calico's pools, and the NodeConfigs as soon as their agents have given
 * the network of their nodes back. Call it again until nothing is left.
 *
 * @param isPatient - false: NodeConfigs go at once, and what agents have not taken away stays where they don't run
 */
export async function cleanLinkedCluster(
  member: Pick<LinkMember, 'client' | 'nodes' | 'nodeConfigs' | 'network'>,
  isPatient: boolean,
  signal: AbortSignal,
): Promise<LinkRemains> {
  const configs = member.nodeConfigs.store.list();
  const pools = member.network.facts.ipPools.objects.filter(isOwnPool);
  await Promise.all([
    ...configs.map((config) => withdraw(member, config, isPatient, signal)),
    ...pools.map((pool) => deleteExactly(member.client, ipPools, pool, signal)),
  ]);
  const [first, ...others] = [...configs.map(named('NodeConfig')), ...pools.map(named('IPPool'))];
  return first === undefined ? undefined : `${first}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

async function withdraw(
  { client, nodes }: Pick<LinkMember, 'client' | 'nodes'>,
  config: NodeConfig,
  isPatient: boolean,
  signal: AbortSignal,
): Promise<void> {
  const step = isPatient
    ? withdrawalStep(config, nodes.store.get(config.spec.nodeName ?? ''))
    : ({ kind: 'delete' } as const);
  if (step.kind === 'delete') return deleteExactly(client, nodeConfigs, config, signal);
  if (step.kind === 'wait') return;
  const { name = '', uid } = config.metadata ?? {};
  try {
    const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
    await client.patch(nodeConfigs, { name }, { metadata: { uid }, spec: step.spec }, options);
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
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
