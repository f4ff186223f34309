import type { Container, Node, Pod } from '../../src/apis/core.js';
import type { VirtualNodeSpec } from '../../src/clustertree/cluster/virtual-node-spec.js';
import type { MemberNode } from '../../src/clustertree/node/member-node.js';
import { trimNode } from '../../src/clustertree/node/member-node.js';

/** What of a member's node differs from a plain ready one. */
export interface MemberNodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: NonNullable<Node['spec']>['taints'];
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly unschedulable?: boolean;
  readonly deleted?: boolean;
  /** Types of conditions that are True besides Ready. */
  readonly pressure?: readonly string[];
  readonly architecture?: string;
  readonly kubeletVersion?: string;
}

const condition = (
  type: string,
  status: string,
): { readonly type: string; readonly status: string; readonly reason: string; readonly message: string } => ({
  type,
  status,
  reason: `${type}Is${status}`,
  message: `${type} is ${status}`,
});

/** A node as a member's API server gives it. */
export function memberNodeObject(name: string, options: MemberNodeOptions = {}): Node {
  const { labels = {}, taints, allocatable = { cpu: '4', memory: '8Gi', pods: '110' }, ready = 'True' } = options;
  const pressure = options.pressure ?? [];
  return {
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, ...labels },
      ...(options.deleted === true && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { ...(taints && { taints }), ...(options.unschedulable === true && { unschedulable: true }) },
    status: {
      allocatable,
      conditions: [condition('Ready', ready), ...pressure.map((type) => condition(type, 'True'))],
      nodeInfo: {
        architecture: options.architecture ?? 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: options.kubeletVersion ?? 'v1.36.3',
        kernelVersion: '6.18.0',
        osImage: 'Debian GNU/Linux 13',
        containerRuntimeVersion: 'containerd://2.4.2',
        machineID: 'machine',
        systemUUID: 'system',
        bootID: 'boot',
        kubeProxyVersion: '',
      },
    },
  };
}

/** The same, as the manager keeps it. */
export function memberNode(name: string, options: MemberNodeOptions = {}): MemberNode {
  return trimNode(memberNodeObject(name, options));
}

/** A container that asks for these amounts. */
export function container(
  name: string,
  requests: Readonly<Record<string, string>>,
  more: Partial<Container> = {},
): Container {
  return { name, resources: { requests }, ...more };
}

/** A running pod of somebody else. */
export function foreignPodObject(nodeName: string, requests: Readonly<Record<string, string>>, phase = 'Running'): Pod {
  return {
    metadata: { namespace: 'default', name: 'other' },
    spec: { nodeName, containers: [container('main', requests)] },
    status: { phase },
  };
}

/** Virtual nodes of the three modes, with Kosmos' own taint. */
export const virtualNodes = {
  all: {
    mode: 'all',
    nodeName: 'kosmos-east',
    labels: {},
    taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }],
  },
  node: {
    mode: 'node',
    nodeName: 'n1',
    memberNodeName: 'n1',
    labels: {},
    taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }],
  },
  party: {
    mode: 'party',
    nodeName: 'kosmos-gpu-0',
    selector: { matchLabels: { pool: 'gpu' } },
    labels: {},
    taints: [{ key: 'kosmos.io/node', value: 'true', effect: 'NoSchedule' }],
  },
} as const satisfies Record<string, VirtualNodeSpec>;
