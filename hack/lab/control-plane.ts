import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isIpv6 } from './addresses.js';
import type { Binaries } from './binaries.js';
import { CertificateAuthority, createSigningKey, type CertificateFiles } from './certificates.js';
import { writeKubeconfig } from './kubeconfig.js';
import type { Component, LabConfig } from './options.js';
import type { ClusterPlan } from './plan.js';
import type { ProcessSpec } from './state.js';

/** Files and folders of a cluster. */
export interface ClusterFiles {
  readonly kubeconfig: string;
  readonly pki: string;
  readonly logs: string;
  readonly etcd: string;
  readonly controllerManager: string;
  readonly scheduler: string;
}

/** Where a cluster has its files below its folder. */
export function clusterFiles(directory: string): ClusterFiles {
  return {
    kubeconfig: join(directory, 'kubeconfig'),
    pki: join(directory, 'pki'),
    logs: join(directory, 'logs'),
    etcd: join(directory, 'etcd'),
    controllerManager: join(directory, 'controller-manager.kubeconfig'),
    scheduler: join(directory, 'scheduler.kubeconfig'),
  };
}

/** Issues all certificates of a control plane and writes the kubeconfigs of its users. */
export async function createCredentials(plan: ClusterPlan, extraHosts: readonly string[]): Promise<void> {
  const files = clusterFiles(plan.directory);
  await mkdir(files.pki, { recursive: true });
  const [authority, proxyAuthority] = await Promise.all([
    CertificateAuthority.create(files.pki, 'ca'),
    CertificateAuthority.create(files.pki, 'front-proxy-ca'),
    createSigningKey(files.pki),
  ]);
  const services = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const hosts = [...services, plan.name, 'localhost', '127.0.0.1', '::1', ...extraHosts];
  hosts.push(plan.ranges.apiServiceAddress, ...plan.machines[0].addresses);
  const masters = ['system:masters'];
  const [admin, manager, scheduler] = await Promise.all([
    authority.issue(files.pki, 'admin', { commonName: 'lab-admin', organizations: masters }),
    authority.issue(files.pki, 'controller-manager', { commonName: 'system:kube-controller-manager' }),
    authority.issue(files.pki, 'scheduler', { commonName: 'system:kube-scheduler' }),
    authority.issue(files.pki, 'apiserver', { commonName: 'kube-apiserver', hosts }),
    authority.issue(files.pki, 'kubelet-client', {
      commonName: 'kube-apiserver-kubelet-client',
      organizations: masters,
    }),
    proxyAuthority.issue(files.pki, 'front-proxy-client', { commonName: 'front-proxy-client' }),
  ]);
  const write = (file: string, user: string, credential: CertificateFiles): Promise<void> =>
    writeKubeconfig({
      file,
      cluster: plan.name,
      server: plan.server,
      authority: authority.certificate,
      user,
      credential,
    });
  await Promise.all([
    write(files.kubeconfig, 'lab-admin', admin),
    write(files.controllerManager, 'system:kube-controller-manager', manager),
    write(files.scheduler, 'system:kube-scheduler', scheduler),
  ]);
}

function etcdArgs(plan: ClusterPlan): string[] {
  return [
    `--name=${plan.name}`,
    `--data-dir=${clusterFiles(plan.directory).etcd}`,
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--initial-advertise-peer-urls=http://127.0.0.1:2380',
    `--initial-cluster=${plan.name}=http://127.0.0.1:2380`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerArgs(plan: ClusterPlan): string[] {
  const pki = (name: string): string => join(clusterFiles(plan.directory).pki, name);
  return [
    '--etcd-servers=http://127.0.0.1:2379',
    `--advertise-address=${plan.machines[0].addresses[0] ?? ''}`,
    `--bind-address=${isIpv6(plan.machines[0].addresses[0] ?? '') ? '::' : '0.0.0.0'}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${plan.ranges.services.join(',')}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP,Hostname',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki('sa.pub')}`,
    `--service-account-signing-key-file=${pki('sa.key')}`,
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
    '--profiling=false',
    '--max-requests-inflight=1000',
    '--max-mutating-requests-inflight=1000',
  ];
}

function controllerManagerArgs(plan: ClusterPlan): string[] {
  const files = clusterFiles(plan.directory);
  const pki = (name: string): string => join(files.pki, name);
  return [
    `--kubeconfig=${files.controllerManager}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${pki('sa.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--allocate-node-cidrs=true',
    `--cluster-cidr=${plan.ranges.pods.join(',')}`,
    `--service-cluster-ip-range=${plan.ranges.services.join(',')}`,
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    '--profiling=false',
  ];
}

function schedulerArgs(plan: ClusterPlan): string[] {
  return [
    `--kubeconfig=${clusterFiles(plan.directory).scheduler}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--profiling=false',
  ];
}

const argsOf = {
  etcd: etcdArgs,
  'kube-apiserver': apiServerArgs,
  'kube-controller-manager': controllerManagerArgs,
  'kube-scheduler': schedulerArgs,
} as const;

/** A program of a control plane. */
export type ControlPlaneComponent = keyof typeof argsOf;

/**
 * Name of a component's process in the instance. What runs on every machine of a full cluster has the machine's number
 * (from 1) in its name.
 */
export function processName(cluster: string, component: Component, machine = 1): string {
  const perMachine = ['containerd', 'kubelet', 'kube-proxy'].includes(component);
  return `${cluster}.${component}${perMachine ? `-${machine}` : ''}`;
}

/** How to run a program of a control plane. */
export function controlPlaneSpec(
  component: ControlPlaneComponent,
  plan: ClusterPlan,
  binaries: Binaries,
  extraArgs: LabConfig['extraArgs'],
): ProcessSpec {
  return {
    name: processName(plan.name, component),
    namespace: plan.machines[0].namespace,
    command: programPath(binaries, component),
    args: [...argsOf[component](plan), ...(extraArgs[component] ?? [])],
    logFile: join(clusterFiles(plan.directory).logs, `${component}.log`),
  };
}

/** Path of a program. @throws Error when the lab was started without it. */
export function programPath(binaries: Binaries, name: string): string {
  const path = binaries[name];
  if (path === undefined) throw new Error(`this lab has no ${name}`);
  return path;
}
