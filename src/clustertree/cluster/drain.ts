import type { KubeObject, Node, Pod } from '../../apis/core.js';
import { FIELD_MANAGER, NODE_MANAGED_ANNOTATION } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { nodes, pods, type ResourceType } from '../../kube/resource.js';
import { readManagedKeys, renderManagedKeys } from './managed-keys.js';

/** Ends quietly when the object is gone already or was replaced by another of its name. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/**
 * Keeps new pods off a virtual node that is about to go. The node says that the cordon is ours, so that it is taken away
 * again when the node stays after all; somebody else's stays theirs.
 */
export async function cordon(client: KubeClient, node: Node, signal: AbortSignal): Promise<void> {
  if (node.spec?.unschedulable === true) return;
  const { name = '', uid, resourceVersion } = node.metadata ?? {};
  const record = renderManagedKeys({ ...readManagedKeys(node), unschedulable: true });
  const metadata = { uid, resourceVersion, annotations: { [NODE_MANAGED_ANNOTATION]: record } };
  const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
  await unlessGone(client.patch(nodes, { name }, { metadata, spec: { unschedulable: true } }, options));
}

/** How pods are deleted. */
export interface PodDeletion {
  /** Without grace, and those too that are being deleted: for pods whose member can't be asked any more. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** Deletes one pod, by UID. */
export async function deletePod(client: KubeClient, pod: Pod, { force, signal }: PodDeletion): Promise<void> {
  if (pod.metadata?.deletionTimestamp !== undefined && !force) return;
  const { namespace, name = '', uid } = pod.metadata ?? {};
  const options = { preconditions: { uid }, signal, ...(force && { gracePeriodSeconds: 0 }) };
  await unlessGone(client.delete(pods, { namespace, name }, options));
}

/** Deletes one object, unless it is gone or another of its name has taken its place. */
export async function deleteByUid(
  client: KubeClient,
  type: ResourceType<KubeObject>,
  object: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name = '', uid, deletionTimestamp } = object.metadata ?? {};
  if (deletionTimestamp !== undefined) return;
  await unlessGone(client.delete(type, { namespace, name }, { preconditions: { uid }, signal }));
}

/** Deletes one virtual node, by UID. Its lease goes with it, through its owner reference. */
export async function deleteNode(client: KubeClient, node: Node, signal: AbortSignal): Promise<void> {
  const { name = '', uid } = node.metadata ?? {};
  await unlessGone(client.delete(nodes, { name }, { preconditions: { uid }, signal }));
}

/**
 * One step of emptying virtual nodes: cordons them and deletes their pods the ordinary way, so that each pod gets its
 * grace period in the member. Returns how many pods are left; call it again until that is 0.
 */
export async function drainStep(
  client: KubeClient,
  virtualNodes: readonly Node[],
  podsOnThem: readonly Pod[],
  deletion: PodDeletion,
): Promise<number> {
  for (const node of virtualNodes) await cordon(client, node, deletion.signal);
  await Promise.all(podsOnThem.map((pod) => deletePod(client, pod, deletion)));
  return podsOnThem.length;
}
