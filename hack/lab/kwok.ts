import { join } from 'node:path';
import { KWOK_STAGES, type Binaries } from './binaries.js';
import { clusterFiles, processName, programPath } from './control-plane.js';
import type { LabConfig } from './options.js';
import type { ClusterPlan } from './plan.js';
import type { ProcessSpec } from './state.js';

/** Nodes with this annotation are played by KWOK. */
const FAKE_NODE = 'kwok.x-k8s.io/node';

/** A node that KWOK plays. Pods bound to it become Running and Ready within about a second. */
export interface KwokNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Merged over the default: 256 CPUs, 1 Ti of memory and of disk, 2,000 pods. Allocatable is the same. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly unschedulable?: boolean;
  /** What the node reports as its kubelet's version. @default KWOK's own version */
  readonly kubeletVersion?: string;
}

const DEFAULT_CAPACITY = { cpu: '256', memory: '1Ti', 'ephemeral-storage': '1Ti', pods: '2000' };

/** How to run KWOK for a cluster. */
export function kwokSpec(plan: ClusterPlan, binaries: Binaries, extraArgs: LabConfig['extraArgs']): ProcessSpec {
  const files = clusterFiles(plan.directory);
  return {
    name: processName(plan.name, 'kwok'),
    namespace: plan.machines[0].namespace,
    command: programPath(binaries, 'kwok'),
    args: [
      `--kubeconfig=${files.kubeconfig}`,
      '--manage-all-nodes=false',
      `--manage-nodes-with-annotation-selector=${FAKE_NODE}=fake`,
      '--node-lease-duration-seconds=40',
      `--node-ip=${plan.machines[0].addresses[0] ?? ''}`,
      `--config=${programPath(binaries, KWOK_STAGES)}`,
      ...(extraArgs.kwok ?? []),
    ],
    // Without a home of its own it would read and keep files in the user's.
    env: { KWOK_WORKDIR: join(plan.directory, 'kwok') },
    logFile: join(files.logs, 'kwok.log'),
  };
}

/** The API wants all fields when it gets one; KWOK fills the empty ones. */
function nodeInfo(kubeletVersion: string | undefined): Record<string, unknown> {
  if (kubeletVersion === undefined) return {};
  const filledByKwok = ['bootID', 'containerRuntimeVersion', 'kernelVersion', 'machineID', 'osImage', 'systemUUID'];
  const empty = Object.fromEntries([...filledByKwok, 'architecture', 'kubeProxyVersion'].map((field) => [field, '']));
  return { nodeInfo: { ...empty, operatingSystem: 'linux', kubeletVersion } };
}

/** The Node object of a KWOK node. */
export function kwokNodeObject(node: KwokNode): Record<string, unknown> {
  const capacity = { ...DEFAULT_CAPACITY, ...node.capacity };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        ...node.labels,
      },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0', ...node.annotations, [FAKE_NODE]: 'fake' },
    },
    spec: {
      ...(node.taints === undefined ? {} : { taints: node.taints }),
      ...(node.unschedulable === true ? { unschedulable: true } : {}),
    },
    status: { capacity, allocatable: capacity, ...nodeInfo(node.kubeletVersion) },
  };
}

/** The KWOK nodes that a cluster starts with: spread over three zones of a region named like the cluster. */
export function defaultKwokNodes(cluster: string, count: number): KwokNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${cluster}-node${index + 1}`,
    labels: {
      'topology.kubernetes.io/region': cluster,
      'topology.kubernetes.io/zone': `${cluster}-${'abc'.charAt(index % 3)}`,
    },
  }));
}
