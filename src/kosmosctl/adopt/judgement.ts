import type { KubeObject } from '../../apis/core.js';
import type { Ownership } from '../../clustertree/cluster/ownership.js';
import { CLUSTER_LABEL, HOST_CLUSTER_LABEL, OWNER_LABEL } from '../../apis/names.js';
import type { PatchType } from '../../kube/client.js';
import { objectKey, type ObjectRef, type ResourceType } from '../../kube/resource.js';

/** One write. Its body names the UID of the object, so that it never hits another one. */
export interface Change {
  readonly where: 'host' | 'member';
  readonly type: ResourceType<KubeObject>;
  readonly ref: ObjectRef;
  readonly how: PatchType;
  readonly body: object;
}

/** What is to become of one object that Kosmos in Go has left. */
export type Judgement =
  /** The changes make it ours, in this order; none of them alone does harm. */
  | { readonly kind: 'adopt'; readonly changes: readonly Change[]; readonly note?: string }
  /** It is ours already. */
  | { readonly kind: 'adopted' }
  /** It is left alone, and nothing is missed by that. */
  | { readonly kind: 'stays'; readonly why: string }
  /** It is left alone, and something will be missed. */
  | { readonly kind: 'problem'; readonly why: string };

/** A judgement with the object that it is about. */
export interface Finding {
  /** `host`, or the Cluster. */
  readonly cluster: string;
  readonly kind: string;
  /** `namespace/name`, or what else tells it from others of its kind. */
  readonly name: string;
  readonly judgement: Judgement;
}

export const ADOPTED: Judgement = { kind: 'adopted' };

export function stays(why: string): Judgement {
  return { kind: 'stays', why };
}

export function problem(why: string): Judgement {
  return { kind: 'problem', why };
}

/** Who else has labelled it, for people; undefined when nobody has. */
export function otherOwner({ metadata }: KubeObject, ownership: Ownership): string | undefined {
  const { [OWNER_LABEL]: owner, [HOST_CLUSTER_LABEL]: host, [CLUSTER_LABEL]: cluster = '' } = metadata?.labels ?? {};
  if (owner === undefined || owner === ownership.owner) return undefined;
  return host === ownership.hostClusterUid ? `Cluster ${cluster}` : `Cluster ${cluster} of another host`;
}

/**
 * Labels and annotations as the manager writes them, by server-side apply in its name: so they count as written by it, and
 * what the host's object loses later goes from the copy as well.
 */
export function marked(
  type: ResourceType<KubeObject>,
  copy: KubeObject,
  wanted: Pick<NonNullable<KubeObject['metadata']>, 'labels' | 'annotations'>,
): Change {
  const { apiVersion, kind } = type;
  const { namespace, name = '', uid } = copy.metadata ?? {};
  const { labels, annotations } = wanted;
  return {
    ...{ where: 'member', type, ref: { namespace, name }, how: 'apply' },
    body: { apiVersion, kind, metadata: { namespace, name, uid, labels, annotations } },
  };
}

/** A finding about an object. */
export function found(
  cluster: string,
  type: ResourceType<KubeObject>,
  object: KubeObject,
  judgement: Judgement,
): Finding {
  return { cluster, kind: type.kind, name: objectKey(object), judgement };
}
