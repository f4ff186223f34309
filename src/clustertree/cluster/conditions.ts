import type { ClusterCondition, ConditionStatus } from '../../apis/kosmos/v1alpha1/cluster.js';

export const CLUSTER_CONDITION_TYPES = ['Ready', 'Reachable', 'Synced'] as const;
export type ClusterConditionType = (typeof CLUSTER_CONDITION_TYPES)[number];

/** Why a condition of a Cluster is as it is; `docs/clusters.md` explains each one. */
export type ClusterReason =
  | 'HostCluster'
  | 'Disabled'
  | InvalidReason
  | 'Connecting'
  | 'ProbeSucceeded'
  | UnreachableReason
  | 'Syncing'
  | 'ListFailed'
  | 'CachesSynced'
  | 'NodeConflict'
  | 'AllWell'
  | 'Leaving';

/** Why a member can't even be tried. */
export type InvalidReason = 'InvalidSpec' | 'InvalidKubeconfig' | 'KubeconfigSecretMissing';

/** Why a member doesn't answer as it should. */
export type UnreachableReason =
  'ConnectionFailed' | 'ProbeTimeout' | 'CertificateInvalid' | 'CredentialRefused' | 'MemberNotReady';

/** What the Cluster controller knows of a Cluster. Exactly one of these holds at any time. */
export type ClusterState =
  /** The host's own entry. */
  | { readonly kind: 'host' }
  /** `clusterTreeOptions.enable` is false. */
  | { readonly kind: 'disabled' }
  | { readonly kind: 'invalid'; readonly reason: InvalidReason; readonly message: string }
  /** No probe has been answered, or has failed, yet. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'unreachable'; readonly reason: UnreachableReason; readonly message: string }
  | {
      readonly kind: 'connected';
      /** Whether the caches of the member are complete. */
      readonly synced: boolean;
      /** Why the caches can't be filled or kept up to date; undefined when they are, or will be in a moment. */
      readonly problem?: string | undefined;
      /** Virtual nodes that can't be made, as `nodeConflict` words it. */
      readonly conflicts: readonly string[];
    }
  /** Being deleted. */
  | { readonly kind: 'leaving'; readonly message: string };

/** A condition without what belongs to its history. */
export interface WantedCondition {
  readonly type: ClusterConditionType;
  readonly status: ConditionStatus;
  readonly reason: ClusterReason;
  readonly message: string;
}

/** The conditions that a state means. A type that is missing means nothing in that state. */
export function desiredClusterConditions(state: ClusterState): readonly WantedCondition[] {
  switch (state.kind) {
    case 'host':
      return [wanted('Ready', 'True', 'HostCluster', 'this is the host cluster itself')];
    case 'disabled':
      return [wanted('Ready', 'False', 'Disabled', 'clusterTreeOptions.enable is false')];
    case 'invalid':
      return [
        wanted('Ready', 'False', state.reason, state.message),
        wanted('Reachable', 'Unknown', state.reason, 'not tried'),
        wanted('Synced', 'Unknown', state.reason, 'not tried'),
      ];
    case 'connecting':
      return [
        wanted('Ready', 'False', 'Connecting', 'the first probe is under way'),
        wanted('Reachable', 'Unknown', 'Connecting', 'the first probe is under way'),
        wanted('Synced', 'False', 'Connecting', 'waits for the first probe'),
      ];
    case 'unreachable':
      return [
        wanted('Ready', 'False', state.reason, state.message),
        wanted('Reachable', 'False', state.reason, state.message),
        wanted('Synced', 'Unknown', state.reason, 'what is known of the member may be out of date'),
      ];
    case 'connected':
      return connectedConditions(state);
    case 'leaving':
      return [wanted('Ready', 'False', 'Leaving', state.message)];
  }
}

type ConnectedState = Extract<ClusterState, { kind: 'connected' }>;

function connectedConditions(state: ConnectedState): readonly WantedCondition[] {
  const synced = syncedCondition(state);
  return [
    connectedReady(state, synced),
    wanted('Reachable', 'True', 'ProbeSucceeded', 'the API server of the member is ready'),
    synced,
  ];
}

function syncedCondition({ synced, problem }: ConnectedState): WantedCondition {
  if (problem !== undefined) return wanted('Synced', 'False', 'ListFailed', problem);
  return synced
    ? wanted('Synced', 'True', 'CachesSynced', 'nodes and pods of the member are known')
    : wanted('Synced', 'False', 'Syncing', 'nodes and pods of the member are being listed');
}

function connectedReady({ conflicts }: ConnectedState, synced: WantedCondition): WantedCondition {
  if (conflicts.length > 0) return wanted('Ready', 'False', 'NodeConflict', [...conflicts].sort().join('; '));
  return synced.status === 'True'
    ? wanted('Ready', 'True', 'AllWell', 'pods can run in the member')
    : { ...synced, type: 'Ready' };
}

function wanted(
  type: ClusterConditionType,
  status: ConditionStatus,
  reason: ClusterReason,
  message: string,
): WantedCondition {
  return { type, status, reason, message };
}

const OWN_TYPES: readonly string[] = CLUSTER_CONDITION_TYPES;

/** The whole list of conditions to write: those of ClusterTree as wanted, others as they are. */
export function mergeClusterConditions(
  actual: readonly ClusterCondition[],
  wantedConditions: readonly WantedCondition[],
  at: ConditionTime,
): readonly ClusterCondition[] {
  return mergeConditionsOf(OWN_TYPES, actual, wantedConditions, at);
}

/** When, and of which generation, something is said. */
export interface ConditionTime {
  /** RFC 3339. */
  readonly now: string;
  readonly generation: number | undefined;
}

/**
 * The whole list of conditions to write for who owns `types`: its own as wanted, those of others as they are. Transition
 * times move only when a status changes. Gives back `actual` itself when nothing changes.
 */
export function mergeConditionsOf(
  types: readonly string[],
  actual: readonly ClusterCondition[],
  wantedConditions: readonly Pick<ClusterCondition, 'type' | 'status' | 'reason' | 'message'>[],
  at: ConditionTime,
): readonly ClusterCondition[] {
  const foreign = actual.filter(({ type }) => !types.includes(type));
  const ours = wantedConditions.map((next) => {
    const present = actual.find(({ type }) => type === next.type);
    const lastTransitionTime = present?.status === next.status ? present.lastTransitionTime : at.now;
    return { ...next, lastTransitionTime, ...(at.generation !== undefined && { observedGeneration: at.generation }) };
  });
  const merged = [...ours, ...foreign];
  const unchanged = merged.length === actual.length && merged.every((next) => actual.some((old) => isSame(old, next)));
  return unchanged ? actual : merged;
}

function isSame(left: ClusterCondition, right: ClusterCondition): boolean {
  return (
    left.type === right.type &&
    left.status === right.status &&
    left.reason === right.reason &&
    left.message === right.message &&
    left.observedGeneration === right.observedGeneration
  );
}
