import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { isIpv6 } from '../addresses.js';
import { CertificateAuthority } from '../certificates.js';
import { clusterFiles, processName, programPath } from '../control-plane.js';
import { writeKubeconfig } from '../kubeconfig.js';
import type { ClusterPlan, NodePlan } from '../plan.js';
import type { ProcessSpec } from '../state.js';
import type { NodeRequest } from './kubelet.js';

/** The KubeProxyConfiguration of a node. */
export function kubeProxyConfig(plan: ClusterPlan, node: NodePlan, kubeconfig: string): Record<string, unknown> {
  const anyAddress = isIpv6(node.addresses[0] ?? '') ? '::' : '0.0.0.0';
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig },
    clusterCIDR: plan.ranges.pods.join(','),
    hostnameOverride: node.name,
    bindAddress: anyAddress,
    // These limits belong to the whole machine and can't be set from a network namespace.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
  };
}

/** Writes credentials and configuration and says how to run kube-proxy on a node. */
export async function kubeProxySpec(request: NodeRequest): Promise<ProcessSpec> {
  const { plan, node } = request;
  const authority = CertificateAuthority.open(clusterFiles(plan.directory).pki, 'ca');
  const user = 'system:kube-proxy';
  const credential = await authority.issue(node.directory, 'kube-proxy', { commonName: user });
  const kubeconfig = join(node.directory, 'kube-proxy.kubeconfig');
  const { certificate } = authority;
  const { name: cluster, server } = plan;
  await writeKubeconfig({ file: kubeconfig, cluster, server, authority: certificate, user, credential });
  const config = join(node.directory, 'kube-proxy.yaml');
  await writeFile(config, stringify(kubeProxyConfig(plan, node, kubeconfig)));
  const machine = plan.machines.indexOf(node) + 1;
  return {
    name: processName(plan.name, 'kube-proxy', machine),
    namespace: node.namespace,
    command: programPath(request.binaries, 'kube-proxy'),
    args: [`--config=${config}`, ...(request.extraArgs['kube-proxy'] ?? [])],
    logFile: join(clusterFiles(plan.directory).logs, `kube-proxy-${machine}.log`),
  };
}
