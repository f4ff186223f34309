import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isIpv6 } from './addresses.js';
import { ensureSuite, type Binaries } from './binaries.js';
import { CertificateAuthority } from './certificates.js';
import type { LabCluster } from './cluster.js';
import { clusterFiles, programPath } from './control-plane.js';
import type { Lab } from './lab.js';
import { METRICS_SERVER, pinnedVersion } from './programs.js';
import { waitFor } from './run.js';
import type { LabProcess } from './supervisor.js';

const NAME = 'metrics-server';
const NAMESPACE = 'kube-system';
const SERVICE_HOST = `${NAME}.${NAMESPACE}.svc`;
const PORT = 4443;
const READY_LIMIT_MS = 60_000;
const RBAC = 'rbac.authorization.k8s.io';

type Manifest = Readonly<Record<string, unknown>>;

/** Rights of metrics-server, as its own manifests give them: the fine-grained `nodes/metrics`, not `nodes/proxy`. */
function roles(): readonly Manifest[] {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }];
  const binding = (name: string, role: string): Manifest => ({
    ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, subjects },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  });
  return [
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name: `system:${NAME}` } },
      rules: [
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    binding(`system:${NAME}`, `system:${NAME}`),
    binding(`${NAME}:system:auth-delegator`, 'system:auth-delegator'),
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', subjects },
      metadata: { name: `${NAME}-auth-reader`, namespace: NAMESPACE },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
    },
  ];
}

/** What registers metrics-server with an API server: it runs as a process, so its Service selects no pods. */
export function metricsServerManifests(address: string, caBundle: string): Manifest {
  const metadata = { name: NAME, namespace: NAMESPACE };
  const slice = {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: isIpv6(address) ? 'IPv6' : 'IPv4' },
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': NAME } },
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port: PORT, protocol: 'TCP' }],
  };
  const registration = {
    ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1beta1.metrics.k8s.io' } },
    spec: {
      ...{ group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100, caBundle },
      service: { ...metadata, port: 443 },
    },
  };
  const service = {
    ...{ apiVersion: 'v1', kind: 'Service', metadata },
    spec: { ports: [{ name: 'https', port: 443, targetPort: PORT }] },
  };
  return { apiVersion: 'v1', kind: 'List', items: [...roles(), service, slice, registration] };
}

/** Makes sure that the program is in the cache, and says where. Without Go it can't be had. */
export async function ensureMetricsServer(log: (line: string) => void): Promise<Binaries> {
  return ensureSuite(METRICS_SERVER, pinnedVersion(METRICS_SERVER), log);
}

/**
 * Starts metrics-server for a cluster and resolves when `metrics.k8s.io` is served there; figures of a pod come some
 * 20 s after its start. It takes kubelets' ports from their nodes and trusts only the cluster's CA. The API server
 * reaches it directly, so the lab must have been started with {@link METRICS_SERVER_ARGS}.
 */
export async function startMetricsServer(lab: Lab, cluster: LabCluster): Promise<LabProcess> {
  const binaries = await ensureMetricsServer(() => undefined);
  const [address = ''] = cluster.addresses;
  const { pki } = clusterFiles(cluster.directory);
  const authority = CertificateAuthority.open(pki, 'ca');
  const serving = await authority.issue(pki, NAME, { commonName: SERVICE_HOST, hosts: [SERVICE_HOST, address] });
  const kubeconfig = await cluster.addUser({ name: NAME, credential: 'token' });
  const caBundle = (await readFile(authority.certificate)).toString('base64');
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(metricsServerManifests(address, caBundle)) });
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--bind-address=${address}`,
    `--secure-port=${PORT}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
    `--kubelet-certificate-authority=${authority.certificate}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--kubelet-use-node-status-port',
    // The least that it takes; a request to a kubelet has to end before the next.
    '--metric-resolution=10s',
    '--kubelet-request-timeout=8s',
  ];
  const logFile = join(clusterFiles(cluster.directory).logs, `${NAME}.log`);
  const server = await lab.spawnIn(cluster.name, programPath(binaries, NAME), flags, { name: NAME, logFile });
  await waitForMetrics(cluster, server);
  return server;
}

/** Flags of programs that {@link startMetricsServer} needs: the API server dials endpoints itself, without kube-proxy. */
export const METRICS_SERVER_ARGS = { 'kube-apiserver': ['--enable-aggregator-routing=true'] } as const;

async function waitForMetrics(cluster: LabCluster, server: LabProcess): Promise<void> {
  const probe = (): Promise<unknown> => cluster.api.json('GET', '/apis/metrics.k8s.io/v1beta1/nodes');
  const check = (): void => {
    if (!server.alive()) throw new Error(`${NAME} has ended, see ${server.logFile}`);
  };
  await waitFor(`metrics.k8s.io of ${cluster.name}`, probe, { timeoutMs: READY_LIMIT_MS, check });
}
