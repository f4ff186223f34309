import type { Namespace } from '../../apis/core.js';
import { HOST_ROOT_CA_CONFIG_MAP, OWNER_LABEL, ROOT_CA_CONFIG_MAP, TOKEN_SECRET_PREFIX } from '../../apis/names.js';
import { isOwned, type Ownership } from './ownership.js';

/**
 * Name in the member of the copy of the host's `kube-root-ca.crt`. Every pod refers to it, so in a namespace that another
 * host or another Cluster has made in the member, and where it has its own, ours gets a name of its own as well.
 *
 * @param namespace - the member's namespace, as far as there is one
 */
export function rootCaName(namespace: Namespace | undefined, ownership: Ownership): string {
  const isOthers = namespace?.metadata?.labels?.[OWNER_LABEL] !== undefined && !isOwned(namespace, ownership);
  return isOthers ? `${HOST_ROOT_CA_CONFIG_MAP}-${ownership.owner}` : HOST_ROOT_CA_CONFIG_MAP;
}

/** Name in the member of the copy of a host ConfigMap; `rootCa` is what {@link rootCaName} gives for its namespace. */
export function memberConfigMapName(hostName: string, rootCa: string = HOST_ROOT_CA_CONFIG_MAP): string {
  return hostName === ROOT_CA_CONFIG_MAP ? rootCa : hostName;
}

/** Name in the host of the ConfigMap that a member ConfigMap is the copy of. */
export function hostConfigMapName(memberName: string): string {
  return isRootCaName(memberName) ? ROOT_CA_CONFIG_MAP : memberName;
}

/** Name of the Secret in the member that holds all tokens of one pod. */
export function tokenSecretName(hostPodUid: string): string {
  return `${TOKEN_SECRET_PREFIX}${hostPodUid}`;
}

/** Whether a host object of that name can't be copied, because its name is taken in members. */
export function isReservedName(kind: 'ConfigMap' | 'Secret', hostName: string): boolean {
  return kind === 'ConfigMap' ? isRootCaName(hostName) : hostName.startsWith(TOKEN_SECRET_PREFIX);
}

const ROOT_CA_NAME = new RegExp(`^${HOST_ROOT_CA_CONFIG_MAP.replaceAll('.', '\\.')}(-[0-9a-f]{16})?$`);

function isRootCaName(name: string): boolean {
  return ROOT_CA_NAME.test(name);
}
