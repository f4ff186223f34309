import { createHash } from 'node:crypto';
import type { Namespace, Pod, PodSpec, Service } from '../../apis/core.js';
import type { ProbePlan } from '../../clusterlink/floater/plan.js';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../managed-by.js';
import { PART_OF, PART_OF_LABEL } from '../manifests/labels.js';

/** On all pods of a check, with what each one is for. */
export const CHECK_LABEL = 'kosmos.io/check';
/** Which node a pod is for. */
export const NODE_ANNOTATION = 'kosmos.io/check-node';
/** Name of the Service and of the containers. */
export const FLOATER = 'kosmos-floater';

/** What all pods of a check have in common. */
export interface FloaterSettings {
  readonly namespace: string;
  readonly image: string;
  /** Where floaters listen, TCP and UDP alike. */
  readonly port: number;
  /** Probes run in the networks of the nodes. */
  readonly hostNetwork: boolean;
}

const NODE = '/usr/local/bin/node';
const PROGRAM = '/opt/kosmos/dist/src/bin/agent.js';
const USER = 65532;
/** When whoever started them can't remove them, they end by themselves. */
const LONGEST_CHECK_SECONDS = 3_600;

export function namespaceManifest({ namespace, hostNetwork }: FloaterSettings): Namespace {
  const labels = {
    [MANAGED_BY_LABEL]: MANAGED_BY,
    [PART_OF_LABEL]: PART_OF,
    [CHECK_LABEL]: 'namespace',
    'pod-security.kubernetes.io/enforce': hostNetwork ? 'privileged' : 'restricted',
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
}

/** All floaters of a cluster by one address, in each family that the cluster has. */
export function serviceManifest({ namespace, port }: FloaterSettings): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name: FLOATER, labels: { [PART_OF_LABEL]: PART_OF } },
    spec: {
      selector: { [CHECK_LABEL]: 'floater' },
      ipFamilyPolicy: 'PreferDualStack',
      ports: [{ name: 'tcp', port, targetPort: port, protocol: 'TCP' }],
    },
  };
}

/** Answers probes on a node. */
export function floaterPod(settings: FloaterSettings, node: string): Pod {
  const { port } = settings;
  const args = ['floater', `--floater-tcp-port=${port}`, `--floater-udp-port=${port}`, '--floater-http-port=0'];
  return podManifest(settings, { node, role: 'floater', args }, (container) => ({
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 60 },
    ...container,
  }));
}

/** Tries from a node what the plan says, and ends. */
export function probePod(settings: FloaterSettings, node: string, index: number, plan: ProbePlan): Pod {
  const env = [{ name: 'KOSMOS_PROBE_PLAN', value: JSON.stringify(plan) }];
  const pod = podManifest(settings, { node, role: `probe-${index}`, args: ['probe'] }, (container) => ({
    ...container,
    env,
    ...(settings.hostNetwork && { securityContext: RAW_SOCKETS }),
  }));
  if (!settings.hostNetwork) return pod;
  const { securityContext: _ofPods, ...spec } = pod.spec ?? { containers: [] };
  return { ...pod, spec: { ...spec, hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } };
}

type Container = PodSpec['containers'][number];

/** Nodes keep ping sockets to nobody, so these need root, and nothing else that root could. */
const RAW_SOCKETS: NonNullable<Container['securityContext']> = {
  runAsUser: 0,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Bound to its node from the start: also nodes that get no pods for the moment are to be checked. */
function podManifest(
  { namespace, image }: FloaterSettings,
  { node, role, args }: { readonly node: string; readonly role: string; readonly args: readonly string[] },
  refine: (container: Container) => Container,
): Pod {
  const [kind = role] = role.split('-');
  const digest = createHash('sha256').update(node).digest('hex').slice(0, 16);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ namespace, name: `${role}-${digest}` },
      labels: { [CHECK_LABEL]: kind, [PART_OF_LABEL]: PART_OF },
      annotations: { [NODE_ANNOTATION]: node },
    },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      activeDeadlineSeconds: LONGEST_CHECK_SECONDS,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: USER, runAsGroup: USER },
        seccompProfile: { type: 'RuntimeDefault' },
        // Lets the pod, and nobody else, send pings without a capability.
        sysctls: [{ name: 'net.ipv4.ping_group_range', value: '0 2147483647' }],
      },
      containers: [
        refine({
          ...{ name: FLOATER, image, imagePullPolicy: 'IfNotPresent', command: [NODE, PROGRAM], args: [...args] },
          // Less of a CPU, and on a busy node answers would come too late.
          resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '256Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        }),
      ],
    },
  };
}
