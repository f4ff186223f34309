import type {
  Claim,
  CsiDriver,
  PersistentVolume,
  StorageClass,
  CertificateSigningRequest,
  ConfigMap,
  DaemonSet,
  Event,
  KubeObject,
  Lease,
  Namespace,
  Node,
  Pod,
  Secret,
  Service,
  ServiceAccount,
  TokenRequest,
} from '../apis/core.js';

/** Where a kind of object lives in the API. `T` is its wire type; it exists at compile time only. */
export interface ResourceType<T extends KubeObject> {
  /** `v1` or `group/version`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** As in the URL, for instance `pods`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Answers hold nothing but the metadata of objects, as `PartialObjectMetadata` of meta/v1. @default false */
  readonly metadataOnly?: boolean;
  /** Never set. */
  readonly wire?: T;
}

/** Names one object of a known type. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `namespace/name`, or `name` for objects without namespace: the key of caches and work queues. */
export type ObjectKey = string;

export function keyOf(ref: ObjectRef): ObjectKey {
  return ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
}

export function objectKey(object: KubeObject): ObjectKey {
  return keyOf({ namespace: object.metadata?.namespace, name: object.metadata?.name ?? '' });
}

export function splitKey(key: ObjectKey): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** URL path of a collection, or of one object when `name` is given; segments are escaped. */
export function resourcePath(
  type: ResourceType<KubeObject>,
  ref: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  subresource?: string,
): string {
  const root = type.apiVersion === 'v1' ? '/api/v1' : `/apis/${type.apiVersion}`;
  const parts = [root];
  if (type.namespaced && ref.namespace) parts.push('namespaces', encodeURIComponent(ref.namespace));
  parts.push(type.plural);
  if (ref.name !== undefined) parts.push(encodeURIComponent(ref.name));
  if (subresource !== undefined) parts.push(subresource);
  return parts.join('/');
}

/** The same kind of objects, of which the API server sends the metadata only; also in answers to writes. */
export function metadataOf(type: ResourceType<KubeObject>): ResourceType<KubeObject> {
  return { ...type, metadataOnly: true };
}

export const pods: ResourceType<Pod> = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
export const nodes: ResourceType<Node> = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };
export const namespaces: ResourceType<Namespace> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};
export const services: ResourceType<Service> = {
  apiVersion: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
};
export const configMaps: ResourceType<ConfigMap> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
export const secrets: ResourceType<Secret> = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
export const certificateSigningRequests: ResourceType<CertificateSigningRequest> = {
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  namespaced: false,
};
export const serviceAccounts: ResourceType<ServiceAccount> = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};
/** To create with the subresource `token`; the object is named like its service account. */
export const tokenRequests: ResourceType<TokenRequest> = {
  apiVersion: 'v1',
  kind: 'TokenRequest',
  plural: 'serviceaccounts',
  namespaced: true,
};
export const events: ResourceType<Event> = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };
export const claims: ResourceType<Claim> = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  namespaced: true,
};
export const volumes: ResourceType<PersistentVolume> = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  namespaced: false,
};
export const storageClasses: ResourceType<StorageClass> = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  namespaced: false,
};
export const csiDrivers: ResourceType<CsiDriver> = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
};
export const leases: ResourceType<Lease> = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};
export const daemonSets: ResourceType<DaemonSet> = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  namespaced: true,
};
export const priorityClasses: ResourceType<KubeObject> = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  namespaced: false,
};
export const runtimeClasses: ResourceType<KubeObject> = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
};
export const mutatingAdmissionPolicies: ResourceType<KubeObject> = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  namespaced: false,
};
export const mutatingAdmissionPolicyBindings: ResourceType<KubeObject> = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  namespaced: false,
};
