import type { Container, ObjectMeta, Pod, PodCondition, PodSpec, PodStatus } from '../../src/apis/core.js';
import {
  CLUSTER_LABEL,
  HOST_CLUSTER_LABEL,
  HOST_UID_ANNOTATION,
  MEMBER_UID_ANNOTATION,
  NODE_LABEL,
  NODE_TAINT,
  OWNER_LABEL,
  POD_LABEL,
} from '../../src/apis/names.js';
import type { TranslateContext } from '../../src/clustertree/pod/translate.js';

/** The identity that all pods of these tests have. */
export const IDENTITY = { hostClusterUid: 'host-cluster-uid', clusterName: 'member1' } as const;

export const CONTEXT: TranslateContext = {
  ...IDENTITY,
  owner: 'owner1',
  mode: 'cluster',
  virtualNode: {
    name: 'kosmos-member1',
    labels: { [NODE_LABEL]: 'true', [CLUSTER_LABEL]: 'member1', 'kubernetes.io/hostname': 'kosmos-member1' },
    taints: [NODE_TAINT],
  },
  services: [],
};

export interface PodParts {
  readonly metadata?: ObjectMeta;
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
}

export const APP: Container = { name: 'app', image: 'app:1' };

/** A pod of the host, bound to the virtual node; parts replace whole fields. */
export function hostPod(parts: PodParts = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-0', namespace: 'shop', uid: 'host-uid', generation: 1, ...parts.metadata },
    spec: { nodeName: 'kosmos-member1', containers: [APP], ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** Its copy in the member. */
export function memberPod(parts: PodParts = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web-0',
      namespace: 'shop',
      uid: 'member-uid',
      generation: 1,
      labels: {
        [POD_LABEL]: 'true',
        [HOST_CLUSTER_LABEL]: IDENTITY.hostClusterUid,
        [CLUSTER_LABEL]: IDENTITY.clusterName,
        [OWNER_LABEL]: 'owner1',
      },
      annotations: { [HOST_UID_ANNOTATION]: 'host-uid' },
      ...parts.metadata,
    },
    spec: { containers: [APP], ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** The annotation that the first status leaves on a host pod. */
export const MARKED = { annotations: { [MEMBER_UID_ANNOTATION]: 'member-uid' } } as const;

export function condition(type: string, status: string, more: Partial<PodCondition> = {}): PodCondition {
  return { type, status, lastTransitionTime: '2026-01-01T00:00:00Z', ...more };
}

/** Freezes everything below, so that a function that changes its argument throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/** As JSON carries it: without `undefined`. */
export function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
