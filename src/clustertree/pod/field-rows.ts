/**
 * What becomes of a field of the host pod's spec in the member pod:
 * `copied` as it is, `rewritten` by a rule, `dropped` because it means nothing there, or `refused`: a pod that has it is
 * not made, and an Event says why.
 */
export type FieldTreatment = 'copied' | 'rewritten' | 'dropped' | 'refused';

/** A path, its treatment, and the rule or reason in Markdown. */
export type Row = readonly [path: string, treatment: FieldTreatment, why?: string];

const SECRET = 'the Secret that it names is copied';
const CONFIG_MAP = 'the ConfigMap that it names is copied; `kube-root-ca.crt` is called `master-root-ca.crt` there';
const SETTLED = 'the host has settled it when it chose the virtual node';

/** Paths whose children are classified one by one. */
export const OPEN_ROWS: readonly Row[] = [
  ['affinity', 'rewritten', 'see the parts'],
  ['containers[]', 'rewritten', 'see the parts'],
  ['initContainers[]', 'rewritten', 'see the parts'],
  [
    'ephemeralContainers[]',
    'rewritten',
    'added after creation through the subresource; one that is refused is left out',
  ],
  ['volumes[]', 'rewritten', 'see the sources'],
  ['volumes[].projected', 'rewritten', 'see the sources'],
  ['volumes[].projected.sources[]', 'rewritten', 'see the sources'],
];

/** Fields of the pod itself. */
export const POD_ROWS: readonly Row[] = [
  ...copied(
    'dnsConfig',
    'dnsPolicy',
    'hostAliases[]',
    'hostIPC',
    'hostNetwork',
    'hostPID',
    'hostUsers',
    'hostname',
    'hostnameOverride',
    'os',
    'restartPolicy',
    'securityContext',
    'setHostnameAsFQDN',
    'shareProcessNamespace',
    'subdomain',
    'terminationGracePeriodSeconds',
  ),
  ['activeDeadlineSeconds', 'copied', 'also when it is set or shortened later'],
  [
    'affinity.nodeAffinity',
    'rewritten',
    'conditions on labels that only virtual nodes have are evaluated on the virtual node; the others are kept',
  ],
  [
    'affinity.podAffinity',
    'rewritten',
    'terms whose `topologyKey` means something in the member are kept, with `matchLabelKeys` as expressions',
  ],
  ['affinity.podAntiAffinity', 'rewritten', 'as `podAffinity`'],
  [
    'automountServiceAccountToken',
    'rewritten',
    'always `false`: tokens come from the host, and one of the member would be the wrong identity',
  ],
  ['enableServiceLinks', 'rewritten', "always `false`; the host's services are put into `env` instead"],
  ['imagePullSecrets[]', 'copied', 'the Secrets that they name are copied, those that exist'],
  [
    'nodeName',
    'rewritten',
    "the member node's name when the virtual node stands for one node, else left to the member's scheduler",
  ],
  ['nodeSelector{}', 'rewritten', 'keys of labels that only virtual nodes have are dropped'],
  ['overhead{}', 'dropped', "the member's RuntimeClass sets it"],
  ['preemptionPolicy', 'dropped', "the member's PriorityClass sets it"],
  ['priority', 'dropped', "the member's PriorityClass sets it"],
  ['priorityClassName', 'rewritten', 'dropped with Event `PriorityClassMissing` when the member has no such class'],
  ['readinessGates[]', 'dropped', 'evaluated in the host, where their conditions are'],
  ['resourceClaims[]', 'refused', 'ResourceClaims are not copied to members'],
  ['resources', 'copied', 'also when resized'],
  ['resources.claims[]', 'refused', 'ResourceClaims are not copied to members'],
  ['runtimeClassName', 'rewritten', 'refused (`RuntimeClassMissing`) when the member has no such class'],
  [
    'schedulerName',
    'rewritten',
    "`kosmos-scheduler` and `default-scheduler` become the member's default; others are kept",
  ],
  ['schedulingGates[]', 'dropped', 'a bound pod has none'],
  ['schedulingGroup', 'dropped', SETTLED],
  ['serviceAccount', 'dropped', 'as `serviceAccountName`'],
  ['serviceAccountName', 'copied', 'the member gets a bare account of that name when it has none'],
  [
    'tolerations[]',
    'rewritten',
    "those of the virtual node's own taints are dropped, and the two that the host's admission adds by default, because the member's adds its own",
  ],
  [
    'topologySpreadConstraints[]',
    'rewritten',
    'those over keys that mean something in the member are kept, over host names as a preference; `minDomains` is dropped, `matchLabelKeys` become expressions',
  ],
];

