import type {
  CoreV1Event,
  AuthenticationV1TokenRequest,
  V1Affinity,
  V1CertificateSigningRequest,
  V1ConfigMap,
  V1Container,
  V1ContainerStatus,
  V1EnvFromSource,
  V1DaemonSet,
  V1EnvVar,
  V1EphemeralContainer,
  V1LabelSelector,
  V1Lease,
  V1Namespace,
  V1Node,
  V1NodeAffinity,
  V1NodeCondition,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1PersistentVolumeClaimCondition,
  V1Pod,
  V1PodAffinityTerm,
  V1PodCondition,
  V1PodSpec,
  V1PodStatus,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1CSIDriver,
  V1StorageClass,
  V1Taint,
  V1Toleration,
  V1TopologySpreadConstraint,
  V1Volume,
} from '@kubernetes/client-node';
import type { Wire } from './wire.js';

/** Built-in Kubernetes objects as they are on the wire. */
export type ObjectMeta = Wire<V1ObjectMeta>;
export type Pod = Wire<V1Pod>;
export type PodSpec = Wire<V1PodSpec>;
export type PodStatus = Wire<V1PodStatus>;
export type PodCondition = Wire<V1PodCondition>;
export type Container = Wire<V1Container>;
export type EphemeralContainer = Wire<V1EphemeralContainer>;
export type ContainerStatus = Wire<V1ContainerStatus>;
export type EnvVar = Wire<V1EnvVar>;
export type EnvFromSource = Wire<V1EnvFromSource>;
export type Volume = Wire<V1Volume>;
export type Affinity = Wire<V1Affinity>;
export type NodeAffinity = Wire<V1NodeAffinity>;
export type NodeSelectorTerm = Wire<V1NodeSelectorTerm>;
export type NodeSelectorRequirement = Wire<V1NodeSelectorRequirement>;
export type PodAffinityTerm = Wire<V1PodAffinityTerm>;
export type TopologySpreadConstraint = Wire<V1TopologySpreadConstraint>;
export type LabelSelector = Wire<V1LabelSelector>;
export type Toleration = Wire<V1Toleration>;
export type Taint = Wire<V1Taint>;
export type Node = Wire<V1Node>;
export type NodeCondition = Wire<V1NodeCondition>;
export type ConfigMap = Wire<V1ConfigMap>;
export type TokenRequest = Wire<AuthenticationV1TokenRequest>;
export type Namespace = Wire<V1Namespace>;
export type CertificateSigningRequest = Wire<V1CertificateSigningRequest>;
export type Secret = Wire<V1Secret>;
export type Service = Wire<V1Service>;
export type ServiceAccount = Wire<V1ServiceAccount>;
export type DaemonSet = Wire<V1DaemonSet>;
export type Claim = Wire<V1PersistentVolumeClaim>;
export type ClaimCondition = Wire<V1PersistentVolumeClaimCondition>;
export type PersistentVolume = Wire<V1PersistentVolume>;
export type StorageClass = Wire<V1StorageClass>;
export type CsiDriver = Wire<V1CSIDriver>;
export type Lease = Wire<V1Lease>;
export type Event = Wire<CoreV1Event>;

/** What every Kubernetes object has. */
export interface KubeObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata?: ObjectMeta | undefined;
}

/** Points to one object, as `ObjectReference` of core/v1. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
}
