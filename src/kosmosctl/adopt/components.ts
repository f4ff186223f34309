import type { KubeObject } from '../../apis/core.js';
import { FORMER_REPLICAS_ANNOTATION, STOPPED_LABEL } from '../../apis/names.js';
import type { ResourceType } from '../../kube/resource.js';
import { daemonSets, deployments } from '../objects.js';

/** A Deployment or DaemonSet of Kosmos in Go. */
export interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: { readonly spec?: { readonly nodeSelector?: Readonly<Record<string, string>> } };
  };
  readonly status?: {
    readonly replicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly currentNumberScheduled?: number;
  };
}

/** One component, by its kind and name. */
export interface Component {
  readonly type: ResourceType<KubeObject>;
  readonly name: string;
}

const deployment = (name: string): Component => ({ type: deployments, name });

/** What installs or writes something in the host. First the one that would start the others again. */
export const HOST_COMPONENTS: readonly Component[] = [
  ...['clusterlink-operator', 'kosmos-operator'],
  ...['clustertree-cluster-manager', 'clusterlink-network-manager'],
].map(deployment);

/** What does so in every cluster whose network is linked, the host's too. */
export const LINKED_COMPONENTS: readonly Component[] = [
  ...['clusterlink-controller-manager', 'clusterlink-elector'].map(deployment),
  { type: daemonSets, name: 'clusterlink-agent' },
];

/** What may go on: pods can ask for the scheduler by its name, and names are looked up in the DNS server. */
export const HARMLESS_COMPONENTS: readonly Component[] = ['kosmos-scheduler', 'coredns'].map(deployment);

/** Whether it is meant to run, or still does. */
export function runs({ type }: Component, workload: Workload): boolean {
  const { replicas = 0, desiredNumberScheduled = 0, currentNumberScheduled = 0 } = workload.status ?? {};
  if (type.kind !== daemonSets.kind) return replicasOf(workload) + replicas > 0;
  return !isParked(workload) || desiredNumberScheduled + currentNumberScheduled > 0;
}

/** The merge patch that stops it and can be taken back; undefined when it is stopped already. */
export function stopPatch({ type }: Component, workload: Workload): object | undefined {
  const { uid } = workload.metadata ?? {};
  if (type.kind === daemonSets.kind) {
    if (isParked(workload)) return undefined;
    return { metadata: { uid }, spec: { template: { spec: { nodeSelector: { [STOPPED_LABEL]: 'true' } } } } };
  }
  const replicas = replicasOf(workload);
  if (replicas === 0) return undefined;
  return { metadata: { uid, annotations: { [FORMER_REPLICAS_ANNOTATION]: String(replicas) } }, spec: { replicas: 0 } };
}

function replicasOf({ spec }: Workload): number {
  return spec?.replicas ?? 1;
}

/** A DaemonSet can't be scaled; this one asks for nodes that there are not. */
function isParked({ spec }: Workload): boolean {
  return spec?.template?.spec?.nodeSelector?.[STOPPED_LABEL] !== undefined;
}

/** Selects its pods. */
export function podSelector({ spec }: Workload): string {
  return Object.entries(spec?.selector?.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
