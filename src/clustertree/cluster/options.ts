import type { Cluster, ClusterSpec, LeafMode, SecretReference } from '../../apis/kosmos/v1alpha1/cluster.js';
import {
  ACTUAL_CLUSTER_LABEL,
  CLEANUP_TIMEOUT_ANNOTATION,
  CLUSTER_ROLE_ANNOTATION,
  CLUSTER_ROLE_ROOT,
  DISCONNECTION_POLICY_ANNOTATION,
  KOSMOS_NAMESPACE,
} from '../../apis/names.js';
import { tryParseDuration } from '../../lib/duration.js';
import { TerminalError } from '../../lib/errors.js';
import type { LabelSelector } from '../../lib/label-selector.js';
import { EVERYTHING, labelSelectorProblems } from '../../lib/label-selector.js';
import { isDnsLabel, isDnsSubdomain } from '../../lib/label-syntax.js';
import type { DisconnectionPolicy } from './disconnection-policy.js';
import { DEFAULT_DISCONNECTION_POLICY, parseDisconnectionPolicy } from './disconnection-policy.js';
import { parseHostApiAddress, type HostApiAddress } from './host-api.js';
import type { VirtualNodeSpec } from './virtual-node-spec.js';
import { compileVirtualNodes } from './virtual-node-spec.js';

/** A text that only comes out when asked for, so that printing the configuration doesn't print it. */
export interface Hidden {
  reveal(): string;
}

/** Where the member's kubeconfig comes from. */
export type KubeconfigSource =
  | { readonly kind: 'inline'; readonly kubeconfig: Hidden }
  | { readonly kind: 'secret'; readonly namespace: string; readonly name: string };

export type IpFamily = 'all' | 'ipv4' | 'ipv6';

/**
 * Where the figures of virtual nodes and their pods come from: the member's `metrics.k8s.io`, or its kubelets through
 * its API server. The latter needs `nodes/proxy` there, which allows much more, so it has to be asked for.
 */
export type StatsSource = 'MetricsAPI' | 'Kubelets';

/** A Cluster with all defaults applied, as the rest of ClusterTree sees it. Deeply frozen. */
export interface ClusterConfig {
  readonly name: string;
  /** The host's own entry; never joined as a member. */
  readonly root: boolean;
  /** Whether virtual nodes and pods of the member are wanted; false for the host's own entry. */
  readonly treeEnabled: boolean;
  /** Present for every member whose tree is enabled. */
  readonly kubeconfig: KubeconfigSource | undefined;
  /** Name of the physical member; several Clusters may share one. */
  readonly actualName: string;
  readonly ipFamily: IpFamily;
  readonly mode: LeafMode;
  /** Empty when the tree is disabled. */
  readonly virtualNodes: readonly VirtualNodeSpec[];
  /** Which namespaces of the host may run pods in the member. */
  readonly namespaceSelector: LabelSelector;
  /** Names of StorageClasses of the member by those of the host. */
  readonly storageClassMap: Readonly<Record<string, string>>;
  readonly statsSource: StatsSource;
  /** Where the member's pods reach the host's API server; the manager's own setting when absent. */
  readonly hostApi: HostApiAddress | undefined;
  readonly disconnectionPolicy: DisconnectionPolicy;
  /** How long a Cluster that is being deleted may wait for an unreachable member. */
  readonly cleanupTimeoutMs: number;
}

