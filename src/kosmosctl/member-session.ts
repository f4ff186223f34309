import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { compileCluster } from '../clustertree/cluster/options.js';
import { readKubeconfig } from '../clustertree/cluster/kubeconfig-source.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import { readServiceAccountToken, type ServiceAccountToken } from '../kube/service-account-token.js';
import { tokenOf } from '../kube/token-kubeconfig.js';
import { openSession, type ClusterSession } from './session.js';

/** A member, reached as its manager reaches it. */
export interface MemberSession extends ClusterSession {
  /** The manager's token, when it has one that ends. */
  readonly token: ServiceAccountToken | undefined;
}

/** Opens a member with the kubeconfig that its Cluster refers to, which whoever runs the command must be able to read. */
export async function openMember(host: ClusterSession, cluster: Cluster, signal: AbortSignal): Promise<MemberSession> {
  const kubeconfig = await readKubeconfig(host.client, compileCluster(cluster), signal);
  const session = openSession(cluster.metadata?.name ?? 'member', parseKubeconfig(kubeconfig));
  return { ...session, token: readServiceAccountToken(tokenOf(kubeconfig) ?? '') };
}
