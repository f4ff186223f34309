import type { ClusterLinkOptions } from '../../apis/kosmos/v1alpha1/cluster.js';
import { parseHostApiAddress } from '../../clustertree/cluster/host-api.js';
import { LOG_LEVELS } from '../../runtime/log-level.js';
import { HOST_CLUSTER } from './labels.js';
import { PLANNER_DEFAULTS, PLANNER_HELP, plannerProblems, type PlannerValues } from './planner-values.js';

/** Settings of an installation: the values of the Helm chart, and what `kosmosctl install` fills in. */
export interface InstallValues {
  readonly image: {
    readonly repository: string;
    /** The version of the chart when empty. */
    readonly tag: string;
    readonly pullPolicy: 'Always' | 'IfNotPresent' | 'Never';
    /** Names of Secrets, as in a pod's `imagePullSecrets`. */
    readonly pullSecrets: readonly { readonly name: string }[];
  };
  readonly replicas: number;
  readonly logLevel: string;
  readonly resources: object;
  readonly nodeSelector: object;
  readonly tolerations: readonly object[];
  readonly priorityClassName: string;
  /** Pods of the host run in members. */
  readonly clusterTree: { readonly enabled: boolean };
  /** Networks of clusters are linked. */
  readonly clusterLink: {
    readonly enabled: boolean;
    /** The host's own `clusterLinkOptions`. */
    readonly options: ClusterLinkOptions;
    readonly agent: { readonly resources: object; readonly stateDir: string };
    readonly planner: PlannerValues;
  };
  readonly kubelet: {
    /** Virtual nodes publish the cluster IP of a Service, which stays when the leader changes; else the pods' own. */
    readonly service: boolean;
    readonly firstPort: number;
    /** How many virtual nodes may have a kubelet API. */
    readonly ports: number;
    readonly servingCertificates: 'csr' | 'self-signed';
    /** Let the manager approve the serving certificates that it asks for. */
    readonly approveCertificates: boolean;
  };
  /** `host:port` at which pods in members reach the host's API server. */
  readonly hostApiServer: string;
  readonly excludeExistingDaemonsets: boolean;
  readonly podDisruptionBudget: boolean;
  readonly podMonitor: boolean;
  readonly alertRules: boolean;
}

/** What the installer knows beside the values; Helm has names of its own for these. */
export interface InstallContext {
  readonly namespace: string;
  readonly version: string;
}

