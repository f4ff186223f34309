import type {
  V1Deployment,
  V1Job,
  V2HorizontalPodAutoscaler,
  V1PodDisruptionBudget,
  V1Role,
  V1RoleBinding,
  V1StatefulSet,
} from '@kubernetes/client-node';
import type { Wire } from '../../src/apis/wire.js';
import type { ResourceType } from '../../src/kube/resource.js';

export type Deployment = Wire<V1Deployment>;
export type HorizontalPodAutoscaler = Wire<V2HorizontalPodAutoscaler>;
export type Job = Wire<V1Job>;
export type PodDisruptionBudget = Wire<V1PodDisruptionBudget>;
export type Role = Wire<V1Role>;
export type RoleBinding = Wire<V1RoleBinding>;
export type StatefulSet = Wire<V1StatefulSet>;

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', namespaced: true } as const;
const apps = { apiVersion: 'apps/v1', namespaced: true } as const;

/** Kinds that the product itself doesn't read, but its users' clusters are full of. */
export const deployments: ResourceType<Deployment> = { ...apps, kind: 'Deployment', plural: 'deployments' };
export const statefulSets: ResourceType<StatefulSet> = { ...apps, kind: 'StatefulSet', plural: 'statefulsets' };
export const jobs: ResourceType<Job> = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true };
export const roles: ResourceType<Role> = { ...rbac, kind: 'Role', plural: 'roles' };
export const roleBindings: ResourceType<RoleBinding> = { ...rbac, kind: 'RoleBinding', plural: 'rolebindings' };
export const podDisruptionBudgets: ResourceType<PodDisruptionBudget> = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};
export const horizontalPodAutoscalers: ResourceType<HorizontalPodAutoscaler> = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
};
