import type {
  V1ConfigMap,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1PodDisruptionBudget,
  V1StatefulSet,
} from '@kubernetes/client-node';
import type { Wire } from '../../src/apis/wire.js';
import type { ResourceType } from '../../src/kube/resource.js';

export type ConfigMap = Wire<V1ConfigMap>;
export type DaemonSet = Wire<V1DaemonSet>;
export type Deployment = Wire<V1Deployment>;
export type Job = Wire<V1Job>;
export type PodDisruptionBudget = Wire<V1PodDisruptionBudget>;
export type StatefulSet = Wire<V1StatefulSet>;

const apps = { apiVersion: 'apps/v1', namespaced: true } as const;

/** Kinds that the product itself doesn't read, but its users' clusters are full of. */
export const deployments: ResourceType<Deployment> = { ...apps, kind: 'Deployment', plural: 'deployments' };
export const statefulSets: ResourceType<StatefulSet> = { ...apps, kind: 'StatefulSet', plural: 'statefulsets' };
export const daemonSets: ResourceType<DaemonSet> = { ...apps, kind: 'DaemonSet', plural: 'daemonsets' };
export const jobs: ResourceType<Job> = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true };
export const configMaps: ResourceType<ConfigMap> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
export const podDisruptionBudgets: ResourceType<PodDisruptionBudget> = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};