export const DEFAULT_VALUES: InstallValues = {
  image: { repository: 'kosmos.local/kosmos', tag: '', pullPolicy: 'IfNotPresent', pullSecrets: [] },
  replicas: 2,
  logLevel: 'info',
  resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '768Mi' } },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [
    { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
  ],
  priorityClassName: 'system-cluster-critical',
  clusterTree: { enabled: true },
  clusterLink: {
    enabled: true,
    options: { cni: 'calico', networkType: 'gateway', ipFamily: 'ipv4' },
    agent: {
      resources: { requests: { cpu: '100m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      stateDir: '/var/lib/kosmos/agent',
    },
    planner: PLANNER_DEFAULTS,
  },
  kubelet: { service: true, firstPort: 10250, ports: 64, servingCertificates: 'csr', approveCertificates: true },
  hostApiServer: '',
  excludeExistingDaemonsets: false,
  podDisruptionBudget: true,
  podMonitor: false,
  alertRules: false,
};

/** What each value means, by path; also for the chart's values.yaml and its schema. */
export const VALUE_HELP: Readonly<Record<string, string>> = {
  image: 'The image that hack/image/build.sh makes.',
  'image.repository': 'Registry and repository, without tag.',
  'image.tag': 'The version of the chart when empty.',
  'image.pullPolicy': 'Always, IfNotPresent or Never.',
  'image.pullSecrets': 'Secrets for a private registry, each as {name: …}.',
  replicas: 'Managers. One leads and writes, all serve the kubelet API of virtual nodes.',
  logLevel: 'Log lines below this level are left out.',
  resources: 'Of each manager. About 100 MiB, and 25 KiB for each pod in members; see docs/operations.md.',
  nodeSelector: 'Nodes of the host that may run the manager; virtual nodes never do.',
  tolerations: 'Taints of nodes that the manager may run on all the same.',
  priorityClassName: 'Without the manager nothing moves in the federation.',
  clusterTree: 'Pods of the host in members, by virtual nodes.',
  'clusterTree.enabled': 'Let the managers keep virtual nodes and their pods.',
  clusterLink: 'Pod and service addresses of each cluster, reachable from all others.',
  'clusterLink.enabled': "Let the managers link networks, and run an agent on each of the host's own nodes.",
  'clusterLink.options': `How the host's own network is linked: clusterLinkOptions of its Cluster, ${HOST_CLUSTER}.`,
  'clusterLink.agent': 'The agents on nodes of the host.',
  'clusterLink.agent.resources': 'Of each agent.',
  'clusterLink.agent.stateDir': 'Folder of the node for what the agent remembers.',
  ...PLANNER_HELP,
  kubelet: 'The kubelet API of virtual nodes: kubectl logs, exec, port-forward, and figures.',
  'kubelet.service':
    'Publish the cluster IP of a Service, which stays when the leader changes. Else virtual nodes publish addresses of pods.',
  'kubelet.firstPort': 'Each virtual node has a port of its own, from this one on.',
  'kubelet.ports': 'How many virtual nodes may have one; a Service names each port, at most 100.',
  'kubelet.servingCertificates': 'csr: from the signer kubernetes.io/kubelet-serving; self-signed: from nowhere.',
  'kubelet.approveCertificates': 'Let the manager approve the serving certificates that it asks for.',
  hostApiServer: "host:port at which pods in members reach the host's API server, where no network joins the clusters.",
  excludeExistingDaemonsets: 'Exclude DaemonSets from virtual nodes that were there before; that restarts their pods.',
  podDisruptionBudget: 'Keep one manager running when nodes are drained.',
  podMonitor: 'Let the Prometheus operator scrape the managers.',
  alertRules: 'Alerts for the Prometheus operator.',
};

const MOST_SERVICE_PORTS = 100;
const MAX_PORT = 65535;

/** What is wrong with the values, each with the path of its field; empty when nothing is. */
export function valueProblems(values: InstallValues): readonly string[] {
  const { replicas, image, hostApiServer } = values;
  const checks: readonly (readonly [isGood: boolean, problem: string])[] = [
    [Number.isInteger(replicas) && replicas >= 1, 'replicas: must be a whole number from 1 on'],
    [
      isRepository(image.repository),
      `image.repository: "${image.repository}" is not registry/repository without a tag`,
    ],
    [/^[\w.-]{0,128}$/.test(image.tag), `image.tag: "${image.tag}" is not a tag`],
    choiceCheck('image.pullPolicy', image.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
    choiceCheck('logLevel', values.logLevel, LOG_LEVELS),
    choiceCheck('kubelet.servingCertificates', values.kubelet.servingCertificates, ['csr', 'self-signed']),
    ...portChecks(values.kubelet),
    [
      values.clusterTree.enabled || values.clusterLink.enabled,
      'clusterTree.enabled, clusterLink.enabled: one of them has to be true',
    ],
    ...linkChecks(values.clusterLink),
    [
      hostApiServer === '' || parseHostApiAddress(hostApiServer) !== undefined,
      `hostApiServer: "${hostApiServer}" is not host:port`,
    ],
  ];
  return checks.flatMap(([isGood, problem]) => (isGood ? [] : problem));
}

function choiceCheck(path: string, given: string, choices: readonly string[]): readonly [boolean, string] {
  return [choices.includes(given), `${path}: must be one of ${choices.join(', ')}`];
}

function portChecks(kubelet: InstallValues['kubelet']): readonly (readonly [isGood: boolean, problem: string])[] {
  const { service, ports, firstPort } = kubelet;
  const most = service ? MOST_SERVICE_PORTS : MAX_PORT;
  const isInRange = Number.isInteger(firstPort) && firstPort >= 1 && firstPort + ports - 1 <= MAX_PORT;
  return [
    [Number.isInteger(ports) && ports >= 1 && ports <= most, `kubelet.ports: must be a whole number from 1 to ${most}`],
    [isInRange, `kubelet.firstPort: the ports must lie between 1 and ${MAX_PORT}`],
  ];
}

function linkChecks({
  options,
  agent,
  planner,
}: InstallValues['clusterLink']): readonly (readonly [boolean, string])[] {
  const path = 'clusterLink.options';
  return [
    choiceCheck(`${path}.networkType`, options.networkType ?? 'p2p', ['p2p', 'gateway']),
    choiceCheck(`${path}.ipFamily`, options.ipFamily ?? 'all', ['all', 'ipv4', 'ipv6']),
    [agent.stateDir.startsWith('/'), 'clusterLink.agent.stateDir: must be an absolute path'],
    ...plannerProblems(planner).map((problem) => [false, problem] as const),
  ];
}

function isRepository(name: string): boolean {
  return /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::\d+)?(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/.test(name);
}
