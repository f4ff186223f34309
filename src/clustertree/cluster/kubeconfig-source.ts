import type { Secret } from '../../apis/core.js';
import { KUBECONFIG_SECRET_KEY } from '../../apis/names.js';
import type { KubeClient } from '../../kube/client.js';
import { secrets } from '../../kube/resource.js';
import { TerminalError } from '../../lib/errors.js';
import type { ClusterConfig } from './options.js';

/**
 * The member's kubeconfig, from the Cluster itself or from the Secret that it names. Throws `KUBECONFIG_INVALID` when
 * there is none, and what the API server answers when the Secret can't be read.
 */
export async function readKubeconfig(
  client: Pick<KubeClient, 'get'>,
  config: Pick<ClusterConfig, 'kubeconfig'>,
  signal: AbortSignal,
): Promise<string> {
  const source = config.kubeconfig;
  if (source === undefined) {
    throw new TerminalError('KUBECONFIG_INVALID', 'spec.kubeconfig: is missing; set it or spec.kubeconfigSecretRef');
  }
  if (source.kind === 'inline') return source.kubeconfig.reveal();
  const { namespace, name } = source;
  const secret: Secret = await client.get(secrets, { namespace, name }, { signal });
  const data = secret.data?.[KUBECONFIG_SECRET_KEY];
  if (data === undefined) {
    const where = `Secret ${namespace}/${name}`;
    throw new TerminalError(
      'KUBECONFIG_INVALID',
      `${where} has no key ${KUBECONFIG_SECRET_KEY}; put the kubeconfig there`,
    );
  }
  return Buffer.from(data, 'base64').toString('utf8');
}
