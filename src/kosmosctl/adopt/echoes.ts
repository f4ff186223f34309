import type { Pod } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';

/** Keys of labels and annotations. */
export interface MetadataKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

type Entry = NonNullable<NonNullable<Pod['metadata']>['managedFields']>[number];

/**
 * What of a host pod's metadata only came there together with a status that was copied from its member pod. A kubelet's
 * CNI writes such annotations in the member; carried back there from the host, they would be out of date one day. Told by
 * the API server's own record of who wrote what.
 */
export function echoesOf(hostPod: Pod, memberPod: Pod): MetadataKeys {
  const entries = (hostPod.metadata?.managedFields ?? []).filter(({ manager }) => manager !== FIELD_MANAGER);
  const ofStatus = entries.filter(({ subresource }) => subresource === 'status');
  const ofOthers = entries.filter(({ subresource }) => subresource !== 'status');
  const only = (part: 'labels' | 'annotations'): readonly string[] => {
    const others = new Set(ofOthers.flatMap((entry) => keysOf(entry, part)));
    const present = hostPod.metadata?.[part] ?? {};
    const came = [...new Set(ofStatus.flatMap((entry) => keysOf(entry, part)))];
    return came.filter(
      (key) => !others.has(key) && Object.hasOwn(present, key) && memberPod.metadata?.[part]?.[key] !== undefined,
    );
  };
  return { labels: only('labels'), annotations: only('annotations') };
}

/** `f:name` is the key `name`; `.` is the map itself. */
function keysOf({ fieldsV1 }: Entry, part: 'labels' | 'annotations'): readonly string[] {
  const { 'f:metadata': metadata } = (fieldsV1 ?? {}) as { 'f:metadata'?: Readonly<Record<string, object>> };
  return Object.keys(metadata?.[`f:${part}`] ?? {})
    .filter((key) => key.startsWith('f:'))
    .map((key) => key.slice(2));
}

/** The pod as it is without them. */
export function withoutKeys(pod: Pod, keys: MetadataKeys): Pod {
  const { labels, annotations } = pod.metadata ?? {};
  const without = (
    texts: Readonly<Record<string, string>> | undefined,
    gone: readonly string[],
  ): Record<string, string> => Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => !gone.includes(key)));
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: without(labels, keys.labels),
      annotations: without(annotations, keys.annotations),
    },
  };
}

/** The part of a merge patch that takes them away. */
export function removalOf({ labels, annotations }: MetadataKeys): Record<keyof MetadataKeys, Record<string, null>> {
  const nulls = (keys: readonly string[]): Record<string, null> => Object.fromEntries(keys.map((key) => [key, null]));
  return { labels: nulls(labels), annotations: nulls(annotations) };
}
