import type { ConfigMap, KubeObject, Secret } from '../../apis/core.js';
import { configMaps, secrets, type ResourceType } from '../../kube/resource.js';
import { hostConfigMapName, memberConfigMapName } from '../cluster/member-names.js';
import type { PodReferences, ReferencedObject } from '../cluster/pod-references.js';
import type { KindWord } from '../cluster/unmet-needs.js';

/** A ConfigMap or a Secret, as far as copying goes. */
export type Content = ConfigMap & Secret;

/** What differs between the kinds that are copied. */
export interface CopiedKind {
  readonly word: Extract<KindWord, 'configmap' | 'secret'>;
  readonly type: ResourceType<Content>;
  /** The objects of a pod that are of this kind. */
  readonly referencesOf: (references: PodReferences) => readonly ReferencedObject[];
  /** `rootCa` is the name of the host's root certificates in the member's namespace. */
  readonly memberName: (hostName: string, rootCa: string) => string;
  readonly hostName: (memberName: string) => string;
}

export const CONFIG_MAP_KIND: CopiedKind = {
  word: 'configmap',
  type: contentOf(configMaps),
  referencesOf: (references) => references.configMaps,
  memberName: memberConfigMapName,
  hostName: hostConfigMapName,
};

export const SECRET_KIND: CopiedKind = {
  word: 'secret',
  type: contentOf(secrets),
  referencesOf: (references) => references.secrets,
  memberName: (name) => name,
  hostName: (name) => name,
};

/** What is kept of the metadata of a host object; there may be very many that no pod of a member needs. */
export function trimHostObject({ metadata = {} }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { metadata: { namespace, name, uid, resourceVersion } };
}

/** The same kind on the wire; of the type's fields a ConfigMap has some and a Secret has others. */
function contentOf({ apiVersion, kind, plural, namespaced }: ResourceType<KubeObject>): ResourceType<Content> {
  return { apiVersion, kind, plural, namespaced };
}
