import type { Pod } from '../../apis/core.js';
import { MemberConnection } from '../../clustertree/cluster/connection.js';
import { keepOwnedKeys } from '../../clustertree/cluster/owned-keys.js';
import type { ClusterConfig } from '../../clustertree/cluster/options.js';
import { ownershipOf } from '../../clustertree/cluster/ownership.js';
import { trimMemberPod } from '../../clustertree/pod/member-pod-trim.js';
import type { ClusterAccess } from '../../kube/cluster-access.js';
import { createKubeClient } from '../../kube/http-client.js';
import { parseKubeconfig } from '../../kube/kubeconfig.js';
import { replaceableAccess } from '../../kube/replaceable-credential.js';
import { withoutManagedFields } from '../../kube/transform.js';
import { createTransport } from '../../kube/transport.js';
import { memberFeatures, type SharedParts } from './member-features.js';
import type { ClusterTreeOptions } from './options.js';

/** A lost first packet is sent again after ever longer times, so a new try finds a member that is back sooner. */
const PROBE_CONNECT_MS = 3_000;

/** What a member is reached with. */
export interface MemberAccess {
  readonly config: ClusterConfig;
  readonly kubeconfig: string;
  /** The Cluster is being deleted. */
  readonly leaving: boolean;
}

/** Makes the connection to a member, with all features; nothing runs yet. Throws KubeconfigError. */
export function connectMember(
  options: ClusterTreeOptions,
  parts: SharedParts,
  { config, kubeconfig, leaving }: MemberAccess,
): MemberConnection {
  const { clock, random, logger, gate, memberLimits } = options;
  const parse = (text: string): ClusterAccess =>
    parseKubeconfig(text, { allowExec: options.allowExecCredentials, clock });
  const { access, adopt } = replaceableAccess(parse, kubeconfig);
  const shared = { gate, cluster: config.name, observer: options.observeRequest, clock };
  const transport = createTransport({ access, ...memberLimits, clock });
  const probing = createTransport({ access, connections: 1, connectTimeoutMs: PROBE_CONNECT_MS, clock });
  return new MemberConnection({
    ...{ config, leaving, clock, random, logger },
    ownership: ownershipOf(options.hostClusterUid, config.name),
    client: createKubeClient(transport, shared),
    streams: transport,
    probeClient: createKubeClient(probing, shared),
    createInformer: options.createInformer,
    adopt,
    trimPod: (pod) => parts.strings.shareWithin(trimMemberPod(withoutLastApplied(keepOwnedKeys(pod)))),
    features: memberFeatures(options, parts),
  });
}

/** The API server's own copy of a pod that somebody applied in the member is of no use to us. */
function withoutLastApplied(pod: Pod): Pod {
  const { managedFields } = pod.metadata ?? {};
  const trimmed = withoutManagedFields(pod);
  return { ...trimmed, metadata: { ...trimmed.metadata, managedFields } };
}
