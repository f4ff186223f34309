import { NODE_LABEL } from '../../apis/names.js';
import { MANAGER, MANAGER_LABELS, MANAGER_SELECTOR, namespaced } from './labels.js';
import { PLANNER_ARGS } from './planner-values.js';
import { ForEachNumber, ITEM, text, value, when, type Template, type TemplateMap } from './template.js';

const HEALTH_PORT = 8080;
const NODE = '/usr/local/bin/node';
const PROGRAM = '/opt/kosmos/dist/src/bin/manager.js';
/** As in the first line of the program, which counts only when a shell starts it. */
export const NODE_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=30'];
const USER = 65532;

const fieldRef = (name: string, fieldPath: string): Template => ({ name, valueFrom: { fieldRef: { fieldPath } } });

function probe(path: string, more: TemplateMap): TemplateMap {
  return { httpGet: { path, port: 'health' }, timeoutSeconds: 3, ...more };
}

const CONTAINER: TemplateMap = {
  name: 'manager',
  image: text`${value('image.repository')}:${value('image.tag', 'version')}`,
  imagePullPolicy: value('image.pullPolicy'),
  command: [NODE, ...NODE_FLAGS, PROGRAM],
  args: [
    when('clusterTree.enabled && clusterLink.enabled', '--modules=clustertree,clusterlink'),
    when('clusterTree.enabled && !clusterLink.enabled', '--modules=clustertree'),
    when('!clusterTree.enabled', '--modules=clusterlink'),
    text`--lease-namespace=${value('namespace')}`,
    text`--log-level=${value('logLevel')}`,
    text`--kubelet-port=${value('kubelet.firstPort')}`,
    text`--kubelet-port-count=${value('kubelet.ports')}`,
    text`--kubelet-serving-certificates=${value('kubelet.servingCertificates')}`,
    when('clusterTree.enabled && kubelet.service', text`--kubelet-service=${value('namespace')}/kosmos-manager`),
    when('hostApiServer', text`--host-api-server=${value('hostApiServer')}`),
    when('excludeExistingDaemonsets', '--exclude-existing-daemonsets'),
    `--health-port=${HEALTH_PORT}`,
    ...PLANNER_ARGS,
  ],
  env: [fieldRef('POD_IPS', 'status.podIPs')],
  ports: [{ name: 'health', containerPort: HEALTH_PORT }],
  startupProbe: probe('/livez', { periodSeconds: 1, failureThreshold: 60 }),
  livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: 6 }),
  readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 2 }),
  resources: value('resources'),
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
};

const POD: TemplateMap = {
  metadata: { labels: MANAGER_LABELS },
  spec: {
    serviceAccountName: MANAGER,
    priorityClassName: value('priorityClassName'),
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: false,
    imagePullSecrets: when('image.pullSecrets', value('image.pullSecrets')),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    nodeSelector: when('nodeSelector', value('nodeSelector')),
    tolerations: when('tolerations', value('tolerations')),
    affinity: {
      // It must not depend on a member.
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: NODE_LABEL, operator: 'DoesNotExist' }] }],
        },
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: {
              topologyKey: 'kubernetes.io/hostname',
              labelSelector: { matchLabels: MANAGER_SELECTOR },
            },
          },
        ],
      },
    },
    containers: [CONTAINER],
  },
};

/** The managers themselves. */
export const DEPLOYMENT: TemplateMap = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: namespaced(MANAGER),
  spec: {
    replicas: value('replicas'),
    revisionHistoryLimit: 3,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    selector: { matchLabels: MANAGER_SELECTOR },
    template: POD,
  },
};

/** The address that virtual nodes publish, whoever leads. */
export const KUBELET_SERVICE: TemplateMap = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: namespaced(MANAGER),
  spec: {
    selector: MANAGER_SELECTOR,
    ports: [
      new ForEachNumber('kubelet.firstPort', 'kubelet.ports', {
        name: text`kubelet-${ITEM}`,
        port: ITEM,
        targetPort: ITEM,
        protocol: 'TCP',
      }),
    ],
  },
};

export const DISRUPTION_BUDGET: TemplateMap = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: namespaced(MANAGER),
  spec: { minAvailable: 1, selector: { matchLabels: MANAGER_SELECTOR } },
};
