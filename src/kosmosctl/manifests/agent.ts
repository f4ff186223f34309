import { NODE_EXCLUDE_LABEL, NODE_LABEL } from '../../apis/names.js';
import { AGENT_NAMESPACE_RIGHTS, AGENT_RIGHTS } from '../rights/agent-rights.js';
import { ruleOf } from '../rights/right.js';
import { AGENT, AGENT_LABELS, AGENT_SELECTOR, namespaced } from './labels.js';
import { text, value, when, type Template, type TemplateMap } from './template.js';

const RBAC = 'rbac.authorization.k8s.io';
const HEALTH_PORT = 4879;
/** The flags are those of the first line of the program, which counts only when a shell starts it. */
export const AGENT_COMMAND = [
  '/usr/local/bin/node',
  ...['--max-semi-space-size=1', '--max-old-space-size=64', '--optimize-for-size', '--no-opt', '--no-maglev'],
  ...['--no-sparkplug', '--v8-pool-size=0', '--liftoff-only', '/opt/kosmos/dist/src/bin/agent.js'],
];
/** NET_ADMIN: devices, routes, nftables and settings of the network. SYS_NICE: to answer probes on a busy node. */
export const AGENT_CAPABILITIES = ['NET_ADMIN', 'SYS_NICE'];
const STATE = '/var/lib/kosmos/agent';
/** `/proc/sys` is read-only in a container that is not privileged, so the part that is needed is mounted beside it. */
const SYSCTL = '/host/sys';

function probe(path: string, more: TemplateMap): TemplateMap {
  return { httpGet: { path, port: 'health' }, timeoutSeconds: 3, ...more };
}

function container(clusterName: Template): TemplateMap {
  return {
    name: 'agent',
    image: text`${value('image.repository')}:${value('image.tag', 'version')}`,
    imagePullPolicy: value('image.pullPolicy'),
    command: AGENT_COMMAND,
    args: [
      // Nodes of one machine, as in a test, must not share a folder.
      `--state-dir=${STATE}/$(NODE_NAME)`,
      `--sysctl-dir=${SYSCTL}`,
      text`--log-level=${value('logLevel')}`,
      text`--lease-namespace=${value('namespace')}`,
      `--health-port=${HEALTH_PORT}`,
    ],
    env: [
      { name: 'CLUSTER_NAME', value: clusterName },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ],
    ports: [{ name: 'health', containerPort: HEALTH_PORT }],
    // A node that is just booting has other things to do.
    startupProbe: probe('/livez', { periodSeconds: 2, failureThreshold: 150 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: 6 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5, failureThreshold: 3 }),
    resources: value('clusterLink.agent.resources'),
    securityContext: {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: AGENT_CAPABILITIES },
    },
    volumeMounts: [
      { name: 'state', mountPath: STATE },
      { name: 'sysctl', mountPath: `${SYSCTL}/net` },
    ],
  };
}

function daemonSet(clusterName: Template): TemplateMap {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: namespaced(AGENT, AGENT_LABELS),
    spec: {
      selector: { matchLabels: AGENT_SELECTOR },
      revisionHistoryLimit: 3,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels: AGENT_LABELS },
        spec: {
          serviceAccountName: AGENT,
          priorityClassName: 'system-node-critical',
          hostNetwork: true,
          // It asks for no name: the API server's address is in its environment.
          dnsPolicy: 'Default',
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 10,
          imagePullSecrets: when('image.pullSecrets', value('image.pullSecrets')),
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [
                  // The manager leaves out the same: virtual nodes, and those that somebody has excluded.
                  {
                    matchExpressions: [NODE_LABEL, NODE_EXCLUDE_LABEL].map((key) => ({
                      ...{ key, operator: 'NotIn', values: ['true'] },
                    })),
                  },
                ],
              },
            },
          },
          containers: [container(clusterName)],
          volumes: [
            { name: 'state', hostPath: { path: value('clusterLink.agent.stateDir'), type: 'DirectoryOrCreate' } },
            { name: 'sysctl', hostPath: { path: '/proc/sys/net', type: 'Directory' } },
          ],
        },
      },
    },
  };
}

/**
 * The agents of one cluster with their identity, in the order in which they are applied; the DaemonSet last.
 *
 * @param clusterName - name of the Cluster that the nodes belong to
 */
export function agentManifests(clusterName: Template): readonly TemplateMap[] {
  const metadata = { name: AGENT, labels: AGENT_LABELS };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: namespaced(AGENT, AGENT_LABELS) },
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata, rules: AGENT_RIGHTS.map(ruleOf) },
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: AGENT },
      subjects: [{ kind: 'ServiceAccount', name: AGENT, namespace: value('namespace') }],
    },
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: namespaced(AGENT, AGENT_LABELS) },
      rules: AGENT_NAMESPACE_RIGHTS.map(ruleOf),
    },
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata: namespaced(AGENT, AGENT_LABELS) },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: AGENT },
      subjects: [{ kind: 'ServiceAccount', name: AGENT, namespace: value('namespace') }],
    },
    daemonSet(clusterName),
  ];
}
