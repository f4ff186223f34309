import type {
  Cluster,
  ClusterCondition,
  ClusterLinkStatus,
  ConditionStatus,
} from '../../apis/kosmos/v1alpha1/cluster.js';
import { CLUSTER_LINK_READY_CONDITION } from '../../apis/names.js';
import { mergeConditionsOf } from '../../clustertree/cluster/conditions.js';
import { definedOnly } from '../../lib/merge-patch.js';
import { sameJson } from '../../lib/same-json.js';

/** What ClusterLink reports of a Cluster. Undefined leaves what was last known. */
export interface LinkReport {
  readonly condition: LinkCondition | undefined;
  readonly podCIDRs?: readonly string[] | undefined;
  readonly serviceCIDRs?: readonly string[] | undefined;
  readonly nodes?: { readonly ready: number; readonly total: number } | undefined;
  /** Present when the gateways are known; a cluster without one has no `gateway`. */
  readonly gateways?: { readonly gateway: string | undefined; readonly standbys: readonly string[] } | undefined;
}

/** Why the condition `ClusterLinkReady` is as it is; `docs/clusterlink-manager.md` explains each one. */
export type LinkReason =
  | 'Linked'
  | 'Disabled'
  | 'Leaving'
  | 'InvalidSpec'
  | 'InvalidKubeconfig'
  | 'KubeconfigSecretMissing'
  | 'Connecting'
  | 'ListFailed'
  | 'CIDRsMissing'
  | 'PlanProblem'
  | 'NameConflict'
  | 'WriteFailed'
  | 'NoNodes'
  | 'NodesNotDetected'
  | 'NoGateway'
  | 'NodesNotReady'
  | 'AgentsSilent';

export interface LinkCondition {
  readonly status: ConditionStatus;
  readonly reason: LinkReason;
  readonly message: string;
}

/** A JSON merge patch of the status. */
export interface LinkStatusPatch {
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string };
  readonly status: {
    readonly conditions?: readonly ClusterCondition[];
    readonly clusterLinkStatus?: { readonly [Field in keyof ClusterLinkStatus]?: ClusterLinkStatus[Field] | null };
  };
}

/**
 * The patch (type `merge`, subresource `status`) that makes a Cluster say what the report says; undefined when it does
 * already. Conditions and fields of ClusterTree stay.
 *
 * @param now - RFC 3339.
 */
export function linkStatusPatch(cluster: Cluster, report: LinkReport, now: string): LinkStatusPatch | undefined {
  const { metadata = {}, status = {} } = cluster;
  const { uid, generation, resourceVersion } = metadata;
  const actual = status.conditions ?? [];
  const wanted = report.condition === undefined ? [] : [{ type: CLUSTER_LINK_READY_CONDITION, ...report.condition }];
  const merged = mergeConditionsOf([CLUSTER_LINK_READY_CONDITION], actual, wanted, { now, generation });
  const conditions = merged === actual ? undefined : merged;
  const changes = definedOnly({ conditions, clusterLinkStatus: diffStatus(status.clusterLinkStatus ?? {}, report) });
  // The list of conditions is replaced as a whole, so nobody else may have changed it meanwhile.
  const lock = definedOnly({ uid, resourceVersion: conditions && resourceVersion });
  return changes && { metadata: { ...lock }, status: changes };
}

function diffStatus(
  actual: ClusterLinkStatus,
  { podCIDRs, serviceCIDRs, nodes, gateways }: LinkReport,
): LinkStatusPatch['status']['clusterLinkStatus'] {
  const wanted: Partial<Record<keyof ClusterLinkStatus, unknown>> = {
    ...(podCIDRs !== undefined && { podCIDRs }),
    ...(serviceCIDRs !== undefined && { serviceCIDRs }),
    ...(nodes !== undefined && { nodes: { ...nodes, summary: `${nodes.ready}/${nodes.total}` } }),
    ...(gateways !== undefined && {
      gateway: gateways.gateway,
      standbyGateways: gateways.standbys.length === 0 ? undefined : gateways.standbys,
    }),
  };
  const changed = Object.entries(wanted).filter(
    ([field, value]) => !sameJson(actual[field as keyof ClusterLinkStatus], value),
  );
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map(([field, value]) => [field, value ?? null]));
}
