import type { Node, Secret as SecretObject } from '../../apis/core.js';
import type { Cluster, ClusterLinkOptions, LeafModel } from '../../apis/kosmos/v1alpha1/cluster.js';
import {
  JOIN_LABEL,
  KUBECONFIG_SECRET_KEY,
  MEMBER_CLUSTER_UID_ANNOTATION,
  MEMBER_CREDENTIAL_LABEL,
} from '../../apis/names.js';
import type { Manifest } from '../manifests/installation.js';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../managed-by.js';

/** Name of the Secret with the kubeconfig of a member. */
export function credentialName(cluster: string): string {
  return `kosmos-member-${cluster}`;
}

export interface CredentialSecretOptions {
  readonly cluster: string;
  readonly namespace: string;
  readonly memberUid: string;
  readonly kubeconfig: string;
}

/** The Secret that the Cluster refers to. */
export function credentialSecret(options: CredentialSecretOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: credentialName(options.cluster),
      namespace: options.namespace,
      labels: { [MEMBER_CREDENTIAL_LABEL]: 'true', [MANAGED_BY_LABEL]: MANAGED_BY },
      annotations: {
        [MEMBER_CLUSTER_UID_ANNOTATION]: options.memberUid,
      },
    },
    type: 'Opaque',
    data: { [KUBECONFIG_SECRET_KEY]: Buffer.from(options.kubeconfig).toString('base64') },
  };
}

/** What such a Secret says about the member. */
export function memberOf(secret: SecretObject): { readonly uid: string | undefined; readonly kubeconfig: string } {
  const kubeconfig = Buffer.from(secret.data?.[KUBECONFIG_SECRET_KEY] ?? '', 'base64').toString('utf8');
  return { uid: secret.metadata?.annotations?.[MEMBER_CLUSTER_UID_ANNOTATION], kubeconfig };
}

export interface ClusterManifestOptions {
  readonly name: string;
  readonly namespace: string;
  /** Undefined when no pods of the host are to run there. */
  readonly tree: TreeWish | undefined;
  /** Undefined when its network is not to be linked. */
  readonly link: ClusterLinkOptions | undefined;
}

/** How pods of the host run in the member. */
export interface TreeWish {
  readonly leafModels: readonly LeafModel[];
  readonly kubeletStats: boolean;
  readonly hostApiServer: string | undefined;
}

/** The Cluster that makes the member a part of the federation. */
export function clusterManifest({ name, namespace, tree, link }: ClusterManifestOptions): Manifest {
  return {
    apiVersion: 'kosmos.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      kubeconfigSecretRef: { name: credentialName(name), namespace },
      clusterTreeOptions: tree === undefined ? { enable: false } : treeOptions(tree),
      ...(link !== undefined && { clusterLinkOptions: { enable: true, ...link } }),
    },
  };
}

function treeOptions({ leafModels, kubeletStats, hostApiServer }: TreeWish): object {
  return {
    enable: true,
    ...(leafModels.length > 0 && { leafModels }),
    ...(kubeletStats && { statsSource: 'Kubelets' }),
    ...(hostApiServer !== undefined && { hostAPIServer: hostApiServer }),
  };
}

/** One virtual node for each node of the member: for those with the label `kosmos.io/join=true`, or for all when none has it. */
export function leafModelPerNode(nodes: readonly Node[]): readonly LeafModel[] {
  const chosen = nodes.filter(({ metadata }) => metadata?.labels?.[JOIN_LABEL] === 'true');
  return (chosen.length > 0 ? chosen : nodes).map(({ metadata }) => ({
    nodeSelector: { nodeName: metadata?.name ?? '' },
  }));
}

/** Whether the Cluster gets its kubeconfig from the Secret that joining makes. */
export function isJoinedByUs(cluster: Cluster): boolean {
  const { name = '' } = cluster.metadata ?? {};
  return cluster.spec.kubeconfigSecretRef?.name === credentialName(name);
}
