import { isIP } from 'node:net';
import type { Service } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import { services, splitKey } from '../../kube/resource.js';
import { FederationError, TerminalError } from '../../lib/errors.js';

/** How the operator says where the host's API servers reach the kubelet API. */
export interface KubeletAddressOptions {
  /** Given IP addresses; they win. */
  readonly addresses: readonly string[];
  /** `namespace/name` of a Service; used when no address is given. Empty: none. */
  readonly service: string;
  /** The pod's own addresses, used when there is neither. */
  readonly podAddresses: readonly string[];
}

/** What is wrong with given addresses; empty when nothing is. A node may have one address of each family. */
export function addressProblems(addresses: readonly string[]): readonly string[] {
  const bad = addresses.filter((address) => isIP(address) === 0);
  if (bad.length > 0) return bad.map((address) => `--kubelet-address: "${address}" is not an IP address`);
  const families = addresses.map((address) => isIP(address));
  return new Set(families).size === families.length ? [] : ['--kubelet-address: has two addresses of one family'];
}

/**
 * The addresses that virtual nodes publish. Throws when there are none, or when the Service can't be read or has no
 * cluster IP.
 */
export async function resolveKubeletAddresses(
  client: Pick<KubeClient, 'get'>,
  options: KubeletAddressOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { addresses, service, podAddresses } = options;
  if (addresses.length > 0) return addresses;
  if (service !== '') return clusterAddresses(await client.get(services, splitKey(service), { signal }), service);
  if (podAddresses.length > 0) return podAddresses;
  throw new TerminalError(
    'CONFIG_INVALID',
    'no address for the kubelet API is known; give --kubelet-address, --kubelet-service or the variable POD_IPS',
  );
}

function clusterAddresses(service: Service, name: string): readonly string[] {
  const { clusterIP = '', clusterIPs = [clusterIP] } = service.spec ?? {};
  const addresses = clusterIPs.filter((address) => isIP(address) !== 0);
  if (addresses.length > 0) return addresses;
  throw new FederationError('CONFIG_INVALID', `Service ${name} has no cluster IP; virtual nodes need a stable address`);
}
