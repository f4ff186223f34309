import { HOST_ROOT_CA_CONFIG_MAP, ROOT_CA_CONFIG_MAP, TOKEN_SECRET_PREFIX } from '../../apis/names.js';

/** Name in the member of the copy of a host ConfigMap. */
export function memberConfigMapName(hostName: string): string {
  return hostName === ROOT_CA_CONFIG_MAP ? HOST_ROOT_CA_CONFIG_MAP : hostName;
}

/** Name in the host of the ConfigMap that a member ConfigMap is the copy of. */
export function hostConfigMapName(memberName: string): string {
  return memberName === HOST_ROOT_CA_CONFIG_MAP ? ROOT_CA_CONFIG_MAP : memberName;
}

/** Name of the Secret in the member that holds all tokens of one pod. */
export function tokenSecretName(hostPodUid: string): string {
  return `${TOKEN_SECRET_PREFIX}${hostPodUid}`;
}

/** Whether a host object of that name can't be copied, because its name is taken in members. */
export function isReservedName(kind: 'ConfigMap' | 'Secret', hostName: string): boolean {
  return kind === 'ConfigMap' ? hostName === HOST_ROOT_CA_CONFIG_MAP : hostName.startsWith(TOKEN_SECRET_PREFIX);
}
