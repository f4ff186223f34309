import type { Node, Pod } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { nodes, pods } from '../../kube/resource.js';

/** Resolves to undefined when the object is gone already or was replaced by another of its name. */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return undefined;
    throw error;
  }
}

/** Keeps new pods off a virtual node that is about to go. */
export async function cordon(client: KubeClient, node: Node): Promise<void> {
  if (node.spec?.unschedulable === true) return;
  const patch = { metadata: { uid: node.metadata?.uid }, spec: { unschedulable: true } };
  const ref = { name: node.metadata?.name ?? '' };
  await unlessGone(client.patch(nodes, ref, patch, { type: 'merge', fieldManager: FIELD_MANAGER }));
}

/** Deletes one pod, by UID. `force` is for pods whose member can't be asked any more. */
export async function deletePod(client: KubeClient, pod: Pod, force: boolean): Promise<void> {
  if (pod.metadata?.deletionTimestamp !== undefined && !force) return;
  const ref = { namespace: pod.metadata?.namespace, name: pod.metadata?.name ?? '' };
  const preconditions = { uid: pod.metadata?.uid };
  await unlessGone(client.delete(pods, ref, force ? { preconditions, gracePeriodSeconds: 0 } : { preconditions }));
}

/** Deletes one virtual node, by UID. Its lease goes with it, through its owner reference. */
export async function deleteNode(client: KubeClient, node: Node): Promise<void> {
  const preconditions = { uid: node.metadata?.uid };
  await unlessGone(client.delete(nodes, { name: node.metadata?.name ?? '' }, { preconditions }));
}

/**
 * One step of emptying virtual nodes: cordons them and deletes their pods the ordinary way, so that each pod gets its
 * grace period in the member. Returns how many pods are left; call it again until that is 0.
 */
export async function drainStep(
  client: KubeClient,
  virtualNodes: readonly Node[],
  podsOnThem: readonly Pod[],
  force: boolean,
): Promise<number> {
  for (const node of virtualNodes) await cordon(client, node);
  await Promise.all(podsOnThem.map((pod) => deletePod(client, pod, force)));
  return podsOnThem.length;
}
