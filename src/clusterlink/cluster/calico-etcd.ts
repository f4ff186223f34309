import type { ConfigMap } from '../../apis/core.js';
import type { Source } from './source.js';

/** The ConfigMap of Calico's own manifests, which say there where the etcd is. */
export const CALICO_CONFIG = 'calico-config';
const ENDPOINTS_KEY = 'etcd_endpoints';

/**
 * Whether Calico keeps pools and blocks in an etcd of its own instead of the cluster's API; undefined while not known.
 *
 * @param isStated - the Cluster says so itself
 */
export function isCalicoInEtcd(isStated: boolean, config: Source<ConfigMap>): boolean | undefined {
  if (isStated) return true;
  if (config.state === 'unknown') return undefined;
  return config.objects.some(({ data }) => (data?.[ENDPOINTS_KEY] ?? '').trim() !== '');
}
