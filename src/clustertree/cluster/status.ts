import type {
  Cluster,
  ClusterCondition,
  ClusterNodeCount,
  LeafMode,
  LeafNodeItem,
} from '../../apis/kosmos/v1alpha1/cluster.js';
import { definedOnly } from '../../lib/merge-patch.js';
import type { ClusterState } from './conditions.js';
import { desiredClusterConditions, mergeClusterConditions } from './conditions.js';

/** What ClusterTree reports of a Cluster. */
export interface ClusterReport {
  readonly state: ClusterState;
  /** Undefined leaves what was last known. */
  readonly kubernetesVersion: string | undefined;
  /** Undefined when there are no virtual nodes by intent. */
  readonly mode: LeafMode | undefined;
  /** Nodes of the member; undefined leaves what was last known. */
  readonly nodes: { readonly ready: number; readonly total: number } | undefined;
  /** Names of the virtual nodes. */
  readonly virtualNodes: readonly string[];
}

/** A JSON merge patch of the status that names the object it was computed from. */
export interface ClusterStatusPatch {
  readonly metadata: {
    readonly uid?: string;
    /** Only when conditions change: their list is replaced as a whole, so nobody else may have changed it meanwhile. */
    readonly resourceVersion?: string;
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly ClusterCondition[];
    readonly kubernetesVersion?: string;
    readonly mode?: LeafMode | null;
    readonly nodes?: ClusterNodeCount;
    readonly clusterTreeStatus?: { readonly leafNodeItems: readonly LeafNodeItem[] };
  };
}

/**
 * The patch (type `merge`, subresource `status`) that makes a Cluster say what the report says; undefined when it does
 * already. Conditions and fields of others, ClusterLink's for instance, stay.
 *
 * @param now - RFC 3339.
 */
export function clusterStatusPatch(
  cluster: Cluster,
  report: ClusterReport,
  now: string,
): ClusterStatusPatch | undefined {
  const { metadata = {}, status = {} } = cluster;
  const { uid, generation, resourceVersion } = metadata;
  const actual = status.conditions ?? [];
  const merged = mergeClusterConditions(actual, desiredClusterConditions(report.state), { now, generation });
  const conditions = merged === actual ? undefined : merged;
  const changes = definedOnly({
    observedGeneration: changed(status.observedGeneration, generation),
    conditions,
    kubernetesVersion: changed(status.kubernetesVersion, report.kubernetesVersion),
    mode: status.mode === report.mode ? undefined : (report.mode ?? null),
    nodes: diffNodes(status.nodes, report.nodes),
    clusterTreeStatus: diffLeafNodes(status.clusterTreeStatus?.leafNodeItems, report.virtualNodes),
  });
  const lock = definedOnly({ uid, resourceVersion: conditions && resourceVersion });
  return changes && { metadata: { ...lock }, status: changes };
}

function changed<T>(actual: T | undefined, desired: T | undefined): T | undefined {
  return actual === desired ? undefined : desired;
}

function diffNodes(
  actual: ClusterNodeCount | undefined,
  desired: ClusterReport['nodes'],
): ClusterNodeCount | undefined {
  if (desired === undefined) return undefined;
  const summary = `${desired.ready}/${desired.total}`;
  return actual?.summary === summary ? undefined : { ready: desired.ready, total: desired.total, summary };
}

function diffLeafNodes(
  actual: readonly LeafNodeItem[] = [],
  desired: readonly string[],
): { readonly leafNodeItems: readonly LeafNodeItem[] } | undefined {
  const names = [...desired].sort();
  const same = actual.length === names.length && names.every((name, i) => actual[i]?.leafNodeName === name);
  return same ? undefined : { leafNodeItems: names.map((leafNodeName) => ({ leafNodeName })) };
}
