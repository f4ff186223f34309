import type { Cluster } from '../apis/kosmos/v1alpha1/cluster.js';
import { compileCluster, type ClusterConfig } from '../clustertree/cluster/options.js';
import { readKubeconfig } from '../clustertree/cluster/kubeconfig-source.js';
import { isRoot } from '../clustertree/cluster/registry.js';
import { isNotFound } from '../kube/api-error.js';
import { clusters } from '../kube/kosmos-resources.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import { readServiceAccountToken, type ServiceAccountToken } from '../kube/service-account-token.js';
import { tokenOf } from '../kube/token-kubeconfig.js';
import { CliError } from './failure.js';
import { nameOf } from './fields.js';
import { findObject } from './objects.js';
import { openSession, type ClusterSession } from './session.js';

/** A member, reached as its manager reaches it. */
export interface MemberSession extends ClusterSession {
  /** The manager's token, when it has one that ends. */
  readonly token: ServiceAccountToken | undefined;
}

/** Opens a member with the kubeconfig that its Cluster refers to, which whoever runs the command must be able to read. */
export async function openMember(host: ClusterSession, cluster: Cluster, signal: AbortSignal): Promise<MemberSession> {
  const name = cluster.metadata?.name ?? 'member';
  const kubeconfig = await kubeconfigOf(host, name, compileCluster(cluster), signal);
  const session = openSession(name, parseKubeconfig(kubeconfig));
  return { ...session, token: readServiceAccountToken(tokenOf(kubeconfig) ?? '') };
}

/** The same for any Cluster: that of the host itself is reached as the host is. */
export async function openCluster(
  host: ClusterSession,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ClusterSession> {
  return isRoot(cluster) ? openSession(nameOf(cluster), host.access) : openMember(host, cluster, signal);
}

/** The Cluster of that name. @throws CliError when there is none */
export async function requireCluster(host: ClusterSession, name: string, signal: AbortSignal): Promise<Cluster> {
  const cluster = await findObject(host.client, clusters, { name }, signal);
  if (cluster !== undefined) return cluster;
  throw new CliError(`there is no Cluster "${name}"`, { cure: 'See: kosmosctl get clusters' });
}

async function kubeconfigOf(
  host: ClusterSession,
  name: string,
  config: ClusterConfig,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await readKubeconfig(host.client, config, signal);
  } catch (error) {
    if (config.kubeconfig?.kind !== 'secret' || !isNotFound(error)) throw error;
    const { namespace, name: secret } = config.kubeconfig;
    throw new CliError(`the Secret ${namespace}/${secret} with the kubeconfig of ${name} is missing`, {
      cause: error,
      cure: 'Join the member again; nothing is restarted by that.',
    });
  }
}
