import type { KubeObject, Namespace } from '../../apis/core.js';
import { ApiError, isNotFound, isTooManyRequests } from '../../kube/api-error.js';
import { namespacedResources } from '../../kube/discovery.js';
import { claims, namespaces, type ResourceType } from '../../kube/resource.js';
import { errorMessage } from '../../lib/errors.js';
import type { Member } from './member.js';
import { isOwned, type Ownership } from './ownership.js';

/** What Kubernetes itself puts into every namespace. */
function isAutomatic(type: ResourceType<KubeObject>, object: KubeObject): boolean {
  const name = object.metadata?.name ?? '';
  if (type.kind === 'Event' || type.kind === 'PodMetrics') return true;
  if (type.kind === 'ConfigMap') return name === 'kube-root-ca.crt' || name === 'openshift-service-ca.crt';
  return type.kind === 'ServiceAccount' && name === 'default';
}

/** A claim of ours holds data of the host's users: it is removed by itself, never along with its namespace. */
function isRemovable(type: ResourceType<KubeObject>, object: KubeObject, ownership: Ownership): boolean {
  return type.kind !== claims.kind && isOwned(object, ownership);
}

/**
 * The first thing in the namespace that neither we nor Kubernetes put there, or a claim of ours, as `Kind name`; undefined when there is
 * none. Lists every kind that the member serves; a kind that the member refuses to list counts as foreign. Throws when
 * the member did not answer, or not as it should: then nothing is known.
 */
export async function findForeign(
  member: { readonly client: Member['client']; readonly ownership: Ownership },
  namespace: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const type of await namespacedResources(member.client, { signal })) {
    let items: readonly KubeObject[];
    try {
      items = (await member.client.list(type, { namespace, signal })).items;
    } catch (error) {
      if (isNotFound(error)) continue;
      if (!isRefusal(error)) throw error;
      return `${type.kind} that can't be listed (${errorMessage(error)})`;
    }
    const found = items.find((item) => !isAutomatic(type, item) && !isRemovable(type, item, member.ownership));
    if (found !== undefined) return `${type.kind} ${found.metadata?.name ?? ''}`;
  }
  return undefined;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode < 500 && !isTooManyRequests(error);
}

/**
 * Deletes a namespace that we made, unless it holds something foreign: then returns what, and leaves it. Throws a
 * conflict when the namespace has changed since it was read, for somebody may need it again.
 */
export async function removeNamespace(
  member: { readonly client: Member['client']; readonly ownership: Ownership },
  namespace: Namespace,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = namespace.metadata?.name ?? '';
  const foreign = await findForeign(member, name, signal);
  if (foreign !== undefined) return foreign;
  try {
    const { uid, resourceVersion } = namespace.metadata ?? {};
    await member.client.delete(namespaces, { name }, { preconditions: { uid, resourceVersion }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return undefined;
}
