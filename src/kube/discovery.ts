import type { KubeObject } from '../apis/core.js';
import type { CallOptions, KubeClient } from './client.js';
import type { ResourceType } from './resource.js';

interface ApiResourceList {
  readonly groupVersion?: string;
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

interface ApiGroupList {
  readonly groups?: readonly {
    readonly name: string;
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

async function getJson<T>(client: Pick<KubeClient, 'getPath'>, path: string, options: CallOptions): Promise<T> {
  return JSON.parse(await client.getPath(path, options)) as T;
}

/**
 * Every namespaced kind that can be listed, in the preferred version of its group. Throws when a group can't be
 * discovered, for then the list would not be complete.
 */
export async function namespacedResources(
  client: Pick<KubeClient, 'getPath'>,
  options: CallOptions = {},
): Promise<ResourceType<KubeObject>[]> {
  const groups = await getJson<ApiGroupList>(client, '/apis', options);
  const versions = (groups.groups ?? []).flatMap((group) => group.preferredVersion?.groupVersion ?? []);
  const paths = ['/api/v1', ...versions.map((version) => `/apis/${version}`)];
  const lists = await Promise.all(paths.map((path) => getJson<ApiResourceList>(client, path, options)));
  return lists.flatMap((list) =>
    (list.resources ?? [])
      .filter((resource) => resource.namespaced && !resource.name.includes('/') && resource.verbs.includes('list'))
      .map(({ name, kind }) => ({ apiVersion: list.groupVersion ?? 'v1', kind, plural: name, namespaced: true })),
  );
}

/** Whether the server serves a kind; for features that need one that older servers lack. */
export async function servesResource(
  client: Pick<KubeClient, 'getPath'>,
  type: ResourceType<KubeObject>,
  options: CallOptions = {},
): Promise<boolean> {
  const [group = ''] = type.apiVersion.split('/');
  if (group === type.apiVersion) return hasResource(client, `/api/${group}`, type, options);
  const groups = await getJson<ApiGroupList>(client, '/apis', options);
  if (!(groups.groups ?? []).some(({ name }) => name === group)) return false;
  const versions = await getJson<{ versions?: readonly { groupVersion: string }[] }>(client, `/apis/${group}`, options);
  if (!(versions.versions ?? []).some(({ groupVersion }) => groupVersion === type.apiVersion)) return false;
  return hasResource(client, `/apis/${type.apiVersion}`, type, options);
}

async function hasResource(
  client: Pick<KubeClient, 'getPath'>,
  path: string,
  type: ResourceType<KubeObject>,
  options: CallOptions,
): Promise<boolean> {
  const list = await getJson<ApiResourceList>(client, path, options);
  return (list.resources ?? []).some(({ name }) => name === type.plural);
}
