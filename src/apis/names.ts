/** Every label, annotation, taint, finalizer and fixed name of the product, once. `docs/reference/names.md` explains them. */

/** Marks a virtual node; also the key of its taint. */
export const NODE_LABEL = 'kosmos.io/node';
export const NODE_TAINT = { key: NODE_LABEL, value: 'true', effect: 'NoSchedule' } as const;
export const ROLE_LABEL = 'kubernetes.io/role';
export const HOSTNAME_LABEL = 'kubernetes.io/hostname';
export const ARCH_LABEL = 'kubernetes.io/arch';
export const OS_LABEL = 'kubernetes.io/os';
export const REGION_LABEL = 'topology.kubernetes.io/region';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const EXCLUDE_LOAD_BALANCERS_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
/** On a virtual node: the Cluster it stands for. */
export const NODE_CLUSTER_ANNOTATION = 'kosmos-io/owned-by-cluster';
/** On a virtual node of a whole cluster or of a party: which of the two it is. */
export const NODE_MODE_ANNOTATION = 'leafNodeMode';
/** Keeps ClusterLink away from a node. */
export const NODE_EXCLUDE_LABEL = 'kosmos.io/exclude';
export const VIRTUAL_NODE_PREFIX = 'kosmos-';
export const PROVIDER_ID_PREFIX = 'kosmos://';

/** On nodes and on objects in a member: the Cluster's name. */
export const CLUSTER_LABEL = 'kosmos.io/cluster';
/** On objects in a member: UID of the host's kube-system namespace. */
export const HOST_CLUSTER_LABEL = 'kosmos.io/host-cluster';
/** On pods in a member: short digest of host and Cluster, so that one selector tells ours from all others. */
export const OWNER_LABEL = 'kosmos.io/owner';
/** On objects in a member: UID of the host object that they copy. */
export const HOST_UID_ANNOTATION = 'kosmos.io/host-uid';
/** On a host pod: UID of its member pod, written together with the first status. */
export const MEMBER_UID_ANNOTATION = 'kosmos.io/member-uid';
/** On pods in a member, for compatibility with Kosmos. */
export const POD_LABEL = 'kosmos-io/pod';
/** On a pod: selectors to use in the member. */
export const CLUSTER_SELECTOR_ANNOTATION = 'kosmos.io/cluster-selector';
/** On a host pod: says why the member's scheduler has not placed the member pod; absent once it has. */
export const MEMBER_SCHEDULED_CONDITION = 'kosmos.io/MemberScheduled';
/** On a DaemonSet or its pods: may run on virtual nodes. */
export const DAEMONSET_ALLOW_ANNOTATION = 'kosmos-io/daemonset-allow';
/** On a Cluster, namespace or pod: what happens to pods while the member is unreachable. */
export const DISCONNECTION_POLICY_ANNOTATION = 'kosmos.io/disconnection-policy';
/** On a host pod: the tolerations of lost nodes that it had before a disconnection policy changed them. */
export const OWN_TOLERATIONS_ANNOTATION = 'kosmos.io/own-tolerations';

/** On Secrets and CertificateSigningRequests of the host: holds or asks for the serving certificate of a kubelet API. */
export const KUBELET_SERVING_LABEL = 'kosmos.io/kubelet-serving';
/** On the same: the virtual node that they are for. */
export const VIRTUAL_NODE_ANNOTATION = 'kosmos.io/virtual-node';
/** On a virtual node: says why its kubelet API has no serving certificate; absent when it never lacked one for long. */
export const KUBELET_SERVING_CONDITION = 'kosmos.io/KubeletServing';

/** On a Cluster. */
export const CLUSTER_ROLE_ANNOTATION = 'kosmos.io/cluster-role';
export const CLUSTER_ROLE_ROOT = 'root';
export const CLUSTER_FINALIZER = 'kosmos.io/cluster-manager';
export const CLEANUP_TIMEOUT_ANNOTATION = 'kosmos.io/cleanup-timeout';

export const KOSMOS_NAMESPACE = 'kosmos-system';
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';
/** Field manager of every write of the manager. */
export const FIELD_MANAGER = 'kosmos-manager';

/** Older form of {@link OS_LABEL}; Kosmos' virtual nodes carry it. */
export const BETA_OS_LABEL = 'beta.kubernetes.io/os';
/** Values of {@link NODE_MODE_ANNOTATION}. */
export const NODE_MODE_CLUSTER = 'one2cluster';
export const NODE_MODE_PARTY = 'one2party';
/** On a virtual node: what Kosmos wrote there, so that it can take it away again. */
export const NODE_MANAGED_ANNOTATION = 'kosmos.io/managed-keys';
/** On a Cluster, as Kosmos has it: where its Calico keeps its data. */
export const DATASTORE_ANNOTATION = 'datastoreType';
/** Value of {@link DATASTORE_ANNOTATION}: not in the cluster's API. */
export const ETCD_DATASTORE = 'etcdv3';
/** On a Cluster: name of the physical member that several Clusters share. */
export const ACTUAL_CLUSTER_LABEL = 'kosmos.io/actual-cluster-name';
/** Key of the kubeconfig in the Secret of `spec.kubeconfigSecretRef`. */
export const KUBECONFIG_SECRET_KEY = 'kubeconfig';
/** On that Secret, with the value `true`: the manager renews the token in it. */
export const MEMBER_CREDENTIAL_LABEL = 'kosmos.io/member-credential';
/** On that Secret: UID of the member's kube-system namespace. */
export const MEMBER_CLUSTER_UID_ANNOTATION = 'kosmos.io/member-cluster-uid';
/** On nodes of a member, with the value `true`: these alone get virtual nodes when each is to have its own. */
export const JOIN_LABEL = 'kosmos.io/join';
/** On what joining makes in a member: UID of the host's kube-system namespace. Nothing of it is swept as a copy would be. */
export const JOINED_HOST_LABEL = 'kosmos.io/joined-host';
/** On the same: name of the Cluster that it is for. */
export const JOINED_CLUSTER_LABEL = 'kosmos.io/joined-cluster';

