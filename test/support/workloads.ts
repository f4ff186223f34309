import type { Pod, PodSpec } from '../../src/apis/core.js';
import { NODE_LABEL } from '../../src/apis/names.js';
import type { Deployment, Job, StatefulSet } from './resources.js';

/** No program runs on KWOK nodes, so the image need not exist. */
export const IMAGE = 'registry.k8s.io/pause:3.10';

/** Lets a pod onto virtual nodes with Kosmos' own taint, and keeps it off all others. */
const VIRTUAL: Pick<PodSpec, 'tolerations' | 'nodeSelector'> = {
  tolerations: [{ key: NODE_LABEL, operator: 'Exists', effect: 'NoSchedule' }],
  nodeSelector: { [NODE_LABEL]: 'true' },
};

export interface WorkloadOptions {
  readonly namespace: string;
  readonly name: string;
  readonly replicas?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Merged over the default spec of the pod. */
  readonly spec?: Partial<PodSpec>;
}

/** Spec of a pod that the host's scheduler puts on some virtual node. */
export function virtualPodSpec(spec: Partial<PodSpec> = {}): PodSpec {
  return { containers: [{ name: 'main', image: IMAGE }], terminationGracePeriodSeconds: 1, ...VIRTUAL, ...spec };
}

/** A pod bound to one virtual node, past the scheduler. */
export function boundPod(node: string, options: WorkloadOptions): Pod {
  return virtualPod({ ...options, spec: { nodeName: node, nodeSelector: undefined, ...options.spec } });
}

export function virtualPod(options: WorkloadOptions): Pod {
  const { namespace, name, annotations } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: labelsOf(options), annotations },
    spec: virtualPodSpec(options.spec),
  };
}

export function deployment(options: WorkloadOptions): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: options.namespace, name: options.name },
    spec: { replicas: options.replicas ?? 1, selector: selectorOf(options), template: templateOf(options) },
  };
}

export function statefulSet(options: WorkloadOptions): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { namespace: options.namespace, name: options.name },
    spec: {
      replicas: options.replicas ?? 1,
      serviceName: options.name,
      selector: selectorOf(options),
      template: templateOf(options),
    },
  };
}

/** Its pods complete by themselves, as KWOK plays them. */
export function job(options: WorkloadOptions): Job {
  const template = templateOf({ ...options, spec: { restartPolicy: 'Never', ...options.spec } });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace: options.namespace, name: options.name },
    spec: { completions: options.replicas ?? 1, parallelism: options.replicas ?? 1, backoffLimit: 2, template },
  };
}

function labelsOf({ name, labels }: WorkloadOptions): Record<string, string> {
  return { app: name, ...labels };
}

function selectorOf({ name }: WorkloadOptions): { matchLabels: Record<string, string> } {
  return { matchLabels: { app: name } };
}

function templateOf(options: WorkloadOptions): { metadata: object; spec: PodSpec } {
  return {
    metadata: { labels: labelsOf(options), annotations: options.annotations },
    spec: virtualPodSpec(options.spec),
  };
}
