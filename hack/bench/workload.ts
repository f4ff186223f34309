import type { KubeObject, Pod, Volume } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { configMaps, secrets, type ResourceType } from '../../src/kube/resource.js';

/** Namespace of all pods of the benchmark, in every cluster. */
export const NAMESPACE = 'bench';
/** Selects the pods of the benchmark. */
export const POD_SELECTOR = 'bench=pods';
/** Label of the KWOK nodes that take native pods. */
export const NATIVE_NODE_LABEL = 'bench/native';
/** The usual limit of a kubelet. */
export const PODS_PER_NODE = 110;

export const deployments: ResourceType<KubeObject> = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};

/** Where pods run: on a cluster's own nodes, or on virtual nodes. */
export type Placement = 'native' | 'virtual';

const NODE_SELECTORS: Readonly<Record<Placement, Record<string, string>>> = {
  native: { [NATIVE_NODE_LABEL]: 'true' },
  virtual: { 'kosmos.io/node': 'true' },
};

/** What pods need beside a node. */
export interface Needs {
  /** One ConfigMap and one Secret that all pods share. */
  readonly config: boolean;
  /** The token of their service account, as pods have it by default. */
  readonly token: boolean;
}

const NO_NEEDS: Needs = { config: false, token: false };
const SHARED = { namespace: NAMESPACE, name: 'shared' };

const CONFIG_VOLUMES: readonly Volume[] = [
  { name: 'config', configMap: { name: SHARED.name } },
  { name: 'secret', secret: { secretName: SHARED.name } },
];

/**
 * Makes what pods of {@link Needs} share, in the host. Native pods of members refer to the same names, but KWOK doesn't
 * look whether they are there.
 */
export async function createShared(host: KubeClient): Promise<void> {
  await host.create(configMaps, { metadata: SHARED, data: { mode: 'bench' } });
  await host.create(secrets, { metadata: SHARED, stringData: { password: 'bench' } });
}

/** The same for all pods, but for the nodes that they select. */
function podTemplate(
  placement: Placement,
  { config, token }: Needs,
): { metadata: object; spec: NonNullable<Pod['spec']> } {
  return {
    metadata: { labels: { bench: 'pods' } },
    spec: {
      nodeSelector: NODE_SELECTORS[placement],
      tolerations: [{ key: 'kosmos.io/node', operator: 'Equal', value: 'true', effect: 'NoSchedule' }],
      // Unless asked for, what is measured is the pod itself: a token costs each pod a request and a Secret more.
      automountServiceAccountToken: token,
      ...(config && { volumes: CONFIG_VOLUMES }),
      containers: [
        {
          name: 'app',
          image: 'registry.k8s.io/pause:3.10.1',
          env: [{ name: 'MODE', value: 'bench' }],
          ports: [{ containerPort: 8080 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
        },
      ],
    },
  };
}

/** A Deployment of so many pods. */
export function deployment(name: string, replicas: number, placement: Placement, needs = NO_NEEDS): KubeObject {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: NAMESPACE, name },
    spec: {
      replicas,
      progressDeadlineSeconds: 3_600,
      selector: { matchLabels: { bench: 'pods' } },
      template: podTemplate(placement, needs),
    },
  };
  return object;
}

/** A pod without a controller. */
export function singlePod(name: string, placement: Placement, needs = NO_NEEDS): Pod {
  const { metadata, spec } = podTemplate(placement, needs);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace: NAMESPACE, name }, spec };
}

/** Splits a number into so many whole parts that differ by 1 at most. */
export function split(total: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, index) => Math.floor(total / parts) + (index < total % parts ? 1 : 0));
}

/** KWOK nodes that so many pods need, with a tenth to spare. */
export function nodesFor(pods: number): number {
  return Math.max(1, Math.ceil((pods * 1.1) / PODS_PER_NODE));
}