/** ConfigMap with the certificate authority of a cluster's API server, which Kubernetes puts into every namespace. */
export const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt';
/** What the host's {@link ROOT_CA_CONFIG_MAP} is called in a member, where the member's own has that name. */
export const HOST_ROOT_CA_CONFIG_MAP = 'master-root-ca.crt';
/** Begins the names of the Secrets in a member that hold a pod's tokens; the UID of the host pod follows. */
export const TOKEN_SECRET_PREFIX = 'kosmos-token-';
/** On Secrets in a member, with the value `true`: it holds tokens of a host pod. */
export const TOKEN_LABEL = 'kosmos.io/token';
/** On such a Secret: when its tokens were issued and when they expire, by the host's clock; no secret. */
export const TOKEN_LIFETIMES_ANNOTATION = 'kosmos.io/token-lifetimes';

/** Provisioner of StorageClasses whose volumes are made in members. */
export const MEMBER_PROVISIONER = 'kosmos.io/member';
/** CSI driver of the volumes that stand in the host for those of members; nothing in the host can mount them. */
export const MEMBER_CSI_DRIVER = 'member.kosmos.io';
/** On a volume of the host: name of the member's volume that it stands for. */
export const MEMBER_VOLUME_ANNOTATION = 'kosmos.io/member-volume';
/** On a claim in a member: reclaim policy of the host's volume, for when that is gone. */
export const RECLAIM_POLICY_ANNOTATION = 'kosmos.io/reclaim-policy';
/** On a StorageClass of the host: members can reach its volumes. On volumes and claims in a member: a copy of such. */
export const ONE_WAY_ANNOTATION = 'kosmos.io/one-way';
/** On a volume of the host: pods of several members may use it at the same time. */
export const SHARED_VOLUME_ANNOTATION = 'kosmos.io/shared-volume';
/** On a volume of the host: the Clusters that have it, separated by commas. */
export const CLUSTER_OWNERS_ANNOTATION = 'kosmos-io/cluster-owners';

/** On a volume of the host whose source doesn't say it: the Cluster of the member that its data is in. */
export const MEMBER_CLUSTER_ANNOTATION = 'kosmos.io/member-cluster';

/** On copies that Kosmos in Go has made in a member. */
export const FORMER_COPY_ANNOTATION = 'kosmos.io/global';
/** On Services that Kosmos in Go has imported into a member. */
export const FORMER_IMPORT_ANNOTATION = 'kosmos.io/service-import';
/** On a copy that holds the token of the host's service account of that name, when that is `default`. */
export const FORMER_ACCOUNT_ANNOTATION = 'kosmos.io/service-account.name';
/** On a Deployment of Kosmos in Go that was stopped: how many replicas it had. */
export const FORMER_REPLICAS_ANNOTATION = 'kosmos.io/former-replicas';
/** In the node selector of a DaemonSet of Kosmos in Go that was stopped; no node has it. */
export const STOPPED_LABEL = 'kosmos.io/stopped';
/** Finalizers by which components of Kosmos in Go keep a Cluster until they have cleaned up. */
export const FORMER_FINALIZERS: readonly string[] = [
  'kosmos.io/distribute-controller-finalizer',
  'kosmos.io/cluster-start-finalizer',
  'kosmos.io/operator-controller',
];
/** Kubernetes' own: on a pod of a Job until that has counted it. */
export const JOB_TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
/** Kubernetes' own: on a Secret, the service account whose token it holds. */
export const ACCOUNT_NAME_ANNOTATION = 'kubernetes.io/service-account.name';

/** Kubernetes' own: on a claim, the node that its first pod goes to. */
export const SELECTED_NODE_ANNOTATION = 'volume.kubernetes.io/selected-node';
/** Kubernetes' own: on a volume, who made it. */
export const PROVISIONED_BY_ANNOTATION = 'pv.kubernetes.io/provisioned-by';

/** On a node: may carry the cross-cluster traffic of its cluster; any other node only when none has it. */
export const GATEWAY_LABEL = 'kosmos.io/gateway';
/** In `spec.roles` of a ClusterNode. */
export const GATEWAY_ROLE = 'gateway';
/** On a Cluster: whether the nodes that take part in ClusterLink have what was planned for them. */
export const CLUSTER_LINK_READY_CONDITION = 'ClusterLinkReady';
/** On a Cluster: ClusterLink has something to take away in the cluster before it may go. */
export const LINK_FINALIZER = 'kosmos.io/clusterlink';
/** Devices of the tunnels between clusters, and inside a cluster between its nodes and its gateway. */
export const BRIDGE_DEVICE = 'vx-bridge';
export const BRIDGE_DEVICE_6 = 'vx-bridge-6';
export const LOCAL_DEVICE = 'vx-local';
export const LOCAL_DEVICE_6 = 'vx-local-6';
