import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Binaries } from '../binaries.js';
import { CertificateAuthority } from '../certificates.js';
import { clusterFiles, processName, programPath } from '../control-plane.js';
import { writeKubeconfig } from '../kubeconfig.js';
import type { LabConfig } from '../options.js';
import type { ClusterPlan, NodePlan } from '../plan.js';
import type { ProcessSpec } from '../state.js';
import { containerdSocket } from './containerd.js';

/** A node of a full cluster that a program is to be run for. */
export interface NodeRequest {
  readonly plan: ClusterPlan;
  readonly node: NodePlan;
  readonly binaries: Binaries;
  readonly extraArgs: LabConfig['extraArgs'];
}

/** Folder of a kubelet for volumes, checkpoints and sockets. */
export function kubeletRoot(node: NodePlan): string {
  return join(node.directory, 'kubelet');
}

/** The KubeletConfiguration of a node. */
export function kubeletConfig(plan: ClusterPlan, node: NodePlan): Record<string, unknown> {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(clusterFiles(plan.directory).pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(node.directory, 'kubelet-serving.crt'),
    tlsPrivateKeyFile: join(node.directory, 'kubelet-serving.key'),
    containerRuntimeEndpoint: `unix://${containerdSocket(node)}`,
    cgroupDriver: 'cgroupfs',
    // Two kubelets with the same root would take each other's pods for leftovers and kill them.
    cgroupRoot: node.cgroup,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    clusterDomain: 'cluster.local',
    clusterDNS: [plan.ranges.dnsServiceAddress],
    resolvConf: join(node.directory, 'resolv.conf'),
    podLogsDir: join(node.directory, 'pod-logs'),
    volumePluginDir: join(node.directory, 'volume-plugins'),
    // Else an image that was imported after kubelet had started is pulled again, which fails.
    imagePullCredentialsVerificationPolicy: 'NeverVerify',
    // The disk is the developer's: a nearly full one shouldn't empty the cluster.
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    logging: { verbosity: 1 },
  };
}

/** Fields that older kubelets don't know, and the minor version that brought them. */
const SINCE_MINOR: Readonly<Record<string, number>> = { imagePullCredentialsVerificationPolicy: 33 };

/** Leaves out what a kubelet of that version (as `v1.31.4`) would refuse to read. */
export function configForVersion(config: Record<string, unknown>, version: string): Record<string, unknown> {
  const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1]);
  return Object.fromEntries(Object.entries(config).filter(([name]) => minor >= (SINCE_MINOR[name] ?? 0)));
}

async function createNodeCredentials(plan: ClusterPlan, node: NodePlan): Promise<string> {
  const authority = CertificateAuthority.open(clusterFiles(plan.directory).pki, 'ca');
  const user = `system:node:${node.name}`;
  const [credential] = await Promise.all([
    authority.issue(node.directory, 'kubelet-client', { commonName: user, organizations: ['system:nodes'] }),
    authority.issue(node.directory, 'kubelet-serving', { commonName: user, hosts: [node.name, ...node.addresses] }),
  ]);
  const file = join(node.directory, 'kubelet.kubeconfig');
  const { certificate } = authority;
  await writeKubeconfig({ file, cluster: plan.name, server: plan.server, authority: certificate, user, credential });
  return file;
}

/** Writes credentials and configuration and says how to run the kubelet of a node. */
export async function kubeletSpec(request: NodeRequest, version: string): Promise<ProcessSpec> {
  const { plan, node } = request;
  await mkdir(node.directory, { recursive: true });
  const kubeconfig = await createNodeCredentials(plan, node);
  const config = join(node.directory, 'kubelet.yaml');
  await writeFile(config, stringify(configForVersion(kubeletConfig(plan, node), version)));
  // Pods that want the node's DNS get none: nothing outside the lab can be reached.
  await writeFile(join(node.directory, 'resolv.conf'), '');
  const machine = plan.machines.indexOf(node) + 1;
  const zone = `${plan.name}-${'abc'.charAt((machine - 1) % 3)}`;
  return {
    name: processName(plan.name, 'kubelet', machine),
    namespace: node.namespace,
    command: programPath(request.binaries, 'kubelet'),
    args: [
      `--config=${config}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${kubeletRoot(node)}`,
      `--cert-dir=${join(node.directory, 'kubelet-certificates')}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${node.addresses.join(',')}`,
      `--node-labels=kosmos.io/lab-node=true,topology.kubernetes.io/region=${plan.name},topology.kubernetes.io/zone=${zone}`,
      ...(request.extraArgs.kubelet ?? []),
    ],
    logFile: join(clusterFiles(plan.directory).logs, `kubelet-${machine}.log`),
  };
}
