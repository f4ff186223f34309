import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { FORMER_FINALIZERS } from '../../apis/names.js';
import { ClusterInvalidError, compileCluster, type ClusterConfig } from '../../clustertree/cluster/options.js';
import { isRoot, isWanted } from '../../clustertree/cluster/registry.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { nameOf } from '../fields.js';
import { credentialName } from '../join/host-objects.js';
import { ADOPTED, problem, type Change, type Judgement } from './judgement.js';
import { prunedFields, type Schema } from './schema.js';

/** A Cluster as the manager will see it. */
export interface JudgedCluster {
  /** Why nothing of its member can be taken over. */
  readonly obstacle?: Judgement;
  /** Undefined when nothing can be, or nothing is there to be. */
  readonly config?: ClusterConfig;
}

export function judgeCluster(cluster: Cluster): JudgedCluster {
  if (cluster.metadata?.deletionTimestamp !== undefined) {
    return { obstacle: problem('is being deleted; nothing of its member is taken over') };
  }
  try {
    const config = compileCluster(cluster);
    return isWanted(cluster) ? { config } : {};
  } catch (error) {
    if (!(error instanceof ClusterInvalidError)) throw error;
    return { obstacle: problem(`can't be used: ${error.message}; correct it, and run the command again`) };
  }
}

/**
 * What becomes of a Cluster that can be used. `credentials` is the namespace of the Secret that its kubeconfig is moved to,
 * if it is.
 */
export function judgeUsable(cluster: Cluster, schema: Schema | undefined, credentials: string | undefined): Judgement {
  const lost = schema === undefined ? [] : prunedFields(cluster, schema);
  const note = lost.length === 0 ? undefined : `fields that have no meaning any more are dropped: ${lost.join(', ')}`;
  const change = clusterChange(cluster, credentials);
  if (change === undefined && note === undefined) return ADOPTED;
  return { kind: 'adopt', changes: change === undefined ? [] : [change], ...(note !== undefined && { note }) };
}

/** Whether the Cluster itself holds a kubeconfig. */
export function hasInlineKubeconfig({ spec }: Cluster): boolean {
  return (spec.kubeconfig ?? '') !== '';
}

function clusterChange(cluster: Cluster, credentials: string | undefined): Change | undefined {
  const name = nameOf(cluster);
  const { uid, resourceVersion, finalizers = [] } = cluster.metadata ?? {};
  const kept = finalizers.filter((finalizer) => !FORMER_FINALIZERS.includes(finalizer));
  const moves = credentials !== undefined && hasInlineKubeconfig(cluster);
  if (kept.length === finalizers.length && !moves) return undefined;
  // The host is not reached by its own entry.
  const reference = isRoot(cluster)
    ? {}
    : { kubeconfigSecretRef: { name: credentialName(name), namespace: credentials } };
  const body = {
    metadata: { uid, resourceVersion, finalizers: kept },
    ...(moves && { spec: { kubeconfig: null, ...reference } }),
  };
  return { where: 'host', type: clusters, ref: { name }, how: 'merge', body };
}