/** Fields of every container, below its list. */
export const CONTAINER_ROWS: readonly Row[] = [
  ...copied(
    'args[]',
    'command[]',
    'env[].value',
    'env[].valueFrom.fileKeyRef',
    'env[].valueFrom.resourceFieldRef',
    'envFrom[].prefix',
    'imagePullPolicy',
    'lifecycle',
    'livenessProbe',
    'name',
    'ports[]',
    'readinessProbe',
    'resizePolicy[]',
    'restartPolicy',
    'restartPolicyRules[]',
    'securityContext',
    'startupProbe',
    'stdin',
    'stdinOnce',
    'terminationMessagePath',
    'terminationMessagePolicy',
    'tty',
    'volumeDevices[]',
    'volumeMounts[]',
    'workingDir',
  ),
  [
    'env[].name',
    'copied',
    "before the pod's own variables come those of the host's services, in order of service name",
  ],
  ['env[].valueFrom.configMapKeyRef', 'rewritten', CONFIG_MAP],
  [
    'env[].valueFrom.fieldRef',
    'rewritten',
    '`metadata.uid` becomes that of the host pod; the member answers all others',
  ],
  ['env[].valueFrom.secretKeyRef', 'copied', `the reference; ${SECRET}`],
  ['envFrom[].configMapRef', 'rewritten', CONFIG_MAP],
  ['envFrom[].secretRef', 'copied', `the reference; ${SECRET}`],
  ['image', 'copied', 'also when changed'],
  ['resources', 'copied', 'also when resized'],
  ['resources.claims[]', 'refused', 'ResourceClaims are not copied to members'],
];

/** Parts of a container whose children are classified one by one. */
export const OPEN_CONTAINER_ROWS: readonly Row[] = [
  ['env[]', 'rewritten', 'see the parts'],
  ['env[].valueFrom', 'rewritten', 'see the parts'],
  ['envFrom[]', 'rewritten', 'see the parts'],
];

/** Fields of a volume, below `volumes[]`. */
export const VOLUME_ROWS: readonly Row[] = [
  ...copied(
    'projected.defaultMode',
    'awsElasticBlockStore',
    'azureDisk',
    'azureFile',
    'cephfs',
    'cinder',
    'csi',
    'emptyDir',
    'fc',
    'flexVolume',
    'flocker',
    'gcePersistentDisk',
    'gitRepo',
    'hostPath',
    'image',
    'iscsi',
    'name',
    'nfs',
    'photonPersistentDisk',
    'portworxVolume',
    'quobyte',
    'rbd',
    'scaleIO',
    'storageos',
    'vsphereVolume',
  ),

  ['azureFile.secretName', 'copied', SECRET],
  ['cephfs.secretRef', 'copied', SECRET],
  ['cinder.secretRef', 'copied', SECRET],
  ['configMap', 'rewritten', CONFIG_MAP],
  ['csi.nodePublishSecretRef', 'copied', SECRET],
  ['downwardAPI', 'rewritten', "`metadata.uid` shows the host pod's UID; the member answers all others"],
  ['ephemeral', 'rewritten', 'a `persistentVolumeClaim` of the claim that the host makes for it'],
  ['flexVolume.secretRef', 'copied', SECRET],
  ['glusterfs', 'refused', 'names an Endpoints object, which is not copied to members'],
  ['iscsi.secretRef', 'copied', SECRET],
  ['persistentVolumeClaim', 'copied', 'the claim is made in the member first, see [volumes](../storage.md)'],
  [
    'projected.sources[].clusterTrustBundle',
    'refused',
    'trust bundles are not copied to members; an optional one is dropped',
  ],
  ['projected.sources[].configMap', 'rewritten', CONFIG_MAP],
  ['projected.sources[].downwardAPI', 'rewritten', 'as `volumes[].downwardAPI`'],
  ['projected.sources[].podCertificate', 'refused', "the certificate would be one of the member's"],
  ['projected.sources[].secret', 'copied', SECRET],
  [
    'projected.sources[].serviceAccountToken',
    'rewritten',
    'an item of the Secret `kosmos-token-<UID>`, which holds tokens of the host',
  ],
  ['rbd.secretRef', 'copied', SECRET],
  ['scaleIO.secretRef', 'copied', SECRET],
  ['secret', 'copied', SECRET],
  ['storageos.secretRef', 'copied', SECRET],
];

function copied(...paths: readonly string[]): Row[] {
  return paths.map((path) => [path, 'copied']);
}
