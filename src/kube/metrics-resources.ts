import type { NodeMetrics, PodMetrics } from '../apis/metrics.js';
import type { ResourceType } from './resource.js';

/** Kinds of the group metrics.k8s.io, which an extension such as metrics-server serves. */
export const nodeMetrics: ResourceType<NodeMetrics> = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  namespaced: false,
};
export const podMetrics: ResourceType<PodMetrics> = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  namespaced: true,
};