/** A Cluster that can't be used as it is; trying again is of no use before somebody edits it. */
export class ClusterInvalidError extends TerminalError {
  /** Each with the path of its field. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('CLUSTER_INVALID', problems.join('; '));
    this.problems = problems;
  }
}

const DEFAULT_CLEANUP_TIMEOUT_MS = 300_000;

/** So that `kosmos-<name>` fits into a label. */
const MAX_CLUSTER_NAME_LENGTH = 56;

/** How long a Cluster may wait for its member when it leaves, also when all else in it is wrong. */
export function cleanupTimeoutOf(cluster: Cluster): number {
  const text = cluster.metadata?.annotations?.[CLEANUP_TIMEOUT_ANNOTATION];
  return (text === undefined ? undefined : tryParseDuration(text)) ?? DEFAULT_CLEANUP_TIMEOUT_MS;
}

/**
 * Checks a Cluster and applies all defaults.
 *
 * @throws ClusterInvalidError that lists everything that is wrong.
 */
export function compileCluster(cluster: Cluster): ClusterConfig {
  const problems: string[] = [];
  const { metadata, spec } = cluster;
  const { name = '', labels = {}, annotations = {} } = metadata ?? {};
  const root = annotations[CLUSTER_ROLE_ANNOTATION] === CLUSTER_ROLE_ROOT;
  const treeEnabled = !root && spec.clusterTreeOptions?.enable !== false;
  if (name.length > MAX_CLUSTER_NAME_LENGTH) {
    problems.push(`metadata.name: is longer than ${MAX_CLUSTER_NAME_LENGTH} characters`);
  }
  const kubeconfig = compileKubeconfig(spec, treeEnabled, problems);
  const config: ClusterConfig = {
    name,
    root,
    treeEnabled,
    kubeconfig,
    actualName: labels[ACTUAL_CLUSTER_LABEL] ?? name,
    ...compileTree(name, spec, treeEnabled ? problems : undefined),
    ...compileAnnotations(annotations, problems),
  };
  if (problems.length > 0) throw new ClusterInvalidError(problems);
  return deepFreeze(config);
}

/** Where the kubeconfig comes from; adds what is wrong to `problems`, also that there is none although it is needed. */
export function compileKubeconfig(
  spec: ClusterSpec,
  needed: boolean,
  problems: string[],
): KubeconfigSource | undefined {
  const { kubeconfig = '', kubeconfigSecretRef: reference } = spec;
  if (kubeconfig !== '' && reference !== undefined) {
    problems.push('spec: kubeconfig and kubeconfigSecretRef exclude each other');
  }
  if (reference !== undefined) return compileReference(reference, problems);
  if (kubeconfig !== '') return compileInline(kubeconfig, problems);
  if (needed) problems.push('spec: neither kubeconfig nor kubeconfigSecretRef is set');
  return undefined;
}

function compileReference(reference: SecretReference, problems: string[]): KubeconfigSource {
  const { name, namespace = KOSMOS_NAMESPACE } = reference;
  const path = 'spec.kubeconfigSecretRef';
  if (!isDnsSubdomain(name)) problems.push(`${path}.name: "${name}" is not the name of a Secret`);
  if (!isDnsLabel(namespace)) problems.push(`${path}.namespace: "${namespace}" is not the name of a namespace`);
  return { kind: 'secret', namespace, name };
}

function compileInline(kubeconfig: string, problems: string[]): KubeconfigSource {
  const decoded = Buffer.from(kubeconfig, 'base64').toString('utf8');
  if (decoded.trim() === '') problems.push('spec.kubeconfig: is not the base64 form of a kubeconfig');
  return { kind: 'inline', kubeconfig: { reveal: () => decoded } };
}

/** What of a Cluster only ClusterTree uses. */
type TreeConfig = Pick<
  ClusterConfig,
  'ipFamily' | 'mode' | 'virtualNodes' | 'namespaceSelector' | 'statsSource' | 'hostApi' | 'storageClassMap'
>;

/** Without `problems` the tree is disabled: nothing is wanted, so nothing can be wrong. */
function compileTree(name: string, spec: ClusterSpec, problems: string[] | undefined): TreeConfig {
  const {
    leafModels,
    namespaceSelector = EVERYTHING,
    statsSource: source = 'MetricsAPI',
    storageClassMap = {},
    hostAPIServer,
  } = spec.clusterTreeOptions ?? {};
  const hostApi = hostAPIServer === undefined ? undefined : parseHostApiAddress(hostAPIServer);
  const common = {
    ipFamily: ipFamilyOf(spec.clusterLinkOptions?.ipFamily),
    statsSource: isStatsSource(source) ? source : 'MetricsAPI',
    hostApi,
    // Also for a member that leaves: its claims are looked after until it has left.
    storageClassMap,
  } as const;
  if (problems === undefined) return { ...common, mode: 'all', virtualNodes: [], namespaceSelector: EVERYTHING };
  if (!isStatsSource(source)) {
    problems.push(`spec.clusterTreeOptions.statsSource: "${source}" is neither MetricsAPI nor Kubelets`);
  }
  if (hostAPIServer !== undefined && hostApi === undefined) {
    problems.push(`spec.clusterTreeOptions.hostAPIServer: "${hostAPIServer}" is not host:port`);
  }
  problems.push(...labelSelectorProblems(namespaceSelector, 'spec.clusterTreeOptions.namespaceSelector'));
  problems.push(...classMapProblems(storageClassMap));
  return { ...common, ...compileVirtualNodes(name, leafModels, problems), namespaceSelector };
}

function isStatsSource(text: string): text is StatsSource {
  return text === 'MetricsAPI' || text === 'Kubelets';
}

function classMapProblems(map: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.entries(map).flat();
  const bad = [...new Set(names)].filter((name) => !isDnsSubdomain(name));
  return bad.map((name) => `spec.clusterTreeOptions.storageClassMap: "${name}" is not the name of a StorageClass`);
}

/** Kosmos' schema takes any text here and means both families unless it is one of the two. */
function ipFamilyOf(text: string | undefined): IpFamily {
  return text === 'ipv4' || text === 'ipv6' ? text : 'all';
}

function compileAnnotations(
  annotations: Readonly<Record<string, string>>,
  problems: string[],
): Pick<ClusterConfig, 'disconnectionPolicy' | 'cleanupTimeoutMs'> {
  const read = <T>(key: string, fallback: T, parse: (text: string) => T | undefined, expected: string): T => {
    const text = annotations[key];
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) problems.push(`metadata.annotations[${key}]: "${text}" is ${expected}`);
    return value ?? fallback;
  };
  return {
    disconnectionPolicy: read(
      DISCONNECTION_POLICY_ANNOTATION,
      DEFAULT_DISCONNECTION_POLICY,
      parseDisconnectionPolicy,
      'none of Evict, EvictAfter=<duration>, Keep',
    ),
    cleanupTimeoutMs: read(CLEANUP_TIMEOUT_ANNOTATION, DEFAULT_CLEANUP_TIMEOUT_MS, tryParseDuration, 'not a duration'),
  };
}

/** Copies as it freezes: what came from a cache is left as it is. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((item: unknown) => deepFreeze(item))) as T;
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, deepFreeze(item as unknown)]));
  return Object.freeze(copy) as T;
}
